using System.Buffers.Binary;
using System.Text;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>A symbol.</summary>
internal sealed record Symbol(string Text);

/// <summary>A timestamp.</summary>
internal sealed record Timestamp(long Ms);

/// <summary>A list.</summary>
internal sealed record Items(params object?[] Values);

/// <summary>A map.</summary>
internal sealed record Pairs(params (object Key, object? Value)[] Entries)
{
    /// <summary>A map whose keys are symbols, as those of annotations.</summary>
    public static Pairs Annotated(params (string Key, object? Value)[] entries) => new([.. entries.Select(e => ((object)new Symbol(e.Key), e.Value))]);

    /// <summary>A map whose keys are strings, as those of application properties.</summary>
    public static Pairs Named(params (string Key, object? Value)[] entries) => new([.. entries.Select(e => ((object)e.Key, e.Value))]);
}

/// <summary>An array: the items have one constructor.</summary>
internal sealed record Same(byte Code, params object?[] Values);

/// <summary>A value of a type that the model does not have, as it stands.</summary>
internal sealed record Raw(string Hex);

/// <summary>A value with a descriptor.</summary>
internal sealed record Described(object Descriptor, object? Value);

/// <summary>AMQP 1.0 values as tests write and read them: byte by byte after the specification, without the code under test (part 1, section 1.6).</summary>
internal static class Model10
{
    /// <summary>A value in the widest form that its type has.</summary>
    public static byte[] Encode(object? value) => value switch
    {
        null => [0x40],
        Raw raw => Convert.FromHexString(raw.Hex),
        Described described => [0x00, .. Encode(described.Descriptor), .. Encode(described.Value)],
        _ => [CodeOf(value), .. Bytes(value)],
    };

    /// <summary>A value as text: its type and what it is.</summary>
    public static string Text(ReadOnlySpan<byte> encoded)
    {
        var reader = new Reader(encoded.ToArray());
        string text = reader.Value();
        reader.IsAtEnd.ShouldBeTrue();
        return text;
    }

    private static byte CodeOf(object value) => value switch
    {
        bool => 0x56,
        byte => 0x50,
        sbyte => 0x51,
        ushort => 0x60,
        short => 0x61,
        uint => 0x70,
        int => 0x71,
        float => 0x72,
        char => 0x73,
        ulong => 0x80,
        long => 0x81,
        double => 0x82,
        Timestamp => 0x83,
        Guid => 0x98,
        byte[] => 0xb0,
        string => 0xb1,
        Symbol => 0xb3,
        Items => 0xd0,
        Pairs => 0xd1,
        Same => 0xf0,
        _ => throw new ArgumentException($"no 1.0 type for {value.GetType().Name}", nameof(value)),
    };

    private static byte[] Bytes(object value) => value switch
    {
        bool boolean => [boolean ? (byte)1 : (byte)0],
        byte number => [number],
        sbyte number => [(byte)number],
        ushort number => BigEndian(number, 2),
        short number => BigEndian(number, 2),
        uint number => BigEndian(number, 4),
        int number => BigEndian(number, 4),
        float number => BigEndian(BitConverter.SingleToInt32Bits(number), 4),
        char character => BigEndian(character, 4),
        ulong number => BigEndian((long)number, 8),
        long number => BigEndian(number, 8),
        double number => BigEndian(BitConverter.DoubleToInt64Bits(number), 8),
        Timestamp time => BigEndian(time.Ms, 8),
        Guid guid => guid.ToByteArray(bigEndian: true),
        byte[] bytes => [.. BigEndian(bytes.Length, 4), .. bytes],
        string text => Bytes(Encoding.UTF8.GetBytes(text)),
        Symbol symbol => Bytes(Encoding.ASCII.GetBytes(symbol.Text)),
        Items list => Compound(list.Values.Length, [.. list.Values.SelectMany(Encode)]),
        Pairs map => Compound(map.Entries.Length * 2, [.. map.Entries.SelectMany(e => (byte[])[.. Encode(e.Key), .. Encode(e.Value)])]),
        Same array => Compound(array.Values.Length, [array.Code, .. array.Values.SelectMany(v => (array.Code & 0xf0) == 0x40 ? [] : Bytes(v!))]),
        _ => throw new ArgumentException($"no 1.0 type for {value.GetType().Name}", nameof(value)),
    };

