using System.Text;
using Harrier.Broker;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>How much of a peer's work an error ends (1.0 part 2, section 2.8.14 and those after it).</summary>
internal enum AmqpErrorScope
{
    Link,
    Session,
    Connection,
}

/// <summary>What a peer is told when something of it ends. Made only by <see cref="AmqpErrors"/>.</summary>
internal sealed class AmqpException(AmqpErrorScope scope, string condition, string description) : Exception(description)
{
    // Enough for every text of ours, and little enough for a frame of the smallest size.
    private const int DescriptionBytesMax = 300;

    public AmqpErrorScope Scope { get; } = scope;

    /// <summary>One of the standard's symbols.</summary>
    public string Condition { get; } = condition;

    /// <summary>The encoded error field of detach, end, close and rejected.</summary>
    public byte[] ToBytes() => Encode(Condition, Message);

    /// <summary>An encoded error.</summary>
    public static byte[] Encode(string condition, string description)
    {
        byte[] text = Encoding.UTF8.GetBytes(description);
        var error = new AmqpError { Condition = Encoding.ASCII.GetBytes(condition), Description = Cut(text) };
        byte[] bytes = new byte[error.SizeMax];
        var writer = new ValueWriter(bytes);
        error.Write(ref writer);
        return bytes[..writer.Size];
    }

    // Not within a character.
    private static ReadOnlySpan<byte> Cut(byte[] text)
    {
        int size = Math.Min(text.Length, DescriptionBytesMax);
        while (size < text.Length && (text[size] & 0xC0) == 0x80) size--;
        return text.AsSpan(0, size);
    }
}

/// <summary>
/// The errors of AMQP 1.0, with their conditions (part 2, sections 2.8.15 to 2.8.18) and RabbitMQ's texts where clients know them (behaviour notes 104 to 111).
/// </summary>
internal static class AmqpErrors
{
    public const string NotFound = "amqp:not-found";
    public const string Unauthorized = "amqp:unauthorized-access";
    public const string PreconditionFailed = "amqp:precondition-failed";
    public const string ResourceDeleted = "amqp:resource-deleted";
    public const string ResourceLimitExceeded = "amqp:resource-limit-exceeded";

    private const string InvalidFieldCondition = "amqp:invalid-field";
    private const string FramingCondition = "amqp:connection:framing-error";
    private const string NotAllowedCondition = "amqp:not-allowed";
    private const string NotImplementedCondition = "amqp:not-implemented";

    /// <summary>A refusal of the broker, at the scope at which it was asked.</summary>
    public static AmqpException From(BrokerException e, AmqpErrorScope scope) => new(scope, ConditionOf(e.Code), e.Message);

    public static AmqpException Decode(string text, AmqpErrorScope scope) => new(scope, "amqp:decode-error", text);

    public static AmqpException Framing(string text) => new(AmqpErrorScope.Connection, FramingCondition, text);

    public static AmqpException Internal() => new(AmqpErrorScope.Connection, "amqp:internal-error", "an invariant of the broker is broken");

    public static AmqpException Unreadable() => new(AmqpErrorScope.Link, "amqp:internal-error", "a message cannot be read from disk");

    public static AmqpException Shutdown() => new(AmqpErrorScope.Connection, "amqp:connection:forced", "broker forced connection closure with reason 'shutdown'");

    public static AmqpException IllegalState(string text) => new(AmqpErrorScope.Connection, "amqp:illegal-state", text);

    public static AmqpException InvalidField(AmqpErrorScope scope, string text) => new(scope, InvalidFieldCondition, text);

    public static AmqpException NotAllowed(AmqpErrorScope scope, string text) => new(scope, NotAllowedCondition, text);

    public static AmqpException NotImplemented(AmqpErrorScope scope, string text) => new(scope, NotImplementedCondition, text);

    public static AmqpException ConnectionLimit(int max) =>
        new(AmqpErrorScope.Connection, ResourceLimitExceeded, $"connection refused: node connection limit ({max}) is reached");

    public static AmqpException FrameTooSmall(int size, int max) =>
        new(AmqpErrorScope.Connection, "amqp:frame-size-too-small", $"an answer of {size} bytes does not fit a frame of {max} bytes");

