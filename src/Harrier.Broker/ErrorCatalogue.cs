using Harrier.Broker.Messages;

namespace Harrier.Broker;

/// <summary>
/// Every error that a client can see, with its code and the text after the code's name. Client libraries and frameworks test for these
/// texts, so they are RabbitMQ's to the letter (behaviour notes 1 to 98; N names the note).
/// </summary>
public static class ErrorCatalogue
{
    // Connection, N 1 to 24
    public static BrokerException UnknownMechanism(string name) => Connection(ErrorCode.CommandInvalid, $"unknown authentication mechanism '{name}'");
    public static BrokerException MalformedSaslResponse(string mechanism) => Connection(ErrorCode.SyntaxError, $"malformed {mechanism} response");
    public static BrokerException LoginRefused(string mechanism) =>
        Connection(ErrorCode.AccessRefused, $"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile.");
    public static BrokerException NegotiatedTooHigh(string field, long value, long max) => Connection(ErrorCode.NotAllowed,
        $"negotiated {field} = {value}{(value == 0 ? " (no limit)" : "")} is higher than the maximum allowed value ({max})");
    public static BrokerException NegotiatedTooLow(string field, long value, long min) =>
        Connection(ErrorCode.NotAllowed, $"negotiated {field} = {value} is lower than the minimum allowed value ({min})");
    public static BrokerException VirtualHostNotFound(string vhost) => Connection(ErrorCode.NotAllowed, $"vhost {vhost} not found");
    public static BrokerException VirtualHostRefused(string vhost, string user) =>
        Connection(ErrorCode.NotAllowed, $"access to vhost '{vhost}' refused for user '{user}'");
    public static BrokerException ConnectionLimit(int limit) =>
        Connection(ErrorCode.NotAllowed, $"connection refused: node connection limit ({limit}) is reached");
    public static BrokerException UnexpectedHandshakeMethod(string state) =>
        Connection(ErrorCode.ChannelError, $"unexpected method in connection state {state}");
    public static BrokerException UnexpectedFrame(int type, int channel) =>
        Connection(ErrorCode.UnexpectedFrame, $"type {type}, channel {channel}: unexpected_frame");
    public static BrokerException ExpectedMethodFrame() => Connection(ErrorCode.UnexpectedFrame, "expected method frame, got non method frame instead");
    public static BrokerException ExpectedHeader(int classId) =>
        Connection(ErrorCode.UnexpectedFrame, $"expected content header for class {classId}, got non content header frame instead");
    public static BrokerException ExpectedHeaderOfClass(int expected, int got) =>
        Connection(ErrorCode.UnexpectedFrame, $"expected content header for class {expected}, got one for class {got} instead");
    public static BrokerException ExpectedBody() => Connection(ErrorCode.UnexpectedFrame, "expected content body, got non content body frame instead");
    public static BrokerException BodyExceedsAnnounced() => Connection(ErrorCode.FrameError, "content body frame exceeds remaining content size");
    public static BrokerException BodySizeExceedsLimit(ulong size, long max) =>
        Connection(ErrorCode.FrameError, $"content body size {size} exceeds maximum allowed size {max}");
    public static BrokerException ExpectedChannelOpen() => Connection(ErrorCode.ChannelError, "expected 'channel.open'");
    public static BrokerException SecondChannelOpen() => Connection(ErrorCode.ChannelError, "second 'channel.open' seen");
    public static BrokerException ChannelLimit(int opened, int max) =>
        Connection(ErrorCode.NotAllowed, $"number of channels opened ({opened}) has reached the negotiated channel_max ({max})");
    public static BrokerException SecretRefused() => Connection(ErrorCode.NotAllowed, "New secret was refused by one of the backends");
    public static BrokerException Forced(string reason) => Connection(ErrorCode.ConnectionForced, reason);
    public static BrokerException Shutdown() => Forced("broker forced connection closure with reason 'shutdown'");
    public static BrokerException UnknownMethod(uint id) => Connection(ErrorCode.NotImplemented, $"unknown method {{{id >> 16},{id & 0xFFFF}}}");
    public static BrokerException MethodNotForServer(string name) => Connection(ErrorCode.CommandInvalid, $"method {name} is not for the server");
    public static BrokerException Internal() => Connection(ErrorCode.InternalError, "an invariant of the broker does not hold; see the broker's log");