    private static byte[] Compound(int count, byte[] items) => [.. BigEndian(items.Length + 4, 4), .. BigEndian(count, 4), .. items];

    private static byte[] BigEndian(long value, int size)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes[(8 - size)..];
    }

    private sealed class Reader(byte[] bytes)
    {
        private int _at;

        public bool IsAtEnd => _at == bytes.Length;

        public string Value() => Value((byte)Number(1));

        private string Value(byte code) => code switch
        {
            0x00 => $"@{Value()} {Value()}",
            0x40 => "null",
            0x41 => "true",
            0x42 => "false",
            0x56 => Number(1) == 1 ? "true" : "false",
            0x43 => "uint 0",
            0x44 => "ulong 0",
            0x50 => $"ubyte {Number(1)}",
            0x51 => $"byte {(sbyte)Number(1)}",
            0x60 => $"ushort {Number(2)}",
            0x61 => $"short {(short)Number(2)}",
            0x52 => $"uint {Number(1)}",
            0x70 => $"uint {Number(4)}",
            0x54 => $"int {(sbyte)Number(1)}",
            0x71 => $"int {(int)Number(4)}",
            0x53 => $"ulong {Number(1)}",
            0x80 => $"ulong {(ulong)Number(8)}",
            0x55 => $"long {(sbyte)Number(1)}",
            0x81 => $"long {Number(8)}",
            0x72 => $"float {Convert.ToHexString(Take(4))}",
            0x73 => $"char {Number(4)}",
            0x74 => $"decimal32 {Convert.ToHexString(Take(4))}",
            0x82 => $"double {Convert.ToHexString(Take(8))}",
            0x83 => $"time {Number(8)}",
            0x84 => $"decimal64 {Convert.ToHexString(Take(8))}",
            0x94 => $"decimal128 {Convert.ToHexString(Take(16))}",
            0x98 => $"uuid {new Guid(Take(16), bigEndian: true)}",
            0xa0 or 0xb0 => $"bin {Convert.ToHexString(Sized(code))}",
            0xa1 or 0xb1 => $"str {Encoding.UTF8.GetString(Sized(code))}",
            0xa3 or 0xb3 => $"sym {Encoding.ASCII.GetString(Sized(code))}",
            0x45 => "[]",
            0xc0 or 0xd0 => $"[{string.Join(", ", List(code))}]",
            0xc1 or 0xd1 => $"{{{string.Join(", ", List(code).Chunk(2).Select(pair => $"{pair[0]}: {pair[1]}"))}}}",
            0xe0 or 0xf0 => $"<{string.Join(", ", Array(code))}>",
            _ => throw new ArgumentException($"no constructor 0x{code:x2}"),
        };

        private string[] List(byte code)
        {
            int end = Begin(code, out int count);
            string[] items = [.. Enumerable.Range(0, count).Select(_ => Value())];
            _at.ShouldBe(end);
            return items;
        }

        private string[] Array(byte code)
        {
            int end = Begin(code, out int count);
            byte of = (byte)Number(1);
            string[] items = [.. Enumerable.Range(0, count).Select(_ => Value(of))];
            _at.ShouldBe(end);
            return items;
        }

        private int Begin(byte code, out int count)
        {
            int width = code < 0xd0 || code == 0xe0 ? 1 : 4;
            int size = (int)Number(width);
            int end = _at + size;
            count = (int)Number(width);
            return end;
        }

        private byte[] Sized(byte code) => Take((int)Number(code < 0xb0 ? 1 : 4));

        private long Number(int size)
        {
            long number = 0;
            foreach (byte octet in Take(size)) number = number << 8 | octet;
            return number;
        }

        private byte[] Take(int size)
        {
            byte[] taken = bytes[_at..(_at + size)];
            _at += size;
            return taken;
        }
    }
}
