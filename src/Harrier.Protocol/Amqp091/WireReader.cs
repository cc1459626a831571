using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>
/// Reads the elementary types of 0-9-1 (section 4.2.5) from one contiguous payload. Every length is checked before use;
/// a value that does not fit the payload throws <see cref="AmqpProtocolException"/> with 501 FRAME_ERROR.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;
    private int _bitsLeft;
    private byte _bits;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _bytes.Length - _position;

    /// <summary>What is not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _bytes[_position..];

    public byte ReadOctet() => Take(1)[0];

    public ushort ReadShort() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadLong() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong ReadLonglong() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    /// <summary>Seconds since 1970 (section 4.2.5.4).</summary>
    public ulong ReadTimestamp() => ReadLonglong();

    /// <summary>At most 255 bytes, of any encoding: names are compared as bytes.</summary>
    public ReadOnlySpan<byte> ReadShortstr() => Take(ReadOctet());

    public ReadOnlySpan<byte> ReadLongstr()
    {
        uint length = ReadLong();
        if (length > (uint)Remaining) Truncated();
        return Take((int)length);
    }

    /// <summary>The encoded fields without the length, for a <see cref="FieldTableReader"/>.</summary>
    public ReadOnlySpan<byte> ReadTable() => ReadLongstr();

    /// <summary>The next bit; bits that follow each other share an octet, lowest first (section 4.2.5.2).</summary>
    public bool ReadBit()
    {
        if (_bitsLeft == 0)
        {
            _bits = Take(1)[0];
            _bitsLeft = 8;
        }
        bool bit = (_bits & 1) != 0;
        _bits >>= 1;
        _bitsLeft--;
        return bit;
    }

    /// <summary>The next octets as they are.</summary>
    public ReadOnlySpan<byte> ReadRaw(int count) => Take(count);

    private ReadOnlySpan<byte> Take(int count)
    {
        _bitsLeft = 0;
        if (count > Remaining) Truncated();
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }

    private static void Truncated() => AmqpProtocolException.Throw(ReplyCode.FrameError, "value ends beyond its frame");
}
