using System.Buffers.Binary;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Reads the property section of messages that came in over 0-9-1: the flags and the property list of a content header.</summary>
internal sealed class MessageFormat091 : IMessageFormat
{
    public static readonly MessageFormat091 Instance = new();

    public byte Id => 1;

    public bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
    {
        value = default;
        if (!BasicPropertiesReader.TryFind(properties, BasicPropertyFlags.Headers, out ReadOnlySpan<byte> headers)) return false;
        if (!FieldTableReader.TryFind(headers, name, out FieldValueBytes found)) return false;
        ArgumentKind kind = Arguments091.KindOf(found.Type);
        value = kind switch
        {
            ArgumentKind.Float or ArgumentKind.Double => new HeaderValue(kind, 0, found.AsDouble(), default),
            ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Decimal or ArgumentKind.Array or ArgumentKind.Table or ArgumentKind.Void =>
                new HeaderValue(kind, 0, 0, found.Bytes),
            _ => new HeaderValue(kind, found.AsInteger(), 0, default),
        };
        return true;
    }

    public bool TryFindProperty(ReadOnlySpan<byte> properties, MessageProperty property, out HeaderValue value)
    {
        value = default;
        BasicPropertyFlags flag = FlagOf(property);
        if (flag == BasicPropertyFlags.None || !BasicPropertiesReader.TryFind(properties, flag, out ReadOnlySpan<byte> found)) return false;
        value = flag == BasicPropertyFlags.Timestamp
            ? new HeaderValue(ArgumentKind.Timestamp, BinaryPrimitives.ReadInt64BigEndian(found), 0, default)
            : new HeaderValue(ArgumentKind.Text, 0, 0, found);
        return true;
    }

    public byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies) => DeathHeaders.Write(message, in death, keepsCarbonCopies);

    public DeathPlace? FindLastDeath(Message message) => DeathHeaders.FindLast(message);

    public bool HasCycle(Message message, Utf8Name queue) => DeathHeaders.HasCycle(message, queue);

    public byte[] AfterDelay(ReadOnlySpan<byte> properties) => DelayHeader.Negate(properties);

    private static BasicPropertyFlags FlagOf(MessageProperty property) => property switch
    {
        MessageProperty.MessageId => BasicPropertyFlags.MessageId,
        MessageProperty.CorrelationId => BasicPropertyFlags.CorrelationId,
        MessageProperty.Timestamp or MessageProperty.CreationTime => BasicPropertyFlags.Timestamp,
        MessageProperty.UserId => BasicPropertyFlags.UserId,
        MessageProperty.ReplyTo => BasicPropertyFlags.ReplyTo,
        MessageProperty.ContentType => BasicPropertyFlags.ContentType,
        MessageProperty.ContentEncoding => BasicPropertyFlags.ContentEncoding,
        MessageProperty.GroupId => BasicPropertyFlags.AppId,
        MessageProperty.Type => BasicPropertyFlags.Type,
        _ => BasicPropertyFlags.None,
    };
}
