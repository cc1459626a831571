using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Topology;

/// <summary>Every row of the table of queue arguments. A value is written as a test can: i: signed int, s: text, b: bool, d: double.</summary>
public class QueueArgumentsTests
{
    private const string NotForType = "not for type";

    private readonly ClientSession _session = new TestBroker().Connect();

    [Theory]
    [InlineData("x-queue-type", "s:classic")]
    [InlineData("x-max-priority", "i:0")]
    [InlineData("x-single-active-consumer", "b:false")]
    [InlineData("x-queue-version", "i:2")]
    [InlineData("x-queue-leader-locator", "s:client-local")]
    [InlineData("x-queue-leader-locator", "s:balanced")]
    [InlineData("x-queue-leader-locator", "s:random")]
    [InlineData("x-queue-leader-locator", "s:least-leaders")]
    [InlineData("x-queue-leader-locator", "s:min-masters")]
    [InlineData("x-queue-master-locator", "s:min-masters")]
    [InlineData("x-overflow", "s:drop-head")]
    [InlineData("x-message-deduplication", "b:false")]
    [InlineData("x-unknown", "d:1.5")]
    [InlineData("X-EXPIRES", "i:0")]
    public void A_classic_queue_accepts(string argument, string value) => Declare("classic", argument, value).Definition.Type.ShouldBe(QueueType.Classic);

    [Theory]
    [InlineData("x-single-active-consumer", "b:false")]
    [InlineData("x-queue-leader-locator", "s:balanced")]
    [InlineData("x-overflow", "s:drop-head")]
    [InlineData("x-delayed-retry-type", "s:disabled")]
    [InlineData("x-quorum-initial-group-size", "i:1")]
    [InlineData("x-quorum-initial-group-size", "i:3")]
    [InlineData("x-quorum-target-group-size", "i:5")]
    [InlineData("x-max-in-memory-length", "i:0")]
    [InlineData("x-max-in-memory-bytes", "i:100")]
    [InlineData("x-unknown", "s:ignored")]
    public void A_quorum_queue_accepts(string argument, string value) => Declare("quorum", argument, value).Definition.Type.ShouldBe(QueueType.Quorum);

    [Theory]
    [InlineData("x-expires", "i:1")]
    [InlineData("x-expires", "i:315360000000")]
    [InlineData("x-message-ttl", "i:0")]
    [InlineData("x-message-ttl", "i:315360000000")]
    [InlineData("x-dead-letter-exchange", "s:")]
    [InlineData("x-dead-letter-exchange", "s:dlx")]
    [InlineData("x-dead-letter-exchange", "s:drop-head")]
    [InlineData("x-max-length", "i:0")]
    [InlineData("x-max-length", "i:9223372036854775807")]
    [InlineData("x-max-length-bytes", "i:0")]
    [InlineData("x-overflow", "s:reject-publish")]
    [InlineData("x-overflow", "s:reject-publish-dlx")]
    [InlineData("x-single-active-consumer", "b:true")]
    [InlineData("x-message-deduplication", "b:true")]
    [InlineData("x-cache-size", "i:1000000")]
    [InlineData("x-cache-ttl", "i:1")]
    [InlineData("x-deduplication-header", "s:id")]
    public void Both_types_accept(string argument, string value)
    {
        Declare("classic", argument, value).Definition.Type.ShouldBe(QueueType.Classic);
        _session.DeleteQueue("q", false, false);
        Declare("quorum", argument, value).Definition.Type.ShouldBe(QueueType.Quorum);
    }