    // Topology, N 25 to 55
    public static BrokerException DefaultExchange() => Channel(ErrorCode.AccessRefused, "operation not permitted on the default exchange");
    public static BrokerException SystemExchange(string name, string vhost) =>
        Channel(ErrorCode.AccessRefused, $"deletion of system {Exchange(name, vhost)} not allowed");
    public static BrokerException ReservedName(string kind, string name) =>
        Channel(ErrorCode.AccessRefused, $"{kind} name '{name}' contains reserved prefix 'amq.*'");
    public static BrokerException NoQueueDeclared() => Channel(ErrorCode.NotFound, "no previously declared queue");
    public static BrokerException ServerNamedQueueType(string type) =>
        Channel(ErrorCode.PreconditionFailed, $"Cannot declare a server-named queue for type {type}");
    public static BrokerException QueueLocked(string name, string vhost) => Channel(ErrorCode.ResourceLocked,
        $"cannot obtain exclusive access to locked {Queue(name, vhost)}. It could be originally declared on another connection or the exclusive property value " +
        "does not match that of the original declaration.");
    public static BrokerException Inequivalent(string field, string resource, string received, string current) =>
        Channel(ErrorCode.PreconditionFailed, $"inequivalent arg '{field}' for {resource}: received {received} but current is {current}");
    public static BrokerException Inequivalent(string argument, string resource, ArgumentValue? received, ArgumentValue? current) =>
        received is { } r && current is { } c
            ? Inequivalent(argument, resource, $"'{r.Text}'", $"'{c.Text}'")
            : Inequivalent(argument, resource, Describe(received), Describe(current));
    public static BrokerException NoQueue(string name, string vhost) => Channel(ErrorCode.NotFound, $"no {Queue(name, vhost)}");
    public static BrokerException NoExchange(string name, string vhost) => Channel(ErrorCode.NotFound, $"no {Exchange(name, vhost)}");
    public static BrokerException QueueInUse(string name, string vhost) => Channel(ErrorCode.PreconditionFailed, $"{Queue(name, vhost)} in use");
    public static BrokerException QueueNotEmpty(string name, string vhost) => Channel(ErrorCode.PreconditionFailed, $"{Queue(name, vhost)} not empty");
    public static BrokerException QuorumDeleteFlag(string name, string vhost, string flag) => Connection(ErrorCode.NotImplemented,
        $"cannot delete {Queue(name, vhost)}. queue.delete operations with {flag} flag set are not supported by quorum queues");
    public static BrokerException ExchangeInUse(string name, string vhost) => Channel(ErrorCode.PreconditionFailed, $"{Exchange(name, vhost)} in use");
    public static BrokerException UnknownExchangeType(string type) => Channel(ErrorCode.PreconditionFailed, $"unknown exchange type '{type}'");
    public static BrokerException ExchangeTypeNotBuilt(string type) =>
        Channel(ErrorCode.PreconditionFailed, $"unknown exchange type '{type}': this version of Harrier does not have it yet");
    public static BrokerException InvalidDelayedType() =>
        Channel(ErrorCode.PreconditionFailed, "Invalid argument, 'x-delayed-type' must be an existing exchange type");
    public static BrokerException InvalidHistoryLength() =>
        Channel(ErrorCode.PreconditionFailed, "Invalid argument, 'x-recent-history-length' must be a positive integer");
    public static BrokerException InvalidExchangeArgument(string argument, string exchange, string detail) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid arg '{argument}' for {exchange}: {detail}");
    public static BrokerException InternalQueue(string name, string vhost) => Channel(ErrorCode.AccessRefused, $"cannot use internal {Queue(name, vhost)}");
    public static BrokerException InternalExchange(string name, string vhost) =>
        Channel(ErrorCode.AccessRefused, $"cannot publish to internal {Exchange(name, vhost)}");
    public static BrokerException TooManyHashes(string key, int count) =>
        Channel(ErrorCode.PreconditionFailed, $"Topic binding key '{key}' uses {count} '#' wildcards, at most 2 are allowed");
    public static BrokerException InvalidHeadersMatch(string value) => Channel(ErrorCode.PreconditionFailed,
        $"Invalid x-match field value <<\"{value}\">>; expected all, any, all-with-x, or any-with-x");
    public static BrokerException InvalidHeadersMatchType(string type, string value) => Channel(ErrorCode.PreconditionFailed,
        $"Invalid x-match field type {type} (value {value}); expected longstr");
    public static BrokerException HashWeightNotInteger(Utf8Name key) =>
        Channel(ErrorCode.PreconditionFailed, $"The binding key must be an integer: {ErlangBinary(key)}");
    public static BrokerException HashWeightTooLow() => Channel(ErrorCode.PreconditionFailed, "The binding key must be greater than 0");
    public static BrokerException HashWeightTooHigh(int max) => Channel(ErrorCode.PreconditionFailed, $"The binding key must not be greater than {max}");
    public static BrokerException UnsupportedHashProperty(string property) =>
        Channel(ErrorCode.PreconditionFailed, $"Unsupported property: {property}");
    public static BrokerException HashHeaderAndProperty() =>
        Channel(ErrorCode.PreconditionFailed, "hash-header and hash-property are mutually exclusive");
    public static BrokerException UnsupportedHashAlgorithm(string algorithm) =>
        Channel(ErrorCode.PreconditionFailed, $"Unsupported x-algorithm: {algorithm}; expected ring or jump");
    public static BrokerException LocalRandomKey(string key) => Channel(ErrorCode.PreconditionFailed, $"Non empty binding '{key}' key not permitted");
    public static BrokerException LocalRandomQueueType(string type) =>
        Channel(ErrorCode.PreconditionFailed, $"Queue type {type} not valid for this exchange type");
    public static BrokerException LocalRandomExchange() => Channel(ErrorCode.PreconditionFailed, "Destination not found");
    public static BrokerException InvalidQueueArgument(string argument, string name, string vhost, string detail) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid arg '{argument}' for {Queue(name, vhost)}: {detail}");
    public static BrokerException ArgumentNotForType(string argument, string name, string vhost, string type) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid arg '{argument}' for {Queue(name, vhost)} of queue type {type}");
    public static BrokerException InvalidArgumentType(string type, string argument, string resource) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid type '{type}' for arg '{argument}' in {resource}");
    public static BrokerException InvalidQueueProperty(string property, string name, string vhost) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid property '{property}' for {Queue(name, vhost)}");
    public static BrokerException QueueTypeNotBuilt(string type, string name, string vhost) => Channel(ErrorCode.PreconditionFailed,
        $"invalid arg 'x-queue-type' for {Queue(name, vhost)}: this version of Harrier does not implement '{type}' queues yet");
    public static BrokerException AccessRefused(string permission, string resource, string user) =>
        Channel(ErrorCode.AccessRefused, $"{permission} access to {resource} refused for user '{user}'");

