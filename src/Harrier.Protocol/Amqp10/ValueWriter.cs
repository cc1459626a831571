using System.Buffers;
using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp10;

/// <summary>
/// Writes AMQP 1.0 values in their shortest form, one after the other: into the memory it was given, and beyond that into rented memory. Whoever may need more
/// than was given calls <see cref="Dispose"/>.
/// </summary>
public ref partial struct ValueWriter(Span<byte> initial)
{
    // Bytes between a compound value's mark and its first item: constructor, size, count of 32 bits.
    private const int CompoundHeadSize = 9;

    private Span<byte> _span = initial;
    private byte[]? _rented;
    private int _size;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => _span[.._size];

    public readonly int Size => _size;

    /// <summary>Takes back what was written after the first bytes.</summary>
    public void CutTo(int size) => _size = size;

    /// <summary>Gives rented memory back.</summary>
    public void Dispose()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        this = default;
    }

    public void WriteNull() => WriteCode(FormatCode.Null);

    public void WriteBoolean(bool value) => WriteCode(value ? FormatCode.True : FormatCode.False);

    public void WriteUByte(byte value)
    {
        Span<byte> span = Reserve(2);
        span[0] = (byte)FormatCode.UByte;
        span[1] = value;
    }

    public void WriteUShort(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Begin(FormatCode.UShort, 2), value);

    public void WriteUInt(uint value)
    {
        if (value == 0) WriteCode(FormatCode.UInt0);
        else if (value <= byte.MaxValue) Begin(FormatCode.SmallUInt, 1)[0] = (byte)value;
        else BinaryPrimitives.WriteUInt32BigEndian(Begin(FormatCode.UInt, 4), value);
    }

    public void WriteULong(ulong value)
    {
        if (value == 0) WriteCode(FormatCode.ULong0);
        else if (value <= byte.MaxValue) Begin(FormatCode.SmallULong, 1)[0] = (byte)value;
        else BinaryPrimitives.WriteUInt64BigEndian(Begin(FormatCode.ULong, 8), value);
    }

    public void WriteByte(sbyte value) => Begin(FormatCode.Byte, 1)[0] = (byte)value;

    public void WriteShort(short value) => BinaryPrimitives.WriteInt16BigEndian(Begin(FormatCode.Short, 2), value);

    public void WriteInt(int value)
    {
        if (value == (sbyte)value) Begin(FormatCode.SmallInt, 1)[0] = (byte)value;
        else BinaryPrimitives.WriteInt32BigEndian(Begin(FormatCode.Int, 4), value);
    }

    public void WriteLong(long value)
    {
        if (value == (sbyte)value) Begin(FormatCode.SmallLong, 1)[0] = (byte)value;
        else BinaryPrimitives.WriteInt64BigEndian(Begin(FormatCode.Long, 8), value);
    }

    public void WriteFloat(float value) => BinaryPrimitives.WriteSingleBigEndian(Begin(FormatCode.Float, 4), value);

    public void WriteDouble(double value) => BinaryPrimitives.WriteDoubleBigEndian(Begin(FormatCode.Double, 8), value);

    /// <summary>Milliseconds since 1970.</summary>
    public void WriteTimestamp(long timeMs) => BinaryPrimitives.WriteInt64BigEndian(Begin(FormatCode.Timestamp, 8), timeMs);

    /// <summary>16 bytes in network order.</summary>
    public void WriteUuid(scoped ReadOnlySpan<byte> value) => value[..16].CopyTo(Begin(FormatCode.Uuid, 16));

    public void WriteBinary(scoped ReadOnlySpan<byte> value) => WriteVariable(FormatCode.Binary8, FormatCode.Binary32, value);

    /// <summary>Bytes of UTF-8.</summary>
    public void WriteString(scoped ReadOnlySpan<byte> value) => WriteVariable(FormatCode.String8, FormatCode.String32, value);

    /// <summary>Bytes of ASCII.</summary>
    public void WriteSymbol(scoped ReadOnlySpan<byte> value) => WriteVariable(FormatCode.Symbol8, FormatCode.Symbol32, value);

    /// <summary>Values that are encoded already.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> encoded) => encoded.CopyTo(Reserve(encoded.Length));

    /// <summary>Room for that many bytes. What of it was written counts when <see cref="Advance"/> says so.</summary>
    internal Span<byte> GetSpan(int sizeMax)
    {
        if (_span.Length - _size < sizeMax) Grow(sizeMax);
        return _span[_size..][..sizeMax];
    }

    /// <summary>That many bytes of the room that was asked for are written.</summary>
    internal void Advance(int size) => _size += size;

    /// <summary>The head of a data section of that many bytes, which are to follow.</summary>
    public void WriteBinaryHead(int size)
    {
        if (size <= byte.MaxValue) Begin(FormatCode.Binary8, 1)[0] = (byte)size;
        else BinaryPrimitives.WriteInt32BigEndian(Begin(FormatCode.Binary32, 4), size);
    }

    /// <summary>The head of a map whose keys and values, so many together, of so many bytes, are to follow.</summary>
    public void WriteMapHead(int size, int count)
    {
        bool isSmall = size < byte.MaxValue && count <= byte.MaxValue;
        Span<byte> span = Begin(isSmall ? FormatCode.Map8 : FormatCode.Map32, isSmall ? 2 : 8);
        if (isSmall) (span[0], span[1]) = ((byte)(size + 1), (byte)count);
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(span, size + 4);
            BinaryPrimitives.WriteInt32BigEndian(span[4..], count);
        }
    }

    /// <summary>The descriptor of the value that is written next.</summary>
    public void WriteDescriptor(ulong code)
    {
        WriteCode(FormatCode.Described);
        WriteULong(code);
    }

    /// <summary>Begins a list, to be ended with <see cref="End"/>.</summary>
    public int BeginList() => BeginCompound(FormatCode.List32);

    /// <summary>Begins a map, to be ended with <see cref="End"/> and the number of keys and values together.</summary>
    public int BeginMap() => BeginCompound(FormatCode.Map32);

    /// <summary>Ends a list or map. Small ones are moved together.</summary>
    /// <param name="mark">What its beginning gave.</param>
    /// <param name="count">Items that were written since.</param>
    public void End(int mark, int count)
    {
        Span<byte> head = _span[mark..];
        int size = _size - mark - CompoundHeadSize;
        bool isList = head[0] == (byte)FormatCode.List32;
        if (count == 0 && isList)
        {
            head[0] = (byte)FormatCode.List0;
            _size = mark + 1;
        }
        else if (size < byte.MaxValue && count <= byte.MaxValue)
        {
            head[0] = (byte)(isList ? FormatCode.List8 : FormatCode.Map8);
            head[1] = (byte)(size + 1);
            head[2] = (byte)count;
            head.Slice(CompoundHeadSize, size).CopyTo(head[3..]);
            _size = mark + 3 + size;
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(head[1..], size + 4);
            BinaryPrimitives.WriteInt32BigEndian(head[5..], count);
        }
    }

    /// <summary>An array of symbols.</summary>
    public void WriteSymbols(params ReadOnlySpan<string> symbols)
    {
        int size = 4 + 1;
        foreach (string symbol in symbols) size += 4 + symbol.Length;
        Span<byte> span = Reserve(5 + size);
        span[0] = (byte)FormatCode.Array32;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], size);
        BinaryPrimitives.WriteInt32BigEndian(span[5..], symbols.Length);
        span[9] = (byte)FormatCode.Symbol32;
        int at = 10;
        foreach (string symbol in symbols)
        {
            BinaryPrimitives.WriteInt32BigEndian(span[at..], symbol.Length);
            System.Text.Encoding.ASCII.GetBytes(symbol, span[(at + 4)..]);
            at += 4 + symbol.Length;
        }
    }

    private int BeginCompound(FormatCode code)
    {
        int mark = _size;
        Reserve(CompoundHeadSize)[0] = (byte)code;
        return mark;
    }

    private void WriteVariable(FormatCode small, FormatCode large, scoped ReadOnlySpan<byte> value)
    {
        if (value.Length <= byte.MaxValue) Begin(small, 1)[0] = (byte)value.Length;
        else BinaryPrimitives.WriteInt32BigEndian(Begin(large, 4), value.Length);
        WriteRaw(value);
    }

    private void WriteCode(FormatCode code) => Reserve(1)[0] = (byte)code;

    private Span<byte> Begin(FormatCode code, int size)
    {
        Span<byte> span = Reserve(1 + size);
        span[0] = (byte)code;
        return span[1..];
    }

    private Span<byte> Reserve(int count)
    {
        if (_span.Length - _size < count) Grow(count);
        Span<byte> span = _span.Slice(_size, count);
        _size += count;
        return span;
    }

    private void Grow(int count)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, checked((_size + count) * 2)));
        Written.CopyTo(larger);
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
        _span = _rented = larger;
    }
}
