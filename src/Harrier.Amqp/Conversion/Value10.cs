using System.Buffers.Binary;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>One AMQP 1.0 value where it stands: its constructor and the bytes after it. Absent values are null. Looking at one never fails.</summary>
internal readonly ref struct Value10
{
    // Not the code itself, so that a value that was never read is null.
    private readonly byte _kind;

    /// <summary>A value as an array holds it, whose constructor stands elsewhere.</summary>
    public Value10(FormatCode code, ReadOnlySpan<byte> bytes)
    {
        _kind = (byte)((byte)code ^ (byte)FormatCode.Null);
        Bytes = bytes;
    }

    private Value10(ReadOnlySpan<byte> encoded) : this((FormatCode)encoded[0], encoded[1..]) => Encoded = encoded;

    public FormatCode Code => (FormatCode)(_kind ^ (byte)FormatCode.Null);

    /// <summary>The bytes after the constructor: a size comes first where the type has one.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The value as it stands, constructor and all; empty for one that is absent or comes from an array.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    public bool IsNull => Code == FormatCode.Null;

    public bool IsString => Code is FormatCode.String8 or FormatCode.String32;

    public bool IsSymbol => Code is FormatCode.Symbol8 or FormatCode.Symbol32;

    /// <summary>A string or a symbol.</summary>
    public bool IsText => IsString || IsSymbol;

    public bool IsBinary => Code is FormatCode.Binary8 or FormatCode.Binary32;

    public bool IsList => Code is FormatCode.List0 or FormatCode.List8 or FormatCode.List32;

    public bool IsMap => Code is FormatCode.Map8 or FormatCode.Map32;

    public bool IsArray => Code is FormatCode.Array8 or FormatCode.Array32;

    /// <summary>The bytes of a string, symbol or binary without their size; those of other values as they are.</summary>
    public ReadOnlySpan<byte> Content => ((byte)Code >> 4) switch
    {
        0xa => Bytes[1..],
        0xb => Bytes[4..],
        _ => Bytes,
    };

    /// <summary>The bytes of a string or symbol; empty for other values.</summary>
    public ReadOnlySpan<byte> Text => IsText ? Content : default;

    /// <summary>A boolean, or null for another value.</summary>
    public bool? Boolean => Code switch
    {
        FormatCode.True => true,
        FormatCode.False => false,
        FormatCode.Boolean => Bytes[0] != 0,
        _ => null,
    };

    /// <summary>A whole number of any width, or null for another value and for one beyond what a long holds.</summary>
    public long? Integer => Code switch
    {
        FormatCode.UInt0 or FormatCode.ULong0 => 0,
        FormatCode.UByte or FormatCode.SmallUInt or FormatCode.SmallULong => Bytes[0],
        FormatCode.Byte or FormatCode.SmallInt or FormatCode.SmallLong => (sbyte)Bytes[0],
        FormatCode.UShort => BinaryPrimitives.ReadUInt16BigEndian(Bytes),
        FormatCode.Short => BinaryPrimitives.ReadInt16BigEndian(Bytes),
        FormatCode.UInt => BinaryPrimitives.ReadUInt32BigEndian(Bytes),
        FormatCode.Int => BinaryPrimitives.ReadInt32BigEndian(Bytes),
        FormatCode.Long => BinaryPrimitives.ReadInt64BigEndian(Bytes),
        FormatCode.ULong when BinaryPrimitives.ReadInt64BigEndian(Bytes) is var value and >= 0 => value,
        _ => null,
    };

    /// <summary>A ulong, or null for another value.</summary>
    public ulong? ULong => Code switch
    {
        FormatCode.ULong0 => 0,
        FormatCode.SmallULong => Bytes[0],
        FormatCode.ULong => BinaryPrimitives.ReadUInt64BigEndian(Bytes),
        _ => null,
    };

    /// <summary>A float or double, or null for another value.</summary>
    public double? Real => Code switch
    {
        FormatCode.Float => BinaryPrimitives.ReadSingleBigEndian(Bytes),
        FormatCode.Double => BinaryPrimitives.ReadDoubleBigEndian(Bytes),
        _ => null,
    };

    /// <summary>A timestamp in milliseconds since 1970, or null for another value.</summary>
    public long? TimestampMs => Code == FormatCode.Timestamp ? BinaryPrimitives.ReadInt64BigEndian(Bytes) : null;

    /// <summary>Begins a list or map: how many items (keys and values counted alike), and what reads them. Other values have none.</summary>
    public int ReadItems(out ValueReader items) => ValueReader.ReadCompound(Code, Bytes, out items);

    /// <summary>Begins an array. Other values have no items.</summary>
    public ArrayReader ReadArray() => ValueReader.ReadArray(Code, Bytes);

    /// <summary>A value that was found to be complete; none for no bytes.</summary>
    public static Value10 Of(ReadOnlySpan<byte> encoded) => encoded.IsEmpty ? default : new Value10(encoded);

    /// <summary>Reads the next value of several. Throws <see cref="DecodeException"/> when it is not complete.</summary>
    public static Value10 Read(scoped ref ValueReader reader) => new(reader.ReadValue());

    /// <summary>Reads the next item of an array.</summary>
    public static Value10 ReadItem(scoped ref ArrayReader reader) => new(reader.Code, reader.ReadBytes());

    /// <summary>Whether this is a string or symbol of that text.</summary>
    public bool Is(ReadOnlySpan<byte> text) => IsText && Content.SequenceEqual(text);

    /// <summary>Walks everything that is inside, so that later readers cannot fail. Throws <see cref="DecodeException"/>.</summary>
    /// <remarks>What a descriptor describes is only passed over: nobody looks into it.</remarks>
    public void Validate(int depth = 1)
    {
        if (depth > ValueReader.DepthMax) throw new DecodeException($"values are nested deeper than {ValueReader.DepthMax} levels");
        if (Code == FormatCode.Boolean && Bytes[0] > 1) throw new DecodeException($"a boolean is neither 0 nor 1 but {Bytes[0]}");
        if (IsList || IsMap) ValidateItems(depth);
        else if (IsArray) ValidateArray(depth);
    }

    private void ValidateItems(int depth)
    {
        int count = ReadItems(out ValueReader items);
        if (IsMap && count % 2 != 0) throw new DecodeException("a map has a key without a value");
        for (int i = 0; i < count; i++) Read(ref items).Validate(depth + 1);
        if (!items.IsAtEnd) throw new DecodeException("a compound value has more bytes than items");
    }

    private void ValidateArray(int depth)
    {
        ArrayReader items = ReadArray();
        if (items.IsEmptyKind) return; // there may be very many of them, in no bytes
        while (items.Count > 0) ReadItem(ref items).Validate(depth + 1);
    }
}