    // Publishing, N 56 to 76
    public static BrokerException MessageTooLarge(ulong size, long max) =>
        Channel(ErrorCode.PreconditionFailed, $"message size {size} is larger than configured max size {max}");
    public static BrokerException TransactionTooLarge(long max) =>
        Channel(ErrorCode.PreconditionFailed, $"transaction is larger than configured max size {max}");
    public static BrokerException PartialTransaction() => Channel(ErrorCode.PreconditionFailed, "partial tx completion");
    public static BrokerException QueueUnreadable(string queue, string vhost) =>
        Channel(ErrorCode.NotFound, $"{Queue(queue, vhost)} process is stopped by supervisor");
    public static BrokerException InvalidExpiration(string value, string detail) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid expiration '{value}': {detail}");
    public static BrokerException InvalidMessage(string header, string type) =>
        Channel(ErrorCode.PreconditionFailed, $"invalid message: {{unacceptable_type_in_header,{header},{type}}}");
    public static BrokerException UserIdMismatch(string userId, string user) =>
        Channel(ErrorCode.PreconditionFailed, $"user_id property set to '{userId}' but authenticated user was '{user}'");
    public static BrokerException NotImplemented(string what) => Connection(ErrorCode.NotImplemented, what);
    public static BrokerException ConfirmToTx() => Channel(ErrorCode.PreconditionFailed, "cannot switch from confirm to tx mode");
    public static BrokerException TxToConfirm() => Channel(ErrorCode.PreconditionFailed, "cannot switch from tx to confirm mode");
    public static BrokerException NotTransactional() => Channel(ErrorCode.PreconditionFailed, "channel is not transactional");