    /// <summary>Behaviour note 105.</summary>
    public static AmqpException NoAddress() => new(AmqpErrorScope.Link, PreconditionFailed, "anonymous terminus requires 'to' address to be set");

    public static AmqpException NoVirtualHost(string name) => new(AmqpErrorScope.Connection, NotFound, $"virtual host '{name}' does not exist");

    public static AmqpException ChannelTooHigh(int channel, int max) => Framing($"channel number ({channel}) exceeds maximum channel number ({max})");

    public static AmqpException HandleTooHigh(uint handle, uint max) => Framing($"link handle value ({handle}) exceeds maximum link handle value ({max})");

    public static AmqpException HandleInUse(uint handle) => new(AmqpErrorScope.Session, "amqp:session:handle-in-use", $"link handle {handle} is in use");

    public static AmqpException UnattachedHandle(uint handle) =>
        new(AmqpErrorScope.Session, "amqp:session:unattached-handle", $"no link is attached to handle {handle}");

    public static AmqpException ErrantLink(uint handle) =>
        new(AmqpErrorScope.Session, "amqp:session:errant-link", $"input was received for the link of handle {handle} after it was detached with an error");

    public static AmqpException WindowViolation(string text) => new(AmqpErrorScope.Session, "amqp:session:window-violation", text);

    public static AmqpException TransferLimit() => new(AmqpErrorScope.Link, "amqp:link:transfer-limit-exceeded", "the link has no credit left");

    public static AmqpException MessageTooLarge(ulong size, ulong max) =>
        new(AmqpErrorScope.Link, "amqp:link:message-size-exceeded", $"message size ({size} bytes) > maximum message size ({max} bytes)");

    public static AmqpException QueueDeleted(string queue) => new(AmqpErrorScope.Link, ResourceDeleted, $"queue '{queue}' was deleted");

    public static AmqpException UnknownTransaction() => new(AmqpErrorScope.Link, "amqp:transaction:unknown-id", "there is no such transaction");

    public static AmqpException TransactionTooLarge(int max) =>
        new(AmqpErrorScope.Link, ResourceLimitExceeded, $"a transaction of more than {max} bytes");

    public static AmqpException TooManyTermini(int max) =>
        new(AmqpErrorScope.Link, ResourceLimitExceeded, $"the virtual host has {max} durable termini, which is as many as may be");

    public static AmqpException NotKnown() => InvalidField(AmqpErrorScope.Link, "a delivery is resumed that is not known here");

    public static AmqpException TagInTransaction() => InvalidField(AmqpErrorScope.Link, "a delivery of a transaction that is not discharged has the same tag");

    public static AmqpException MapIncomplete() => NotAllowed(AmqpErrorScope.Link, "there is no new delivery while a map of unsettled deliveries is incomplete");

    public static AmqpException NotPaired() => InvalidField(AmqpErrorScope.Link, "Link property 'paired' is not set to boolean value 'true'");

    public static AmqpException PairIsComplete(string name) =>
        new(AmqpErrorScope.Link, PreconditionFailed, $"the management link pair '{name}' has a link of this direction");

    public static AmqpException HalfOpenPair() => new(AmqpErrorScope.Link, PreconditionFailed, "received transfer on half open management link pair");

    public static AmqpException TooManyReplies(int bytesMax) =>
        new(AmqpErrorScope.Link, ResourceLimitExceeded, $"more than {bytesMax} bytes of management replies wait for credit");

    public static AmqpException Stolen() => new(AmqpErrorScope.Link, "amqp:link:stolen", "the link has been attached elsewhere");

    private static string ConditionOf(ErrorCode code) => code switch
    {
        ErrorCode.AccessRefused => Unauthorized,
        ErrorCode.NotFound => NotFound,
        ErrorCode.ResourceLocked => "amqp:resource-locked",
        ErrorCode.PreconditionFailed => PreconditionFailed,
        ErrorCode.NotAllowed => NotAllowedCondition,
        ErrorCode.NotImplemented => NotImplementedCondition,
        ErrorCode.ConnectionForced => "amqp:connection:forced",
        ErrorCode.InternalError => "amqp:internal-error",
        _ => InvalidFieldCondition,
    };
}
