using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The x-delay header as the delayed-message plugin treats it: negative once the delay is over, so that it can still be read and delays nothing again.</summary>
internal static class DelayHeader
{
    // What a number grows by when it becomes a 64-bit one.
    private const int GrowthMax = 8;

    private static ReadOnlySpan<byte> Name => "x-delay"u8;

    /// <summary>The property section with the delay negated; unchanged when there is none to negate. A signed number keeps its type, others become long.</summary>
    public static byte[] Negate(ReadOnlySpan<byte> properties)
    {
        ReadOnlySpan<byte> headers = PropertyRewriter.HeadersOf(properties);
        if (!FieldTableReader.TryFind(headers, Name, out FieldValueBytes delay) || DelayMs(delay) is not (> 0 and { } delayMs)) return properties.ToArray();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(headers.Length + GrowthMax);
        try
        {
            var fields = new FieldWriter(buffer);
            var reader = new FieldTableReader(headers);
            bool isNegated = false;
            while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            {
                bool isDelay = !isNegated && name.SequenceEqual(Name); // of fields with the same name, the first counts
                if (isDelay) AddNegated(ref fields, value.Type, -delayMs);
                else fields.Add(name, value);
                isNegated |= isDelay;
            }
            return PropertyRewriter.WithHeaders(properties, fields.Written);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The plugin takes texts and floats too when they are numbers.
    private static long? DelayMs(FieldValueBytes value) => value.Type switch
    {
        FieldType.SignedByte or FieldType.UnsignedByte or FieldType.SignedShort or FieldType.UnsignedShort => value.AsInteger(),
        FieldType.SignedInt or FieldType.UnsignedInt or FieldType.SignedLong or FieldType.SignedLongL => value.AsInteger(),
        FieldType.Float or FieldType.Double => (long)value.AsDouble(), // saturates; NaN is 0
        FieldType.LongString when Utf8Parser.TryParse(value.Bytes, out long delayMs, out int used) && used == value.Bytes.Length => delayMs,
        _ => null,
    };

    private static void AddNegated(ref FieldWriter fields, FieldType type, long negated)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, negated);
        int size = type switch
        {
            FieldType.SignedByte => 1,
            FieldType.SignedShort => 2,
            FieldType.SignedInt => 4,
            _ => 8,
        };
        FieldType written = size < 8 || type == FieldType.SignedLongL ? type : FieldType.SignedLong;
        fields.Add(Name, new FieldValueBytes(written, bytes.AsSpan(^size..)));
    }
}
