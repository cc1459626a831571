using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Reads a table to its last value and writes down what was found.</summary>
internal static class FieldWalk
{
    /// <summary>The bytes of a table from what the reader says of it; must be what went in.</summary>
    public static byte[] Reencode(ReadOnlySpan<byte> fields)
    {
        var writer = new ReferenceWriter();
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            Hostile.AssertInside(fields, name);
            Hostile.AssertInside(fields, value.Bytes);
            writer.Shortstr(new Octets(name));
            Reencode(value, writer);
        }
        return writer.ToArray();
    }

    private static byte[] ReencodeItems(ReadOnlySpan<byte> items)
    {
        var writer = new ReferenceWriter();
        var reader = new FieldTableReader(items);
        while (reader.TryReadItem(out FieldValueBytes value))
        {
            Hostile.AssertInside(items, value.Bytes);
            Reencode(value, writer);
        }
        return writer.ToArray();
    }

    private static void Reencode(FieldValueBytes value, ReferenceWriter writer)
    {
        writer.Octet((byte)value.Type);
        switch (value.Type)
        {
            case FieldType.Table: writer.Longstr(new Octets(Reencode(value.Bytes))); break;
            case FieldType.Array: writer.Longstr(new Octets(ReencodeItems(value.Bytes))); break;
            case FieldType.LongString or FieldType.ByteArray: writer.Longstr(new Octets(value.Bytes)); break;
            default:
                value.Bytes.Length.ShouldBe(FieldGen.Sizes[value.Type]);
                writer.Raw(value.Bytes);
                ReadNumber(value);
                break;
        }
    }

    // The conversions must not fail on a value that has been read.
    private static void ReadNumber(FieldValueBytes value)
    {
        if (value.Type is FieldType.Float or FieldType.Double) _ = value.AsDouble();
        else if (value.Type is not (FieldType.Void or FieldType.Decimal)) _ = value.AsInteger();
    }
}
