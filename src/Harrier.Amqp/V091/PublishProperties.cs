using System.Buffers.Text;
using System.Text;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// What the broker itself heeds of the properties of a message that is being published. Reading them checks the whole property section, so that nothing
/// malformed reaches a consumer.
/// </summary>
internal readonly ref struct PublishProperties
{
    /// <summary>1 when absent: not persistent (behaviour note 74).</summary>
    public byte DeliveryMode { get; private init; }

    /// <summary>As the publisher gave it, or null: any octet is allowed (note 76).</summary>
    public byte? Priority { get; private init; }

    /// <summary>The message's own time to live, or null; 0 is one.</summary>
    public long? ExpirationMs { get; private init; }

    /// <summary>The fields of the headers table.</summary>
    public ReadOnlySpan<byte> Headers { get; private init; }

    public ReadOnlySpan<byte> ReplyTo { get; private init; }

    public ReadOnlySpan<byte> UserId { get; private init; }

    /// <summary>The properties that are there at all.</summary>
    public BasicPropertyFlags Present { get; private init; }

    /// <summary>Reads and checks. Throws 501 or 502 for a malformed section, 406 for a wrong expiration (note 61).</summary>
    public static PublishProperties Read(ReadOnlySpan<byte> properties)
    {
        byte deliveryMode = 1;
        byte? priority = null;
        long? expirationMs = null;
        ReadOnlySpan<byte> headers = default, replyTo = default, userId = default;
        var present = BasicPropertyFlags.None;
        var reader = new BasicPropertiesReader(properties);
        while (reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            present |= property;
            switch (property)
            {
                case BasicPropertyFlags.DeliveryMode: deliveryMode = value[0]; break;
                case BasicPropertyFlags.Priority: priority = value[0]; break;
                case BasicPropertyFlags.ReplyTo: replyTo = value; break;
                case BasicPropertyFlags.UserId: userId = value; break;
                case BasicPropertyFlags.Expiration: expirationMs = ReadExpiration(value); break;
                case BasicPropertyFlags.Headers:
                    FieldTableReader.Validate(value);
                    headers = value;
                    break;
            }
        }
        return new PublishProperties
        {
            DeliveryMode = deliveryMode,
            Priority = priority,
            ExpirationMs = expirationMs,
            Headers = headers,
            ReplyTo = replyTo,
            UserId = userId,
            Present = present,
        };
    }

    /// <summary>The keys of the CC and BCC headers, or null when there are none (notes 47 and 48).</summary>
    public Utf8Name[]? ExtraRoutingKeys(out bool hasBcc)
    {
        hasBcc = false;
        if (Headers.IsEmpty) return null;
        List<Utf8Name>? keys = null;
        if (FieldTableReader.TryFind(Headers, "CC"u8, out FieldValueBytes cc)) AddKeys("CC", cc, ref keys);
        if (FieldTableReader.TryFind(Headers, "BCC"u8, out FieldValueBytes bcc))
        {
            hasBcc = true;
            AddKeys("BCC", bcc, ref keys);
        }
        return keys?.Distinct().ToArray();
    }

    private static void AddKeys(string header, FieldValueBytes value, ref List<Utf8Name>? keys)
    {
        if (value.Type != FieldType.Array) throw ErrorCatalogue.InvalidMessage(header, TypeName(value));
        var reader = new FieldTableReader(value.Bytes);
        while (reader.TryReadItem(out FieldValueBytes item))
        {
            if (item.Type != FieldType.LongString) throw ErrorCatalogue.InvalidMessage(header, TypeName(item));
            if (item.Bytes.Length <= Utf8Name.SizeMax) (keys ??= []).Add(new Utf8Name(item.Bytes)); // a longer key matches no name
        }
    }

    private static string TypeName(FieldValueBytes value) => ArgumentValue.OfInteger(Arguments091.KindOf(value.Type), 0).TypeName;

    private static long ReadExpiration(ReadOnlySpan<byte> value)
    {
        const long TimeMsMax = 315_360_000_000; // ten years, as for the queue's own time to live
        bool isNumber = Utf8Parser.TryParse(value, out long timeMs, out int used) && used > 0;
        if (isNumber && used == value.Length && timeMs is >= 0 and <= TimeMsMax) return timeMs;
        string text = Encoding.UTF8.GetString(value);
        if (!isNumber && value.Length > 0 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            throw ErrorCatalogue.InvalidExpiration(text, $"{{value_too_large,{text}}}"); // more digits than any number has
        if (!isNumber) throw ErrorCatalogue.InvalidExpiration(text, "no_integer");
        if (used < value.Length) throw ErrorCatalogue.InvalidExpiration(text, $"{{leftover_string,\"{text[used..]}\"}}");
        throw ErrorCatalogue.InvalidExpiration(text, timeMs < 0 ? $"{{value_negative,{timeMs}}}" : $"{{value_too_large,{timeMs}}}");
    }
}