    [Theory]
    [InlineData("classic", "x-max-priority", "i:1")]
    [InlineData("classic", "x-max-priority", "i:255")]
    [InlineData("quorum", "x-dead-letter-strategy", "s:at-most-once")]
    [InlineData("quorum", "x-dead-letter-strategy", "s:at-least-once")]
    [InlineData("quorum", "x-delivery-limit", "i:20")]
    [InlineData("quorum", "x-delivery-limit", "i:-1")]
    [InlineData("quorum", "x-consumer-timeout", "i:0")]
    [InlineData("quorum", "x-consumer-disconnected-timeout", "i:60000")]
    [InlineData("quorum", "x-delayed-retry-type", "s:disabled")]
    [InlineData("quorum", "x-delayed-retry-min", "i:1")]
    [InlineData("quorum", "x-delayed-retry-max", "i:1000")]
    public void One_type_accepts(string type, string argument, string value) => Declare(type, argument, value).Definition.Arguments.Find(argument).ShouldBe(Parse(value));

    [Theory]
    [InlineData("x-expires", "i:0", "{value_zero,0}")]
    [InlineData("x-expires", "i:-1", "{value_negative,-1}")]
    [InlineData("x-expires", "i:315360000001", "{value_too_large,315360000001}")]
    [InlineData("x-expires", "s:1", "\"expected integer, got longstr\"")]
    [InlineData("x-expires", "d:1", "\"expected integer, got double\"")]
    [InlineData("x-message-ttl", "i:-5", "{value_negative,-5}")]
    [InlineData("x-message-ttl", "i:315360000001", "{value_too_large,315360000001}")]
    [InlineData("x-message-ttl", "b:true", "\"expected integer, got bool\"")]
    [InlineData("x-max-length", "i:-1", "{value_negative,-1}")]
    [InlineData("x-max-length", "s:10", "\"expected integer, got longstr\"")]
    [InlineData("x-max-length-bytes", "i:-1", "{value_negative,-1}")]
    [InlineData("x-overflow", "s:nonsense", "invalid_overflow")]
    [InlineData("x-overflow", "i:1", "{unacceptable_type,signedint}")]
    [InlineData("x-single-active-consumer", "i:1", "{unacceptable_type,signedint}")]
    [InlineData("x-single-active-consumer", "s:true", "{unacceptable_type,longstr}")]
    [InlineData("x-queue-leader-locator", "s:nowhere", "invalid_queue_locator_arg")]
    public void Both_types_refuse(string argument, string value, string detail)
    {
        Refused("classic", argument, value, detail);
        Refused("quorum", argument, value, detail);
    }

    [Theory]
    [InlineData("classic", "x-max-priority", "i:256", "{max_value_exceeded,256}")]
    [InlineData("classic", "x-max-priority", "i:-1", "{value_negative,-1}")]
    [InlineData("classic", "x-max-priority", "s:5", "\"expected integer, got longstr\"")]
    [InlineData("classic", "x-queue-version", "i:1", "\"unsupported queue version '1'\"")]
    [InlineData("classic", "x-queue-version", "s:2", "\"expected integer, got longstr\"")]
    [InlineData("classic", "x-queue-master-locator", "s:nowhere", "invalid_queue_locator_arg")]
    [InlineData("quorum", "x-dead-letter-strategy", "s:sometimes", "invalid_dlx_strategy")]
    [InlineData("quorum", "x-delivery-limit", "s:20", "\"expected integer, got longstr\"")]
    [InlineData("quorum", "x-quorum-initial-group-size", "i:0", "{value_zero,0}")]
    [InlineData("quorum", "x-quorum-initial-group-size", "i:-1", "{value_negative,-1}")]
    [InlineData("quorum", "x-consumer-timeout", "i:-1", "{value_negative,-1}")]
    [InlineData("quorum", "x-consumer-disconnected-timeout", "i:-1", "{value_negative,-1}")]
    public void One_type_refuses(string type, string argument, string value, string detail) => Refused(type, argument, value, detail);

