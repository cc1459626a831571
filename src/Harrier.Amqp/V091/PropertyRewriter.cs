using System.Buffers;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// Rewrites the property section of a message in the two cases in which the broker must change it; everything else in it stays as it came, in its
/// order (behaviour note 75).
/// </summary>
internal static class PropertyRewriter
{
    /// <summary>Another value for the reply-to property.</summary>
    public static byte[] WithReplyTo(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> replyTo)
    {
        byte[] value = [(byte)replyTo.Length, .. replyTo];
        return Replace(properties, BasicPropertyFlags.ReplyTo, value);
    }

    /// <summary>Without one field of the headers table.</summary>
    public static byte[] WithoutHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> unwanted)
    {
        var kept = new FieldTableWriter();
        BasicPropertiesReader.TryFind(properties, BasicPropertyFlags.Headers, out ReadOnlySpan<byte> headers);
        var reader = new FieldTableReader(headers);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            if (!name.SequenceEqual(unwanted)) kept.Add(name, value.Type, value.Bytes);

        byte[] table = new byte[4 + kept.Written.Length];
        new WireWriter(table).WriteTable(kept.Written);
        return Replace(properties, BasicPropertyFlags.Headers, table);
    }

    private static byte[] Replace(ReadOnlySpan<byte> properties, BasicPropertyFlags which, ReadOnlySpan<byte> encoded)
    {
        var rewritten = new ArrayBufferWriter<byte>(properties.Length + encoded.Length);
        rewritten.Write(properties[..2]); // the flags: what is replaced is there
        var reader = new BasicPropertiesReader(properties);
        int at = 2;
        while (reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            int lengthSize = LengthSize(property);
            int size = lengthSize + value.Length;
            rewritten.Write(property == which ? encoded : properties.Slice(at, size));
            at += size;
        }
        return rewritten.WrittenSpan.ToArray();
    }

    private static int LengthSize(BasicPropertyFlags property) => property switch
    {
        BasicPropertyFlags.Headers => 4,
        BasicPropertyFlags.DeliveryMode or BasicPropertyFlags.Priority or BasicPropertyFlags.Timestamp => 0,
        _ => 1,
    };
}
