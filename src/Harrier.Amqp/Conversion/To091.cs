using System.Buffers;
using System.Text.Unicode;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Makes 0-9-1 messages of 1.0 messages, as RabbitMQ does (behaviour note 113, docs/conversion.md).</summary>
internal static class To091
{
    /// <summary>Bytes of headers that a converted message has at most, for they go in one frame: those that come behind are left out.</summary>
    public const int HeadersSizeMax = 64 << 10;

    // The flags, the headers' length, and every property at its longest.
    private const int PropertiesSizeMax = 4 << 10;

    /// <summary>The type of a message whose body is encoded 1.0 sections.</summary>
    internal static ReadOnlySpan<byte> EncodedType => "amqp-1.0"u8;

    /// <summary>The message in the other protocol's format: one more, with one reference, the caller's.</summary>
    /// <param name="message">A message of <see cref="MessageFormat10"/> that was checked when it was published.</param>
    public static Message Convert(Message message)
    {
        Sections10 sections = Sections10.Find(message.Properties);
        bool isData = Body10.IsData(message.Body, out int dataSize);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PropertiesSizeMax + HeadersSizeMax);
        try
        {
            ReadOnlySpan<byte> properties = Write(sections, isData, buffer);
            int bodySize = isData ? dataSize : message.BodySize;
            Message converted = Message.Rent(MessageFormat091.Instance, message.ExchangeBytes, message.RoutingKeyBytes, properties, bodySize);
            if (isData) AppendData(message.Body, converted, bodySize);
            else converted.AppendBody(message.Body, bodySize);
            converted.TakeAfter(message);
            return converted;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void AppendData(ReadOnlySpan<byte> body, Message to, int bodySize)
    {
        var reader = new SectionReader10(body);
        while (reader.TryRead(out SectionKind kind, out Value10 value))
            if (kind == SectionKind.Data) to.AppendBody(value.Content, bodySize);
    }

    private static ReadOnlySpan<byte> Write(Sections10 sections, bool isData, Span<byte> buffer)
    {
        PublishSections10 publish = default;
        publish.Take(in sections);
        MessageProperties from = sections.ReadProperties();
        Span<byte> scratch = stackalloc byte[byte.MaxValue];
        var properties = new PropertyWriter091(buffer);
        if (!from.ContentType.IsNull) properties.AddText(BasicPropertyFlags.ContentType, from.ContentType);
        if (!from.ContentEncoding.IsNull) properties.AddText(BasicPropertyFlags.ContentEncoding, from.ContentEncoding);
        properties.AddHeaders(WriteHeaders(sections, from, properties.RoomForHeaders(HeadersSizeMax)));
        properties.AddOctet(BasicPropertyFlags.DeliveryMode, publish.IsDurable ? (byte)2 : (byte)1);
        if (publish.Priority is { } priority) properties.AddOctet(BasicPropertyFlags.Priority, priority);
        if (MessageIds.TryFormat(Value10.Of(from.CorrelationId), scratch, out ReadOnlySpan<byte> id)) properties.AddText(BasicPropertyFlags.CorrelationId, id);
        if (Value10.Of(from.ReplyTo) is { IsString: true } replyTo)
        {
            bool isQueue = QueueAddress.TryParse(replyTo.Content, scratch, out ReadOnlySpan<byte> queue);
            properties.AddText(BasicPropertyFlags.ReplyTo, isQueue ? queue : replyTo.Content);
        }
        if (publish.TimeToLiveMs is { } timeMs) properties.AddText(BasicPropertyFlags.Expiration, MessageIds.DigitsOf(timeMs, scratch));
        if (MessageIds.TryFormat(Value10.Of(from.MessageId), scratch, out id)) properties.AddText(BasicPropertyFlags.MessageId, id);
        if (from.CreationTime is { } createdMs) properties.AddTimestamp(Times.SecondsOf(createdMs));
        Value10 type = MapReader10.Find(sections.MessageAnnotations, "x-basic-type"u8);
        if (!isData) properties.AddText(BasicPropertyFlags.Type, EncodedType);
        else if (type.IsText) properties.AddText(BasicPropertyFlags.Type, type.Content);
        if (IsUserName(from.UserId)) properties.AddText(BasicPropertyFlags.UserId, from.UserId);
        if (!from.GroupId.IsNull) properties.AddText(BasicPropertyFlags.AppId, from.GroupId);
        return properties.End();
    }

    // Any bytes in 1.0, a text in 0-9-1.
    private static bool IsUserName(ReadOnlySpan<byte> userId) => !userId.IsNull && Utf8.IsValid(userId) && !userId.Contains((byte)0);

    /// <summary>Annotations first, for of headers with one name the first counts, and application properties are the publisher's.</summary>
    private static int WriteHeaders(Sections10 sections, MessageProperties properties, Span<byte> to)
    {
        var headers = new HeaderWriter091(to);
        bool isRoomLeft = true;
        var annotations = new MapReader10(sections.MessageAnnotations);
        while (isRoomLeft && annotations.TryRead(out Value10 key, out Value10 value)) isRoomLeft = TryAddAnnotation(key.Text, value, ref headers);
        isRoomLeft = isRoomLeft && TryAddLongId("x-message-id"u8, Value10.Of(properties.MessageId), ref headers);
        isRoomLeft = isRoomLeft && TryAddLongId("x-correlation-id"u8, Value10.Of(properties.CorrelationId), ref headers);
        var application = new MapReader10(sections.ApplicationProperties);
        while (isRoomLeft && application.TryRead(out Value10 key, out Value10 value))
            if (key.IsString) isRoomLeft = headers.TryAdd(key.Content, value);
        return headers.Written.Length;
    }

    private static bool TryAddAnnotation(ReadOnlySpan<byte> name, Value10 value, ref HeaderWriter091 headers)
    {
        if (!name.StartsWith("x-"u8) || IsInternal(name) || name.SequenceEqual("x-death"u8)) return true;
        if (name.SequenceEqual("x-cc"u8)) return headers.TryAdd("CC"u8, value);
        if (!name.SequenceEqual("x-opt-deaths"u8)) return headers.TryAdd(name, value);
        ArrayReader deaths = value.ReadArray();
        return deaths.Code is not (FormatCode.Map8 or FormatCode.Map32) || headers.TryAddDeaths(deaths);
    }

    /// <summary>An id that the property cannot hold becomes a header.</summary>
    private static bool TryAddLongId(ReadOnlySpan<byte> name, Value10 id, ref HeaderWriter091 headers)
    {
        if (id.IsBinary) return headers.TryAdd(name, FieldType.ByteArray, id.Content);
        return !id.IsString || id.Content.Length <= byte.MaxValue || headers.TryAdd(name, FieldType.LongString, id.Content);
    }

    /// <summary>Whether it is the name of an annotation that brokers write for 1.0 clients, and 0-9-1 has what it says elsewhere.</summary>
    internal static bool IsInternal(ReadOnlySpan<byte> name) =>
        name.StartsWith("x-basic-"u8) || name.SequenceEqual("x-exchange"u8) || name.SequenceEqual("x-routing-key"u8);
}
