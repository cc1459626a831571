using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Writes the values of 0-9-1 fields as 1.0 values (docs/conversion.md).</summary>
internal static class ValueConverter10
{
    /// <summary>Whether 1.0 has a value for it: all but decimals, which 1.0 has another kind of, and what is nested too deep.</summary>
    public static bool IsCarried(FieldType type, int depth) =>
        type != FieldType.Decimal && (type is not (FieldType.Array or FieldType.Table) || depth < ValueReader.DepthMax);

    /// <summary>Writes a value that is carried.</summary>
    public static void Write(FieldValueBytes value, int depth, ref ValueWriter writer)
    {
        switch (value.Type)
        {
            case FieldType.Boolean: writer.WriteBoolean(value.AsInteger() != 0); break;
            case FieldType.SignedByte: writer.WriteByte((sbyte)value.AsInteger()); break;
            case FieldType.UnsignedByte: writer.WriteUByte((byte)value.AsInteger()); break;
            case FieldType.SignedShort: writer.WriteShort((short)value.AsInteger()); break;
            case FieldType.UnsignedShort: writer.WriteUShort((ushort)value.AsInteger()); break;
            case FieldType.SignedInt: writer.WriteInt((int)value.AsInteger()); break;
            case FieldType.UnsignedInt: writer.WriteUInt((uint)value.AsInteger()); break;
            case FieldType.SignedLong or FieldType.SignedLongL: writer.WriteLong(value.AsInteger()); break;
            case FieldType.Float: writer.WriteFloat(BinaryPrimitives.ReadSingleBigEndian(value.Bytes)); break;
            case FieldType.Double: writer.WriteDouble(value.AsDouble()); break;
            case FieldType.Timestamp: writer.WriteTimestamp(Times.MillisecondsOf(value.AsInteger())); break;
            case FieldType.LongString: WriteText(value.Bytes, ref writer); break;
            case FieldType.ByteArray: writer.WriteBinary(value.Bytes); break;
            case FieldType.Array: WriteList(value.Bytes, depth, ref writer); break;
            case FieldType.Table: WriteMap(value.Bytes, depth, ref writer); break;
            default: writer.WriteNull(); break;
        }
    }

    /// <summary>A string, or a binary for what is none: a long string of 0-9-1 may be any bytes.</summary>
    public static void WriteText(ReadOnlySpan<byte> text, ref ValueWriter writer)
    {
        if (Utf8.IsValid(text) && !text.Contains((byte)0)) writer.WriteString(text);
        else writer.WriteBinary(text);
    }

    private static void WriteList(ReadOnlySpan<byte> items, int depth, ref ValueWriter writer)
    {
        int list = writer.BeginList();
        int count = 0;
        var reader = new FieldTableReader(items);
        while (reader.TryReadItem(out FieldValueBytes item))
        {
            if (!IsCarried(item.Type, depth + 1)) continue;
            Write(item, depth + 1, ref writer);
            count++;
        }
        writer.End(list, count);
    }

    // The keys are symbols as those of annotations are, as far as they are ASCII.
    private static void WriteMap(ReadOnlySpan<byte> fields, int depth, ref ValueWriter writer)
    {
        int map = writer.BeginMap();
        int count = 0;
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            if (!IsCarried(value.Type, depth + 1)) continue;
            if (Ascii.IsValid(name)) writer.WriteSymbol(name);
            else if (Utf8.IsValid(name)) writer.WriteString(name);
            else continue;
            Write(value, depth + 1, ref writer);
            count += 2;
        }
        writer.End(map, count);
    }
}