    [Theory]
    [InlineData("classic", "x-dead-letter-strategy", "s:at-most-once")]
    [InlineData("classic", "x-delivery-limit", "i:20")]
    [InlineData("classic", "x-quorum-initial-group-size", "i:3")]
    [InlineData("classic", "x-quorum-target-group-size", "i:3")]
    [InlineData("classic", "x-consumer-timeout", "i:1")]
    [InlineData("classic", "x-consumer-disconnected-timeout", "i:1")]
    [InlineData("classic", "x-delayed-retry-type", "s:all")]
    [InlineData("classic", "x-delayed-retry-min", "i:1")]
    [InlineData("classic", "x-delayed-retry-max", "i:1")]
    [InlineData("classic", "x-max-in-memory-length", "i:1")]
    [InlineData("classic", "x-max-in-memory-bytes", "i:1")]
    [InlineData("classic", "x-queue-mode", "s:lazy")]
    [InlineData("classic", "x-queue-mode", "s:default")]
    [InlineData("quorum", "x-queue-mode", "s:default")]
    [InlineData("quorum", "x-max-priority", "i:5")]
    [InlineData("quorum", "x-queue-version", "i:2")]
    [InlineData("quorum", "x-queue-master-locator", "s:min-masters")]
    [InlineData("classic", "x-max-age", "s:1D")]
    [InlineData("quorum", "x-max-age", "s:1D")]
    [InlineData("classic", "x-stream-max-segment-size-bytes", "i:1")]
    [InlineData("quorum", "x-stream-filter-size-bytes", "i:16")]
    [InlineData("classic", "x-initial-cluster-size", "i:1")]
    public void An_argument_of_another_type_is_refused(string type, string argument, string value) => Refused(type, argument, value, NotForType);

    [Theory]
    [InlineData("s:nonsense", "\"unsupported queue type 'nonsense'\"")]
    [InlineData("i:1", "{unacceptable_type,signedint}")]
    [InlineData("b:true", "{unacceptable_type,bool}")]
    public void The_queue_type_is_one_that_exists(string value, string detail)
    {
        Action declare = () => _session.Queue("q", arguments: new Argument("x-queue-type", Parse(value)));
        declare.ShouldBeRefused(ErrorCode.PreconditionFailed, $"invalid arg 'x-queue-type' for queue 'q' in vhost '/': {detail}");
    }

    [Fact]
    public void Streams_are_refused_by_name_until_they_are_built() =>
        Should.Throw<BrokerException>(() => Declare("stream")).Message.ShouldStartWith("invalid arg 'x-queue-type' for queue 'q' in vhost '/': ");

    [Fact]
    public void A_dead_letter_exchange_has_an_error_of_its_own_and_a_dead_letter_key_has_not()
    {
        Action declare = () => Declare("classic", "x-dead-letter-exchange", "i:1");
        declare.ShouldBeRefused(ErrorCode.PreconditionFailed, "invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'");
        Refused("classic", "x-dead-letter-routing-key", "i:1", "{unacceptable_type,signedint}");
    }

    [Fact]
    public void A_dead_letter_key_needs_a_dead_letter_exchange() => Refused("classic", "x-dead-letter-routing-key", "s:k", "routing_key_but_no_dlx_defined");

    [Fact]
    public void Any_width_of_whole_number_will_do()
    {
        foreach (ArgumentKind kind in new[] { ArgumentKind.SignedByte, ArgumentKind.UnsignedShort, ArgumentKind.SignedLong, ArgumentKind.SignedInt })
            _session.Queue("q", arguments: new Argument("x-queue-version", ArgumentValue.OfInteger(kind, 2)));
    }

    [Theory]
    [InlineData(false, false, false, "non-durable")]
    [InlineData(true, true, false, "exclusive-owner")]
    [InlineData(true, false, true, "auto-delete")]
    public void A_quorum_queue_is_durable_and_shared_and_stays(bool durable, bool exclusive, bool autoDelete, string property)
    {
        Action declare = () => _session.Queue("q", durable, exclusive, autoDelete, new Argument("x-queue-type", ArgumentValue.Of("quorum")));
        declare.ShouldBeRefused(ErrorCode.PreconditionFailed, $"invalid property '{property}' for queue 'q' in vhost '/'");
    }

