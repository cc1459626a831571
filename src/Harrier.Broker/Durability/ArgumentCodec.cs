using Harrier.Broker.Messages;
using Harrier.Storage.Disk;

namespace Harrier.Broker.Durability;

/// <summary>Writes and reads argument tables in ops: a count, then name, kind and value of each.</summary>
internal static class ArgumentCodec
{
    // As deep as the protocols let tables nest.
    private const int DepthMax = 128;

    public static void Write(OpWriter writer, ArgumentTable table)
    {
        writer.Number(table.Count);
        foreach (Argument field in table)
        {
            writer.Text(field.Name);
            Write(writer, field.Value);
        }
    }

    public static ArgumentTable Read(ref OpReader reader, int depth = 0)
    {
        if (depth > DepthMax) throw new DataDamagedException("an op of the log holds arguments that nest too deep");
        var fields = new Argument[reader.Count()];
        for (int i = 0; i < fields.Length; i++) fields[i] = new Argument(reader.Text(), ReadValue(ref reader, depth));
        return fields.Length == 0 ? ArgumentTable.Empty : new ArgumentTable(fields);
    }

    private static void Write(OpWriter writer, in ArgumentValue value)
    {
        writer.Byte((byte)value.Kind);
        switch (value.Kind)
        {
            case ArgumentKind.Void: break;
            case ArgumentKind.Float or ArgumentKind.Double: writer.Fixed(BitConverter.DoubleToInt64Bits(value.Real)); break;
            case ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Decimal: writer.Bytes(value.Content); break;
            case ArgumentKind.Array:
                writer.Number(value.Items.Count);
                foreach (ArgumentValue item in value.Items) Write(writer, in item);
                break;
            case ArgumentKind.Table: Write(writer, value.Table); break;
            default: writer.Fixed(value.Integer); break;
        }
    }

    private static ArgumentValue ReadValue(ref OpReader reader, int depth)
    {
        var kind = (ArgumentKind)reader.Byte();
        switch (kind)
        {
            case ArgumentKind.Void: return default;
            case ArgumentKind.Float or ArgumentKind.Double: return ArgumentValue.OfReal(kind, BitConverter.Int64BitsToDouble(reader.Fixed()));
            case ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Decimal: return ArgumentValue.OfBytes(kind, reader.Bytes());
            case ArgumentKind.Table: return ArgumentValue.Of(Read(ref reader, depth + 1));
            case ArgumentKind.Array:
                if (depth >= DepthMax) throw new DataDamagedException("an op of the log holds arguments that nest too deep");
                var items = new ArgumentValue[reader.Count()];
                for (int i = 0; i < items.Length; i++) items[i] = ReadValue(ref reader, depth + 1);
                return ArgumentValue.Of(items);
            case <= ArgumentKind.Timestamp: return ArgumentValue.OfInteger(kind, reader.Fixed());
            default: throw new DataDamagedException($"an op of the log holds an argument of kind {(byte)kind}, which this Harrier does not know");
        }
    }
}
