using System.Buffers.Binary;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// Rewrites the property section of a message in the cases in which the broker must change it; everything else in it stays as it came, in its
/// order (behaviour note 75).
/// </summary>
internal static class PropertyRewriter
{
    private const int FlagsSize = sizeof(ushort);

    /// <summary>Another value for the reply-to property.</summary>
    public static byte[] WithReplyTo(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> replyTo)
    {
        byte[] value = [(byte)replyTo.Length, .. replyTo];
        return Replace(properties, BasicPropertyFlags.ReplyTo, value, default);
    }

    /// <summary>With another headers table, of which these are the encoded fields.</summary>
    public static byte[] WithHeaders(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> fields)
    {
        Span<byte> size = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(size, (uint)fields.Length);
        return Replace(properties, BasicPropertyFlags.Headers, size, fields);
    }

    /// <summary>Without one field of the headers table.</summary>
    public static byte[] WithoutHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> unwanted)
    {
        var kept = new FieldTableWriter();
        var reader = new FieldTableReader(HeadersOf(properties));
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            if (!name.SequenceEqual(unwanted)) kept.Add(name, value.Type, value.Bytes);
        return WithHeaders(properties, kept.Written);
    }

    /// <summary>Without one of the properties; the section itself when it has no such property.</summary>
    public static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> properties, BasicPropertyFlags unwanted)
    {
        (int at, int size) = Locate(properties, unwanted);
        if (size == 0) return properties;
        byte[] rewritten = new byte[properties.Length - size];
        var writer = new WireWriter(rewritten);
        writer.WriteShort((ushort)(FlagsOf(properties) & ~unwanted));
        writer.WriteRaw(properties[FlagsSize..at]);
        writer.WriteRaw(properties[(at + size)..]);
        return rewritten;
    }

    /// <summary>The encoded fields of the headers table; none when there is no such table.</summary>
    public static ReadOnlySpan<byte> HeadersOf(ReadOnlySpan<byte> properties) =>
        BasicPropertiesReader.TryFind(properties, BasicPropertyFlags.Headers, out ReadOnlySpan<byte> headers) ? headers : default;

    /// <summary>Puts a property in its place, which is the same whether it was there before or not. Its encoding comes in two parts.</summary>
    private static byte[] Replace(ReadOnlySpan<byte> properties, BasicPropertyFlags which, ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest)
    {
        (int at, int size) = Locate(properties, which);
        byte[] rewritten = new byte[properties.Length - size + head.Length + rest.Length];
        var writer = new WireWriter(rewritten);
        writer.WriteShort((ushort)(FlagsOf(properties) | which));
        writer.WriteRaw(properties[FlagsSize..at]);
        writer.WriteRaw(head);
        writer.WriteRaw(rest);
        writer.WriteRaw(properties[(at + size)..]);
        return rewritten;
    }

    /// <summary>Where a property stands and how many bytes it takes; where it belongs, and 0, when it is absent.</summary>
    private static (int At, int Size) Locate(ReadOnlySpan<byte> properties, BasicPropertyFlags wanted)
    {
        var reader = new BasicPropertiesReader(properties);
        int at = FlagsSize;
        while (reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value) && property >= wanted)
        {
            int size = LengthSize(property) + value.Length;
            if (property == wanted) return (at, size);
            at += size;
        }
        return (at, 0);
    }

    private static BasicPropertyFlags FlagsOf(ReadOnlySpan<byte> properties) => (BasicPropertyFlags)BinaryPrimitives.ReadUInt16BigEndian(properties);

    private static int LengthSize(BasicPropertyFlags property) => property switch
    {
        BasicPropertyFlags.Headers => 4,
        BasicPropertyFlags.DeliveryMode or BasicPropertyFlags.Priority or BasicPropertyFlags.Timestamp => 0,
        _ => 1,
    };
}
