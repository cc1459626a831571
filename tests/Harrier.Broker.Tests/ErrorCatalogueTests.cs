using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests;

/// <summary>Texts that sessions of the protocols throw; those that the broker itself throws are tested where that happens.</summary>
public class ErrorCatalogueTests
{
    [Fact]
    public void Connection_errors_are_those_of_RabbitMQ()
    {
        IsConnectionError(ErrorCatalogue.UnknownMechanism("X"), 503, "unknown authentication mechanism 'X'");
        IsConnectionError(
            ErrorCatalogue.LoginRefused("PLAIN"), 403, "Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
        IsConnectionError(
            ErrorCatalogue.NegotiatedTooHigh("channel_max", 0, 2047), 530,
            "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)");
        IsConnectionError(
            ErrorCatalogue.NegotiatedTooHigh("frame_max", 200_000, 131_072), 530,
            "negotiated frame_max = 200000 is higher than the maximum allowed value (131072)");
        IsConnectionError(
            ErrorCatalogue.NegotiatedTooLow("frame_max", 1024, 4096), 530, "negotiated frame_max = 1024 is lower than the minimum allowed value (4096)");
        IsConnectionError(ErrorCatalogue.VirtualHostNotFound("x"), 530, "vhost x not found");
        IsConnectionError(ErrorCatalogue.VirtualHostRefused("x", "u"), 530, "access to vhost 'x' refused for user 'u'");
        IsConnectionError(ErrorCatalogue.ConnectionLimit(5), 530, "connection refused: node connection limit (5) is reached");
        IsConnectionError(ErrorCatalogue.ExpectedMethodFrame(), 505, "expected method frame, got non method frame instead");
        IsConnectionError(ErrorCatalogue.ExpectedHeaderOfClass(60, 50), 505, "expected content header for class 60, got one for class 50 instead");
        IsConnectionError(ErrorCatalogue.BodyExceedsAnnounced(), 501, "content body frame exceeds remaining content size");
        IsConnectionError(ErrorCatalogue.BodySizeExceedsLimit(9, 8), 501, "content body size 9 exceeds maximum allowed size 8");
        IsConnectionError(ErrorCatalogue.ExpectedChannelOpen(), 504, "expected 'channel.open'");
        IsConnectionError(ErrorCatalogue.SecondChannelOpen(), 504, "second 'channel.open' seen");
        IsConnectionError(ErrorCatalogue.ChannelLimit(7, 6), 530, "number of channels opened (7) has reached the negotiated channel_max (6)");
        IsConnectionError(ErrorCatalogue.SecretRefused(), 530, "New secret was refused by one of the backends");
        IsConnectionError(ErrorCatalogue.Shutdown(), 320, "broker forced connection closure with reason 'shutdown'");
        IsConnectionError(ErrorCatalogue.ConsumerTagInUse("t"), 530, "attempt to reuse consumer tag 't'");
        IsConnectionError(ErrorCatalogue.NotImplemented("immediate=true"), 540, "immediate=true");
    }

    [Fact]
    public void Channel_errors_are_those_of_RabbitMQ()
    {
        IsChannelError(ErrorCatalogue.NoQueueDeclared(), 404, "no previously declared queue");
        IsChannelError(ErrorCatalogue.MessageTooLarge(20_000_000, 16_777_216), 406, "message size 20000000 is larger than configured max size 16777216");
        IsChannelError(ErrorCatalogue.UserIdMismatch("x", "y"), 406, "user_id property set to 'x' but authenticated user was 'y'");
        IsChannelError(ErrorCatalogue.ConfirmToTx(), 406, "cannot switch from confirm to tx mode");
        IsChannelError(ErrorCatalogue.TxToConfirm(), 406, "cannot switch from tx to confirm mode");
        IsChannelError(ErrorCatalogue.NotTransactional(), 406, "channel is not transactional");
        IsChannelError(ErrorCatalogue.UnknownDeliveryTag(3), 406, "unknown delivery tag 3");
        IsChannelError(ErrorCatalogue.ReplyConsumerAcknowledges(), 406, "reply consumer cannot acknowledge");
        IsChannelError(ErrorCatalogue.ReplyConsumerSet(), 406, "reply consumer already set");
        IsChannelError(ErrorCatalogue.NoReplyConsumer(), 406, "fast reply consumer does not exist");
        IsChannelError(ErrorCatalogue.AccessRefused("read", "queue 'q' in vhost '/'", "u"), 403, "read access to queue 'q' in vhost '/' refused for user 'u'");
    }

    private static void IsConnectionError(BrokerException error, int code, string text) => Is(error, ErrorScope.Connection, code, text);

    private static void IsChannelError(BrokerException error, int code, string text) => Is(error, ErrorScope.Channel, code, text);

    private static void Is(BrokerException error, ErrorScope scope, int code, string text) =>
        (error.Scope, (int)error.Code, error.Message).ShouldBe((scope, code, text));
}
