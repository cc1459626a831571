using System.Text;
using System.Text.Unicode;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>Turns maps of 1.0 into the broker's arguments and back, with the types that RabbitMQ gives them.</summary>
internal static class Arguments10
{
    /// <summary>Values that the arguments of a request may hold, all levels counted: an array of very many may take no bytes.</summary>
    public const int CountMax = 4096;

    /// <summary>Reads a map that was seen to be well-formed, which bounds the recursion. What has no place among arguments is refused with 400.</summary>
    public static ArgumentTable Read(Value10 map)
    {
        int left = CountMax;
        return ReadTable(map, ref left);
    }

    /// <summary>Writes a map.</summary>
    public static void Write(ref ValueWriter writer, ArgumentTable table)
    {
        int map = writer.BeginMap();
        foreach (Argument argument in table)
        {
            writer.WriteString(Encoding.UTF8.GetBytes(argument.Name));
            Write(ref writer, argument.Value);
        }
        writer.End(map, 2 * table.Count);
    }

    private static ArgumentTable ReadTable(Value10 map, ref int left)
    {
        var arguments = new List<Argument>();
        var reader = new MapReader10(map);
        while (reader.TryRead(out Value10 key, out Value10 value))
        {
            bool isName = key.IsText && key.Content.Length <= Utf8Name.SizeMax && Utf8.IsValid(key.Content);
            if (!isName || !TryRead(value, ref left, out ArgumentValue read)) throw RequestErrors.UnsupportedArgument(key, value);
            arguments.Add(new Argument(Encoding.UTF8.GetString(key.Content), read));
        }
        return arguments.Count == 0 ? ArgumentTable.Empty : new ArgumentTable([.. arguments]);
    }

    private static bool TryRead(Value10 value, ref int left, out ArgumentValue read)
    {
        if (left-- == 0) throw RequestErrors.TooManyArguments(CountMax);
        read = default;
        if (value.IsNull) return true;
        if (value.IsText) read = ArgumentValue.OfBytes(ArgumentKind.Text, value.Content);
        else if (value.IsBinary) read = ArgumentValue.OfBytes(ArgumentKind.Bytes, value.Content);
        else if (value.Boolean is { } boolean) read = ArgumentValue.Of(boolean);
        else if (value.Integer is { } integer) read = ArgumentValue.OfInteger(KindOf(value.Code), integer);
        else if (value.Real is { } real) read = ArgumentValue.OfReal(value.Code == FormatCode.Float ? ArgumentKind.Float : ArgumentKind.Double, real);
        else if (value.TimestampMs is { } timeMs) read = ArgumentValue.OfInteger(ArgumentKind.Timestamp, Times.SecondsOf(timeMs));
        else if (value.IsMap) read = ArgumentValue.Of(ReadTable(value, ref left));
        else if (value.IsList) return TryReadList(value, ref left, out read);
        else if (value.IsArray) return TryReadArray(value, ref left, out read);
        else return false;
        return true;
    }

    private static bool TryReadList(Value10 list, ref int left, out ArgumentValue read)
    {
        read = default;
        var items = new List<ArgumentValue>();
        var reader = new ListReader10(list);
        while (reader.Left > 0)
        {
            if (!TryRead(reader.Read(), ref left, out ArgumentValue item)) return false;
            items.Add(item);
        }
        read = ArgumentValue.Of([.. items]);
        return true;
    }

    private static bool TryReadArray(Value10 array, ref int left, out ArgumentValue read)
    {
        read = default;
        ArrayReader reader = array.ReadArray();
        if (reader.IsDescribed) return false;
        var items = new List<ArgumentValue>();
        while (reader.Count > 0)
        {
            if (!TryRead(Value10.ReadItem(ref reader), ref left, out ArgumentValue item)) return false;
            items.Add(item);
        }
        read = ArgumentValue.Of([.. items]);
        return true;
    }

    private static ArgumentKind KindOf(FormatCode code) => code switch
    {
        FormatCode.UByte => ArgumentKind.UnsignedByte,
        FormatCode.Byte => ArgumentKind.SignedByte,
        FormatCode.UShort => ArgumentKind.UnsignedShort,
        FormatCode.Short => ArgumentKind.SignedShort,
        FormatCode.UInt or FormatCode.SmallUInt or FormatCode.UInt0 => ArgumentKind.UnsignedInt,
        FormatCode.Int or FormatCode.SmallInt => ArgumentKind.SignedInt,
        _ => ArgumentKind.SignedLong,
    };

    private static void Write(ref ValueWriter writer, in ArgumentValue value)
    {
        switch (value.Kind)
        {
            case ArgumentKind.Void: writer.WriteNull(); break;
            case ArgumentKind.Boolean: writer.WriteBoolean(value.Integer != 0); break;
            case ArgumentKind.SignedByte: writer.WriteByte((sbyte)value.Integer); break;
            case ArgumentKind.UnsignedByte: writer.WriteUByte((byte)value.Integer); break;
            case ArgumentKind.SignedShort: writer.WriteShort((short)value.Integer); break;
            case ArgumentKind.UnsignedShort: writer.WriteUShort((ushort)value.Integer); break;
            case ArgumentKind.SignedInt: writer.WriteInt((int)value.Integer); break;
            case ArgumentKind.UnsignedInt: writer.WriteUInt((uint)value.Integer); break;
            case ArgumentKind.SignedLong: writer.WriteLong(value.Integer); break;
            case ArgumentKind.Float: writer.WriteFloat((float)value.Real); break;
            case ArgumentKind.Double: writer.WriteDouble(value.Real); break;
            case ArgumentKind.Timestamp: writer.WriteTimestamp(Times.MillisecondsOf(value.Integer)); break;
            case ArgumentKind.Text when Utf8.IsValid(value.Content): writer.WriteString(value.Content); break;
            case ArgumentKind.Text or ArgumentKind.Bytes: writer.WriteBinary(value.Content); break;
            case ArgumentKind.Array: WriteList(ref writer, value.Items); break;
            case ArgumentKind.Table: Write(ref writer, value.Table); break;
            default: writer.WriteString(Encoding.UTF8.GetBytes(value.Text)); break; // a decimal of 0-9-1, which is none of 1.0
        }
    }

    private static void WriteList(ref ValueWriter writer, IReadOnlyList<ArgumentValue> items)
    {
        int list = writer.BeginList();
        foreach (ArgumentValue item in items) Write(ref writer, item);
        writer.End(list, items.Count);
    }
}