    // Consuming, N 77 to 98
    public static BrokerException ConsumerTagInUse(string tag) => Connection(ErrorCode.NotAllowed, $"attempt to reuse consumer tag '{tag}'");
    public static BrokerException ConsumerLimit(int max) =>
        Connection(ErrorCode.NotAllowed, $"reached maximum ({max}) of consumers per channel");
    public static BrokerException ExclusiveUse(string name, string vhost) =>
        Channel(ErrorCode.AccessRefused, $"{Queue(name, vhost)} in exclusive use");
    public static BrokerException GetBesideSingleActiveConsumer(string name, string vhost) => Channel(ErrorCode.ResourceLocked,
        $"cannot obtain access to locked {Queue(name, vhost)}. basic.get operations are not supported by quorum queues with single active consumer");
    public static BrokerException UnknownDeliveryTag(ulong tag) => Channel(ErrorCode.PreconditionFailed, $"unknown delivery tag {tag}");
    public static BrokerException DeliveryTimedOut(int channel, long timeoutMs) => Channel(ErrorCode.PreconditionFailed,
        $"delivery acknowledgement on channel {channel} timed out. Timeout value used: {timeoutMs} ms. " +
        "This timeout value can be configured, see consumers doc guide to learn more");
    public static BrokerException ReplyConsumerAcknowledges() => Channel(ErrorCode.PreconditionFailed, "reply consumer cannot acknowledge");
    public static BrokerException ReplyConsumerSet() => Channel(ErrorCode.PreconditionFailed, "reply consumer already set");
    public static BrokerException NoReplyConsumer() => Channel(ErrorCode.PreconditionFailed, "fast reply consumer does not exist");
    public static BrokerException ReplyQueueBinding() =>
        Channel(ErrorCode.AccessRefused, "cannot bind or unbind to a volatile (direct reply-to) queue");

    /// <summary>How texts name a queue.</summary>
    public static string Queue(string name, string vhost) => $"queue '{name}' in vhost '{vhost}'";

    /// <summary>How texts name an exchange; the default one has the name that permissions see (N 58).</summary>
    public static string Exchange(string name, string vhost) => $"exchange '{(name.Length == 0 ? "amq.default" : name)}' in vhost '{vhost}'";

    // How texts show an argument value next to one that is absent.
    private static string Describe(ArgumentValue? value) =>
        value is { } present ? $"the value '{present.Text}' of type '{present.TypeName}'" : "none";

    // How Erlang's ~tp shows a binary.
    private static string ErlangBinary(Utf8Name name)
    {
        if (name.IsEmpty) return "<<>>";
        string text = name.ToString();
        if (text.Any(c => char.IsControl(c) || c == '\uFFFD')) return $"<<{string.Join(',', name.Span.ToArray())}>>";
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return System.Text.Ascii.IsValid(text) ? $"<<\"{escaped}\">>" : $"<<\"{escaped}\"/utf8>>";
    }

    private static BrokerException Channel(ErrorCode code, string text) => new(ErrorScope.Channel, code, text);

    private static BrokerException Connection(ErrorCode code, string text) => new(ErrorScope.Connection, code, text);
}
