using System.Text;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Turns field tables into the broker's arguments.</summary>
internal static class Arguments091
{
    /// <summary>Reads the encoded fields of a table. Throws 501 or 502 when they are malformed.</summary>
    public static ArgumentTable Read(ReadOnlySpan<byte> fields)
    {
        if (fields.IsEmpty) return ArgumentTable.Empty;
        FieldTableReader.Validate(fields); // bounds the recursion below
        return ReadTable(fields);
    }

    private static ArgumentTable ReadTable(ReadOnlySpan<byte> fields)
    {
        var read = new List<Argument>();
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            read.Add(new Argument(Encoding.UTF8.GetString(name), Read(value)));
        return new ArgumentTable([.. read]);
    }

    private static ArgumentValue[] ReadArray(ReadOnlySpan<byte> items)
    {
        var read = new List<ArgumentValue>();
        var reader = new FieldTableReader(items);
        while (reader.TryReadItem(out FieldValueBytes value)) read.Add(Read(value));
        return [.. read];
    }

    private static ArgumentValue Read(FieldValueBytes value) => value.Type switch
    {
        FieldType.Void => default,
        FieldType.LongString or FieldType.ByteArray or FieldType.Decimal => ArgumentValue.OfBytes(KindOf(value.Type), value.Bytes),
        FieldType.Float or FieldType.Double => ArgumentValue.OfReal(KindOf(value.Type), value.AsDouble()),
        FieldType.Table => ArgumentValue.Of(ReadTable(value.Bytes)),
        FieldType.Array => ArgumentValue.Of(ReadArray(value.Bytes)),
        _ => ArgumentValue.OfInteger(KindOf(value.Type), value.AsInteger()),
    };

    /// <summary>The broker's kind for a type octet.</summary>
    public static ArgumentKind KindOf(FieldType type) => type switch
    {
        FieldType.Boolean => ArgumentKind.Boolean,
        FieldType.SignedByte => ArgumentKind.SignedByte,
        FieldType.UnsignedByte => ArgumentKind.UnsignedByte,
        FieldType.SignedShort => ArgumentKind.SignedShort,
        FieldType.UnsignedShort => ArgumentKind.UnsignedShort,
        FieldType.SignedInt => ArgumentKind.SignedInt,
        FieldType.UnsignedInt => ArgumentKind.UnsignedInt,
        FieldType.SignedLong or FieldType.SignedLongL => ArgumentKind.SignedLong,
        FieldType.Float => ArgumentKind.Float,
        FieldType.Double => ArgumentKind.Double,
        FieldType.Decimal => ArgumentKind.Decimal,
        FieldType.LongString => ArgumentKind.Text,
        FieldType.Array => ArgumentKind.Array,
        FieldType.Timestamp => ArgumentKind.Timestamp,
        FieldType.Table => ArgumentKind.Table,
        FieldType.ByteArray => ArgumentKind.Bytes,
        _ => ArgumentKind.Void,
    };
}