    [Fact]
    public void Redeclaring_with_a_known_argument_that_differs_is_refused()
    {
        Declare("classic", "x-queue-leader-locator", "s:balanced");
        Declare("classic", "x-queue-leader-locator", "s:balanced");
        Inequivalent("x-queue-leader-locator", "received 'client-local' but current is 'balanced'", new Argument("x-queue-leader-locator", Parse("s:client-local")));
        Inequivalent("x-queue-leader-locator", "received none but current is the value 'balanced' of type 'longstr'");
        Inequivalent(
            "x-queue-version", "received the value '2' of type 'signedint' but current is none", new Argument("x-queue-leader-locator", Parse("s:balanced")),
            new Argument("x-queue-version", Parse("i:2")));
    }

    [Fact]
    public void Redeclaring_with_another_width_of_number_or_unknown_arguments_is_fine()
    {
        Declare("classic", "x-queue-version", "i:2");
        _session.Queue("q", arguments: new Argument("x-queue-version", ArgumentValue.OfInteger(ArgumentKind.UnsignedByte, 2)));
        _session.Queue("q", arguments: [new Argument("x-queue-version", Parse("i:2")), new Argument("x-unknown", Parse("s:new"))]);
    }

    [Fact]
    public void Naming_the_classic_type_is_the_same_as_naming_none()
    {
        Queue queue = _session.Queue("q");
        Declare("classic").ShouldBeSameAs(queue);
        _session.DeleteQueue("q", false, false);
        queue = Declare("classic");
        _session.Queue("q").ShouldBeSameAs(queue);
    }

    [Fact]
    public void Two_types_that_are_both_named_are_both_shown()
    {
        Declare("quorum");
        Inequivalent("x-queue-type", "received none but current is the value 'quorum' of type 'longstr'");
        Inequivalent("x-queue-type", "received 'classic' but current is 'quorum'", new Argument("x-queue-type", Parse("s:classic")));
    }

    [Fact]
    public void Arguments_that_the_type_of_the_queue_does_not_know_are_not_compared()
    {
        Queue queue = _session.Queue("q");
        _session.Queue("q", arguments: new Argument("x-max-age", Parse("s:1D"))).ShouldBeSameAs(queue);
        _session.Queue("q", arguments: new Argument("x-delivery-limit", Parse("i:5"))).ShouldBeSameAs(queue);
    }

    private Queue Declare(string type, string? argument = null, string value = "")
    {
        List<Argument> arguments = [];
        if (argument != "x-queue-type") arguments.Add(new Argument("x-queue-type", ArgumentValue.Of(type)));
        if (argument is not null) arguments.Add(new Argument(argument, Parse(value)));
        return _session.Queue("q", arguments: [.. arguments]);
    }

    private void Refused(string type, string argument, string value, string detail)
    {
        Action declare = () => Declare(type, argument, value);
        declare.ShouldBeRefused(ErrorCode.PreconditionFailed, detail switch
        {
            NotForType => $"invalid arg '{argument}' for queue 'q' in vhost '/' of queue type rabbit_{type}_queue",
            _ => $"invalid arg '{argument}' for queue 'q' in vhost '/': {detail}",
        });
    }

    private void Inequivalent(string argument, string difference, params Argument[] arguments)
    {
        Action declare = () => _session.Queue("q", arguments: arguments);
        declare.ShouldBeRefused(ErrorCode.PreconditionFailed, $"inequivalent arg '{argument}' for queue 'q' in vhost '/': {difference}");
    }

    private static ArgumentValue Parse(string value) => value[0] switch
    {
        'i' => ArgumentValue.OfInteger(ArgumentKind.SignedInt, long.Parse(value[2..])),
        's' => ArgumentValue.Of(value[2..]),
        'b' => ArgumentValue.Of(bool.Parse(value[2..])),
        _ => ArgumentValue.OfReal(ArgumentKind.Double, double.Parse(value[2..])),
    };
}
