using System.Globalization;
using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>Values of 1.0 as tests write them, and as text: {"name": "q", "durable": true, "message_count": 3 ulong}.</summary>
internal static class Any10
{
    /// <summary>A map of strings to any values.</summary>
    public static Dictionary<string, object?> Map(params (string Key, object? Value)[] entries) => entries.ToDictionary(e => e.Key, e => e.Value);

    public static byte[] Encode(object? value)
    {
        var writer = new ValueWriter(new byte[64]);
        Write(ref writer, value);
        byte[] encoded = writer.Written.ToArray();
        writer.Dispose();
        return encoded;
    }

    public static string Text(ReadOnlySpan<byte> encoded)
    {
        var reader = new ValueReader(encoded);
        return Text(Value10.Read(ref reader));
    }

    private static void Write(ref ValueWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNull(); break;
            case bool boolean: writer.WriteBoolean(boolean); break;
            case string text: writer.WriteString(Encoding.UTF8.GetBytes(text)); break;
            case Symbol symbol: writer.WriteSymbol(Encoding.ASCII.GetBytes(symbol.Text)); break;
            case byte[] bytes: writer.WriteBinary(bytes); break;
            case sbyte number: writer.WriteByte(number); break;
            case byte number: writer.WriteUByte(number); break;
            case short number: writer.WriteShort(number); break;
            case ushort number: writer.WriteUShort(number); break;
            case int number: writer.WriteInt(number); break;
            case uint number: writer.WriteUInt(number); break;
            case long number: writer.WriteLong(number); break;
            case ulong number: writer.WriteULong(number); break;
            case float number: writer.WriteFloat(number); break;
            case double number: writer.WriteDouble(number); break;
            case DateTimeOffset time: writer.WriteTimestamp(time.ToUnixTimeMilliseconds()); break;
            case Guid uuid: writer.WriteUuid(uuid.ToByteArray(bigEndian: true)); break;
            case Encoded encoded: writer.WriteRaw(encoded.Bytes); break;
            case Dictionary<string, object?> map: WriteMap(ref writer, map); break;
            case object?[] items: WriteList(ref writer, items); break;
            default: throw new ArgumentException($"no 1.0 for {value.GetType()}");
        }
    }

    private static void WriteMap(ref ValueWriter writer, Dictionary<string, object?> map)
    {
        int mark = writer.BeginMap();
        foreach ((string key, object? value) in map)
        {
            writer.WriteString(Encoding.UTF8.GetBytes(key));
            Write(ref writer, value);
        }
        writer.End(mark, 2 * map.Count);
    }

    private static void WriteList(ref ValueWriter writer, object?[] items)
    {
        int mark = writer.BeginList();
        foreach (object? item in items) Write(ref writer, item);
        writer.End(mark, items.Length);
    }

    private static string Text(Value10 value)
    {
        if (value.IsNull) return "null";
        if (value.IsString) return $"\"{Encoding.UTF8.GetString(value.Content)}\"";
        if (value.IsSymbol) return $":{Encoding.UTF8.GetString(value.Content)}";
        if (value.IsBinary) return $"<{Convert.ToHexString(value.Content)}>";
        if (value.Boolean is { } boolean) return boolean ? "true" : "false";
        if (value.Integer is { } integer) return $"{integer} {TypeOf(value.Code)}";
        if (value.Real is { } real) return $"{real.ToString("R", CultureInfo.InvariantCulture)} {TypeOf(value.Code)}";
        if (value.TimestampMs is { } timeMs) return $"{timeMs} ms";
        return value.IsMap ? $"{{{string.Join(", ", Entries(value))}}}" : $"[{string.Join(", ", Items(value))}]";
    }

    private static List<string> Entries(Value10 map)
    {
        var entries = new List<string>();
        var reader = new MapReader10(map);
        while (reader.TryRead(out Value10 key, out Value10 value)) entries.Add($"{Text(key)}: {Text(value)}");
        return entries;
    }

    private static List<string> Items(Value10 value)
    {
        var items = new List<string>();
        if (value.IsArray)
        {
            ArrayReader array = value.ReadArray();
            while (array.Count > 0) items.Add(Text(Value10.ReadItem(ref array)));
            return items;
        }
        var list = new ListReader10(value);
        while (list.Left > 0) items.Add(Text(list.Read()));
        return items;
    }

    private static string TypeOf(FormatCode code) => code switch
    {
        FormatCode.SmallUInt or FormatCode.UInt0 => "uint",
        FormatCode.SmallInt => "int",
        FormatCode.SmallULong or FormatCode.ULong0 => "ulong",
        FormatCode.SmallLong => "long",
        _ => code.ToString().ToLowerInvariant(),
    };
}

/// <summary>A symbol of 1.0.</summary>
internal sealed record Symbol(string Text);

/// <summary>A value that is encoded already.</summary>
internal sealed record Encoded(params byte[] Bytes);
