using System.Text;
using System.Text.Unicode;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Makes 1.0 messages of 0-9-1 messages, as RabbitMQ does (behaviour note 113, docs/conversion.md).</summary>
internal static class To10
{
    // Descriptor, constructor and size of a data section.
    private const int DataHeadSizeMax = 8;

    // Descriptor and constructor of a section that is a list without fields.
    private const int EmptyListSize = 4;

    /// <summary>The message in the other protocol's format: one more, with one reference, the caller's.</summary>
    /// <param name="message">A 0-9-1 message that was checked when it was published.</param>
    public static Message Convert(Message message)
    {
        Properties091 from = Properties091.Read(message.Properties);
        bool isEncoded = from.Type.SequenceEqual(To091.EncodedType) && Body10.IsBody(message.Body);
        var writer = new ValueWriter(stackalloc byte[1024]);
        try
        {
            WriteHeader(from, ref writer);
            WriteAnnotations(from, message.HasDeaths, isEncoded, ref writer);
            WriteProperties(from, ref writer);
            WriteApplicationProperties(from.Headers, ref writer);
            return Rent(message, writer.Written, isEncoded);
        }
        finally
        {
            writer.Dispose();
        }
    }

    private static Message Rent(Message message, ReadOnlySpan<byte> properties, bool isEncoded)
    {
        var head = new ValueWriter(stackalloc byte[DataHeadSizeMax]);
        if (!isEncoded)
        {
            head.WriteDescriptor((ulong)SectionKind.Data);
            head.WriteBinaryHead(message.BodySize);
        }
        int bodySize = head.Size + message.BodySize;
        Message converted = Message.Rent(MessageFormat10.Instance, message.ExchangeBytes, message.RoutingKeyBytes, properties, bodySize);
        converted.AppendBody(head.Written, bodySize);
        converted.AppendBody(message.Body, bodySize);
        converted.TakeAfter(message);
        return converted;
    }

    private static void WriteHeader(Properties091 from, ref ValueWriter writer) =>
        new MessageHeader { Durable = from.DeliveryMode == 2, Priority = from.Priority, Ttl = from.ExpirationMs }.Write(ref writer);

    private static void WriteAnnotations(Properties091 from, bool hasDeaths, bool isEncoded, ref ValueWriter writer)
    {
        int section = writer.Size;
        writer.WriteDescriptor((ulong)SectionKind.MessageAnnotations);
        int map = writer.BeginMap();
        int count = 0;
        if (!from.Type.IsNull && !isEncoded)
        {
            writer.WriteSymbol("x-basic-type"u8);
            ValueConverter10.WriteText(from.Type, ref writer);
            count += 2;
        }
        var headers = new FieldTableReader(from.Headers);
        while (headers.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value)) count += WriteAnnotation(name, value, hasDeaths, ref writer);
        writer.End(map, count);
        if (count == 0) writer.CutTo(section);
    }

    /// <summary>How many keys and values were written.</summary>
    private static int WriteAnnotation(ReadOnlySpan<byte> name, FieldValueBytes value, bool hasDeaths, ref ValueWriter writer)
    {
        bool isCarbonCopy = value.Type == FieldType.Array && name.SequenceEqual("CC"u8);
        if (!isCarbonCopy && !IsAnnotation(name) || !ValueConverter10.IsCarried(value.Type, 1)) return 0;
        if (hasDeaths && value.Type == FieldType.Array && name.SequenceEqual("x-death"u8))
        {
            writer.WriteSymbol("x-opt-deaths"u8);
            DeathConversion.Write(value.Bytes, ref writer);
            return 2;
        }
        writer.WriteSymbol(isCarbonCopy ? "x-cc"u8 : name);
        ValueConverter10.Write(value, 1, ref writer);
        return 2;
    }

    // The keys of annotations are symbols, and symbols are ASCII (1.0 part 1, section 1.6.21).
    private static bool IsAnnotation(ReadOnlySpan<byte> name) => name.StartsWith("x-"u8) && Ascii.IsValid(name) && !To091.IsInternal(name);

    private static void WriteProperties(Properties091 from, ref ValueWriter writer)
    {
        var values = new ValueWriter(default); // those that are written as they are, for they may be of several types
        try
        {
            if (!from.MessageId.IsNull) MessageIds.Write(from.MessageId, ref values);
            int correlationAt = values.Size;
            if (!from.CorrelationId.IsNull) MessageIds.Write(from.CorrelationId, ref values);
            int replyAt = values.Size;
            if (!from.ReplyTo.IsNull) WriteReplyTo(from.ReplyTo, ref values);
            var properties = new MessageProperties
            {
                MessageId = values.Written[..correlationAt],
                UserId = from.UserId,
                ReplyTo = values.Written[replyAt..],
                CorrelationId = values.Written[correlationAt..replyAt],
                ContentType = Ascii.IsValid(from.ContentType) ? from.ContentType : default,
                ContentEncoding = Ascii.IsValid(from.ContentEncoding) ? from.ContentEncoding : default,
                CreationTime = from.TimestampSeconds is { } seconds ? Times.MillisecondsOf(seconds) : null,
                GroupId = Utf8.IsValid(from.AppId) ? from.AppId : default,
            };
            int section = writer.Size;
            properties.Write(ref writer);
            if (writer.Size == section + EmptyListSize) writer.CutTo(section);
        }
        finally
        {
            values.Dispose();
        }
    }

    // A name, unless its publisher wrote it as an address, for consumers with 1.0.
    private static void WriteReplyTo(ReadOnlySpan<byte> replyTo, ref ValueWriter writer)
    {
        bool isAddress = (replyTo.StartsWith("/queues/"u8) || replyTo.StartsWith("/exchanges/"u8)) && Utf8.IsValid(replyTo);
        writer.WriteString(isAddress ? replyTo : QueueAddress.Of(replyTo, stackalloc byte[QueueAddress.SizeMax]));
    }

    private static void WriteApplicationProperties(ReadOnlySpan<byte> headers, ref ValueWriter writer)
    {
        int section = writer.Size;
        writer.WriteDescriptor((ulong)SectionKind.ApplicationProperties);
        int map = writer.BeginMap();
        int count = 0;
        var reader = new FieldTableReader(headers);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            // Only simple values may stand there (1.0 part 3, section 3.2.5).
            if (value.Type is FieldType.Array or FieldType.Table || !ValueConverter10.IsCarried(value.Type, 1)) continue;
            if (name.StartsWith("x-"u8) || !Utf8.IsValid(name)) continue;
            writer.WriteString(name);
            ValueConverter10.Write(value, 1, ref writer);
            count += 2;
        }
        writer.End(map, count);
        if (count == 0) writer.CutTo(section);
    }
}
