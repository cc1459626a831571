using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>Writes the elementary types of 0-9-1 (section 4.2.5) into a span that the caller has made large enough.</summary>
public ref struct WireWriter(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;
    private int _bitCount;

    /// <summary>Bytes written so far.</summary>
    public int Position { get; private set; }

    public void WriteOctet(byte value) => Take(1)[0] = value;

    public void WriteShort(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void WriteLong(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void WriteLonglong(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    public void WriteTimestamp(ulong value) => WriteLonglong(value);

    public void WriteShortstr(scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > byte.MaxValue) throw new ArgumentException("a shortstr has at most 255 bytes", nameof(value));
        WriteOctet((byte)value.Length);
        value.CopyTo(Take(value.Length));
    }

    public void WriteLongstr(scoped ReadOnlySpan<byte> value)
    {
        WriteLong((uint)value.Length);
        value.CopyTo(Take(value.Length));
    }

    /// <summary>Writes encoded fields with their length in front.</summary>
    public void WriteTable(scoped ReadOnlySpan<byte> value) => WriteLongstr(value);

    public void WriteBit(bool value)
    {
        if (_bitCount is 0 or 8)
        {
            Take(1)[0] = 0;
            _bitCount = 0;
        }
        if (value) _bytes[Position - 1] |= (byte)(1 << _bitCount);
        _bitCount++;
    }

    /// <summary>Goes on at another position.</summary>
    public void Seek(int position)
    {
        Position = position;
        _bitCount = 0;
    }

    /// <summary>Writes bytes as they are.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    private Span<byte> Take(int count)
    {
        _bitCount = 0;
        Span<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }
}
