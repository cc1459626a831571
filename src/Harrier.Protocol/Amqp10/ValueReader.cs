using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Harrier.Protocol.Amqp10;

/// <summary>
/// Reads AMQP 1.0 values where they stand, one after the other. Every size and count is checked against what is there before it is used; anything that is
/// not as it should be throws <see cref="DecodeException"/>.
/// </summary>
/// <remarks>What stands inside of a compound value is looked at only by whoever reads it, so passing over a value costs the same whatever is in it.</remarks>
public ref struct ValueReader(ReadOnlySpan<byte> values)
{
    /// <summary>How deep values may stand in each other, for those who read them recursively. No client comes near it.</summary>
    public const int DepthMax = 32;

    /// <summary>Items that an array of values without bytes (null, true, an empty list) may have: for others the bytes are the limit.</summary>
    /// <remarks>Arrays of such arrays take three bytes for each, so this bounds what a byte may cost those who read them all.</remarks>
    public const int EmptyItemsMax = 255;

    private ReadOnlySpan<byte> _rest = values;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The constructor of the next value.</summary>
    public readonly FormatCode Next => _rest.IsEmpty ? ThrowShort() : (FormatCode)_rest[0];

    /// <summary>Takes a null, if one is next.</summary>
    public bool TryReadNull()
    {
        if (Next != FormatCode.Null) return false;
        _rest = _rest[1..];
        return true;
    }

    public bool ReadBoolean() => ReadCode() switch
    {
        FormatCode.True => true,
        FormatCode.False => false,
        FormatCode.Boolean => Take(1)[0] switch { 0 => false, 1 => true, var other => ThrowBoolean(other) },
        var code => ThrowTypeOfCount("a boolean", code) != 0,
    };

    public byte ReadUByte() => Expect(FormatCode.UByte, "a ubyte", 1)[0];

    public ushort ReadUShort() => BinaryPrimitives.ReadUInt16BigEndian(Expect(FormatCode.UShort, "a ushort", 2));

    public uint ReadUInt()
    {
        FormatCode code = ReadCode();
        switch (code)
        {
            case FormatCode.UInt0: return 0;
            case FormatCode.SmallUInt: return Take(1)[0];
            case FormatCode.UInt: return BinaryPrimitives.ReadUInt32BigEndian(Take(4));
            default: ThrowType("a uint", code); return 0;
        }
    }

    public ulong ReadULong()
    {
        FormatCode code = ReadCode();
        switch (code)
        {
            case FormatCode.ULong0: return 0;
            case FormatCode.SmallULong: return Take(1)[0];
            case FormatCode.ULong: return BinaryPrimitives.ReadUInt64BigEndian(Take(8));
            default: ThrowType("a ulong", code); return 0;
        }
    }

    /// <summary>A signed or unsigned whole number of any width; one beyond what a long holds is refused.</summary>
    public long ReadInteger()
    {
        FormatCode code = ReadCode();
        switch (code)
        {
            case FormatCode.UInt0 or FormatCode.ULong0: return 0;
            case FormatCode.UByte or FormatCode.SmallUInt or FormatCode.SmallULong: return Take(1)[0];
            case FormatCode.Byte or FormatCode.SmallInt or FormatCode.SmallLong: return (sbyte)Take(1)[0];
            case FormatCode.UShort: return BinaryPrimitives.ReadUInt16BigEndian(Take(2));
            case FormatCode.Short: return BinaryPrimitives.ReadInt16BigEndian(Take(2));
            case FormatCode.UInt: return BinaryPrimitives.ReadUInt32BigEndian(Take(4));
            case FormatCode.Int: return BinaryPrimitives.ReadInt32BigEndian(Take(4));
            case FormatCode.Long: return BinaryPrimitives.ReadInt64BigEndian(Take(8));
            case FormatCode.ULong when BinaryPrimitives.ReadUInt64BigEndian(Take(8)) is var value and <= long.MaxValue: return (long)value;
            default: ThrowType("a whole number that a long holds", code); return 0;
        }
    }

    public float ReadFloat() => BinaryPrimitives.ReadSingleBigEndian(Expect(FormatCode.Float, "a float", 4));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Expect(FormatCode.Double, "a double", 8));

    /// <summary>Milliseconds since 1970.</summary>
    public long ReadTimestamp() => BinaryPrimitives.ReadInt64BigEndian(Expect(FormatCode.Timestamp, "a timestamp", 8));

    /// <summary>16 bytes in network order.</summary>
    public ReadOnlySpan<byte> ReadUuid() => Expect(FormatCode.Uuid, "a uuid", 16);

    public ReadOnlySpan<byte> ReadBinary() => ReadVariable(FormatCode.Binary8, FormatCode.Binary32, "a binary");

    /// <summary>Bytes of UTF-8. Whether they are that is for whoever uses them to see.</summary>
    public ReadOnlySpan<byte> ReadString() => ReadVariable(FormatCode.String8, FormatCode.String32, "a string");

    /// <summary>Bytes of ASCII, likewise.</summary>
    public ReadOnlySpan<byte> ReadSymbol() => ReadVariable(FormatCode.Symbol8, FormatCode.Symbol32, "a symbol");

    /// <summary>A string or a symbol, for those who do not mind which.</summary>
    public ReadOnlySpan<byte> ReadText() =>
        Next is FormatCode.Symbol8 or FormatCode.Symbol32 ? ReadSymbol() : ReadString();

    /// <summary>The next value as it stands, constructor and all.</summary>
    public ReadOnlySpan<byte> ReadValue()
    {
        ReadOnlySpan<byte> whole = _rest;
        Skip();
        return whole[..(whole.Length - _rest.Length)];
    }

    /// <summary>Passes over the next value.</summary>
    public void Skip()
    {
        int descriptors = 0;
        FormatCode code = ReadCode();
        while (code == FormatCode.Described)
        {
            if (++descriptors > DepthMax) DecodeException.Throw($"a value has more than {DepthMax} descriptors");
            SkipPlain(ReadCode());
            code = ReadCode();
        }
        SkipPlain(code);
    }

    /// <summary>The descriptor of the next value, which is to be read then. One that is a symbol and not known gives <see cref="Descriptors.Unknown"/>.</summary>
    public ulong ReadDescriptor()
    {
        FormatCode code = ReadCode();
        if (code != FormatCode.Described) ThrowType("a described value", code);
        return Next is FormatCode.Symbol8 or FormatCode.Symbol32 ? Descriptors.Find(ReadSymbol()) : ReadULong();
    }

    /// <summary>Begins a list: how many items, and what reads them.</summary>
    public int ReadList(out ValueReader items)
    {
        FormatCode code = ReadCode();
        items = default;
        return code switch
        {
            FormatCode.List0 => 0,
            FormatCode.List8 => ReadCompound(1, out items),
            FormatCode.List32 => ReadCompound(4, out items),
            _ => ThrowTypeOfCount("a list", code),
        };
    }

    /// <summary>Begins a map: how many keys and values together, an even number, and what reads them in turn.</summary>
    public int ReadMap(out ValueReader items)
    {
        FormatCode code = ReadCode();
        int count = code switch
        {
            FormatCode.Map8 => ReadCompound(1, out items),
            FormatCode.Map32 => ReadCompound(4, out items),
            _ => ThrowTypeOfMap(code, out items),
        };
        if (count % 2 != 0) DecodeException.Throw("a map has a key without a value");
        return count;
    }

    /// <summary>Begins an array.</summary>
    public ArrayReader ReadArray()
    {
        FormatCode code = Next;
        if (code is not (FormatCode.Array8 or FormatCode.Array32)) ThrowType("an array", code);
        return ReadArray(code, ReadValue()[1..]);
    }

    /// <summary>Begins a list or map whose constructor stands elsewhere, as in an array: how many items, keys and values counted alike, and what reads them.</summary>
    /// <param name="code">The constructor; 0 items for any that is none of a list or map.</param>
    /// <param name="bytes">What follows it.</param>
    /// <param name="items">Reads the items.</param>
    public static int ReadCompound(FormatCode code, ReadOnlySpan<byte> bytes, out ValueReader items)
    {
        items = default;
        var reader = new ValueReader(bytes);
        return code switch
        {
            FormatCode.List8 or FormatCode.Map8 => reader.ReadCompound(1, out items),
            FormatCode.List32 or FormatCode.Map32 => reader.ReadCompound(4, out items),
            _ => 0,
        };
    }

    /// <summary>Begins an array whose constructor stands elsewhere.</summary>
    /// <param name="code">Its constructor; an array without items for any that is none of an array.</param>
    /// <param name="bytes">What follows it.</param>
    public static ArrayReader ReadArray(FormatCode code, ReadOnlySpan<byte> bytes)
    {
        if (code is not (FormatCode.Array8 or FormatCode.Array32)) return default;
        int width = code == FormatCode.Array8 ? 1 : 4;
        var reader = new ValueReader(bytes);
        var content = new ValueReader(reader.Take(reader.ReadNumber(width)));
        int count = content.ReadNumber(width);
        return new ArrayReader(count, content.Rest);
    }

    /// <summary>How many bytes a value with that constructor takes behind it.</summary>
    internal static int SizeAfter(FormatCode code, ReadOnlySpan<byte> bytes)
    {
        var reader = new ValueReader(bytes);
        reader.SkipPlain(code);
        return bytes.Length - reader._rest.Length;
    }

    private int ReadCompound(int width, out ValueReader items)
    {
        int size = ReadNumber(width);
        items = new ValueReader(Take(size));
        int count = items.ReadNumber(width);
        // Every item has at least its constructor.
        if (count > items._rest.Length) DecodeException.Throw($"a compound value announces {count} items in {items._rest.Length} bytes");
        return count;
    }

    private ReadOnlySpan<byte> ReadVariable(FormatCode small, FormatCode large, string wanted)
    {
        FormatCode code = ReadCode();
        if (code == small) return Take(ReadNumber(1));
        if (code != large) ThrowType(wanted, code);
        return Take(ReadNumber(4));
    }

    private ReadOnlySpan<byte> Expect(FormatCode wanted, string name, int size)
    {
        FormatCode code = ReadCode();
        if (code != wanted) ThrowType(name, code);
        return Take(size);
    }

    // The upper half of the code tells the width (1.0 part 1, section 1.3).
    private void SkipPlain(FormatCode code)
    {
        switch ((int)code >> 4)
        {
            case 0x4: break;
            case 0x5: Take(1); break;
            case 0x6: Take(2); break;
            case 0x7: Take(4); break;
            case 0x8: Take(8); break;
            case 0x9: Take(16); break;
            case 0xa or 0xc or 0xe: Take(ReadNumber(1)); break;
            case 0xb or 0xd or 0xf: Take(ReadNumber(4)); break;
            default: DecodeException.Throw($"there is no value with the constructor 0x{(byte)code:x2}"); break;
        }
    }

    private FormatCode ReadCode()
    {
        FormatCode code = Next;
        _rest = _rest[1..];
        return code;
    }

    /// <summary>A size or count of one or four bytes.</summary>
    private int ReadNumber(int width)
    {
        ReadOnlySpan<byte> bytes = Take(width);
        uint number = width == 1 ? bytes[0] : BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (number > int.MaxValue) DecodeException.Throw($"a value announces {number} bytes or items");
        return (int)number;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) ThrowShort();
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static FormatCode ThrowShort() => throw new DecodeException("a value ends before it is complete");

    private static bool ThrowBoolean(byte value) => throw new DecodeException($"a boolean is neither 0 nor 1 but {value}");

    private static object? ThrowType(string wanted, FormatCode code) => throw new DecodeException($"expected {wanted}, got the constructor 0x{(byte)code:x2}");

    private static int ThrowTypeOfCount(string wanted, FormatCode code)
    {
        ThrowType(wanted, code);
        return 0;
    }

    private static int ThrowTypeOfMap(FormatCode code, out ValueReader items)
    {
        items = default;
        return ThrowTypeOfCount("a map", code);
    }
}
