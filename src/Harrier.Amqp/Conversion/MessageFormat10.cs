using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// Reads the property section of messages that came in over AMQP 1.0: the encoded sections in front of the body, but for the delivery annotations, as they were
/// received.
/// </summary>
internal sealed class MessageFormat10 : IMessageFormat
{
    public static readonly MessageFormat10 Instance = new();

    public byte Id => 2;

    /// <summary>Application properties; for names that begin with x-, the message annotations come first, where brokers and their clients put them.</summary>
    public bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
    {
        Sections10 sections = Sections10.Find(properties);
        bool isFound = name.StartsWith("x-"u8) && MapReader10.TryFind(sections.MessageAnnotations, name, out Value10 found)
            || MapReader10.TryFind(sections.ApplicationProperties, name, out found);
        value = isFound ? ToHeaderValue(found) : default;
        return isFound;
    }

    public bool TryFindProperty(ReadOnlySpan<byte> properties, MessageProperty property, out HeaderValue value)
    {
        Value10 found = Find(new PropertyFields10(Sections10.Find(properties).Properties), property);
        value = found.IsNull ? default : ToHeaderValue(found);
        return !found.IsNull;
    }

    public byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies) => DeathAnnotations.Write(message, in death, keepsCarbonCopies);

    public DeathPlace? FindLastDeath(Message message) => DeathAnnotations.FindLast(message);

    public bool HasCycle(Message message, Utf8Name queue) => DeathAnnotations.HasCycle(message, queue);

    public byte[] AfterDelay(ReadOnlySpan<byte> properties) => DelayAnnotation.Negate(properties);

    private static Value10 Find(PropertyFields10 fields, MessageProperty property) => property switch
    {
        MessageProperty.MessageId => fields.MessageId,
        MessageProperty.UserId => fields.UserId,
        MessageProperty.To => fields.To,
        MessageProperty.Subject => fields.Subject,
        MessageProperty.ReplyTo => fields.ReplyTo,
        MessageProperty.CorrelationId => fields.CorrelationId,
        MessageProperty.ContentType => fields.ContentType,
        MessageProperty.ContentEncoding => fields.ContentEncoding,
        MessageProperty.AbsoluteExpiryTime => fields.AbsoluteExpiryTime,
        MessageProperty.Timestamp or MessageProperty.CreationTime => fields.CreationTime,
        MessageProperty.GroupId => fields.GroupId,
        MessageProperty.GroupSequence => fields.GroupSequence,
        MessageProperty.ReplyToGroupId => fields.ReplyToGroupId,
        _ => default,
    };

    // The kinds are those of 0-9-1, for bindings of either protocol match messages of either.
    private static HeaderValue ToHeaderValue(Value10 value)
    {
        if (value.Boolean is { } boolean) return new HeaderValue(ArgumentKind.Boolean, boolean ? 1 : 0, 0, default);
        if (value.Integer is { } integer) return new HeaderValue(IntegerKindOf(value.Code), integer, 0, default);
        if (value.Real is { } real) return new HeaderValue(value.Code == FormatCode.Float ? ArgumentKind.Float : ArgumentKind.Double, 0, real, default);
        if (value.TimestampMs is { } timeMs) return OfTime(timeMs);
        ArgumentKind kind = value switch
        {
            { IsNull: true } => ArgumentKind.Void,
            { IsText: true } => ArgumentKind.Text,
            { IsBinary: true } or { Code: FormatCode.Uuid } => ArgumentKind.Bytes,
            { IsMap: true } => ArgumentKind.Table,
            { IsList: true } or { IsArray: true } => ArgumentKind.Array,
            _ => ArgumentKind.Decimal, // of another width than those of 0-9-1, so that it matches none of them
        };
        return new HeaderValue(kind, 0, 0, value.Content);
    }

    private static HeaderValue OfTime(long timeMs)
    {
        long seconds = Times.SecondsOf(timeMs);
        return new HeaderValue(ArgumentKind.Timestamp, seconds, 0, default) { SubsecondMs = (int)(timeMs - seconds * 1000) };
    }

    private static ArgumentKind IntegerKindOf(FormatCode code) => code switch
    {
        FormatCode.Byte => ArgumentKind.SignedByte,
        FormatCode.UByte => ArgumentKind.UnsignedByte,
        FormatCode.Short => ArgumentKind.SignedShort,
        FormatCode.UShort => ArgumentKind.UnsignedShort,
        FormatCode.Int or FormatCode.SmallInt => ArgumentKind.SignedInt,
        FormatCode.UInt or FormatCode.SmallUInt or FormatCode.UInt0 => ArgumentKind.UnsignedInt,
        _ => ArgumentKind.SignedLong,
    };
}
