using System.Buffers.Binary;
using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>Shorthand for the field tables of tests.</summary>
public static class Fields
{
    /// <summary>The encoded fields of a table.</summary>
    public static byte[] Of(params (string Name, object? Value)[] fields) => Table(fields).Written.ToArray();

    /// <summary>A table of bool, int, long, double, string, string[] (array of longstr), byte[] (binary), null (void) or nested fields.</summary>
    public static FieldTableWriter Table(params (string Name, object? Value)[] fields)
    {
        var table = new FieldTableWriter();
        foreach ((string name, object? value) in fields) Add(table, name, value);
        return table;
    }

    /// <summary>The value of an array field, for <see cref="Of"/> and <see cref="Table"/>.</summary>
    public static string[] Texts(params string[] texts) => texts;

    private static void Add(FieldTableWriter table, string name, object? value)
    {
        switch (value)
        {
            case null: table.Add(name, FieldType.Void, []); break;
            case bool boolean: table.Add(name, boolean); break;
            case int number: table.Add(name, number); break;
            case short number: table.Add(name, FieldType.SignedShort, BigEndian(number, 2)); break;
            case sbyte number: table.Add(name, FieldType.SignedByte, BigEndian(number, 1)); break;
            case long number: table.Add(name, FieldType.SignedLong, BigEndian(number, 8)); break;
            case double number: table.Add(name, FieldType.Double, BigEndian(BitConverter.DoubleToInt64Bits(number), 8)); break;
            case string text: table.Add(name, text); break;
            case byte[] bytes: table.Add(name, FieldType.ByteArray, bytes); break;
            case string[] texts: table.Add(name, FieldType.Array, Array(texts)); break;
            case FieldTableWriter nested: table.Add(name, nested); break;
            default: throw new ArgumentException($"no field type for {value.GetType().Name}", nameof(value));
        }
    }

    /// <summary>The encoded items of an array of longstr.</summary>
    public static byte[] Array(params string[] texts)
    {
        var items = new List<byte>();
        foreach (string text in texts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            items.AddRange([(byte)FieldType.LongString, .. BigEndian(bytes.Length, 4), .. bytes]);
        }
        return [.. items];
    }

    private static byte[] BigEndian(long value, int size)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes[(8 - size)..];
    }
}
