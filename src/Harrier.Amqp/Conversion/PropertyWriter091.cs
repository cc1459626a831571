using System.Buffers.Binary;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// Writes the flags and the list of 0-9-1 properties, which are to be added in the order of their flags. Texts of more than 255 bytes are left out.
/// </summary>
internal ref struct PropertyWriter091
{
    private readonly Span<byte> _buffer;
    private WireWriter _writer;
    private BasicPropertyFlags _flags;

    /// <param name="buffer">Room for everything.</param>
    public PropertyWriter091(Span<byte> buffer)
    {
        _buffer = buffer;
        _writer = new WireWriter(buffer);
        _writer.WriteShort(0);
    }

    public void AddText(BasicPropertyFlags property, scoped ReadOnlySpan<byte> text)
    {
        if (text.Length > byte.MaxValue) return;
        _flags |= property;
        _writer.WriteShortstr(text);
    }

    public void AddOctet(BasicPropertyFlags property, byte value)
    {
        _flags |= property;
        _writer.WriteOctet(value);
    }

    public void AddTimestamp(long seconds)
    {
        _flags |= BasicPropertyFlags.Timestamp;
        _writer.WriteTimestamp((ulong)seconds);
    }

    /// <summary>Where the fields of the headers are to be written; <see cref="AddHeaders"/> tells how many came of it.</summary>
    public readonly Span<byte> RoomForHeaders(int sizeMax) => _buffer.Slice(_writer.Position + sizeof(uint), sizeMax);

    /// <summary>The headers, whose fields are there already; none at all for no bytes.</summary>
    public void AddHeaders(int size)
    {
        if (size == 0) return;
        _flags |= BasicPropertyFlags.Headers;
        _writer.WriteLong((uint)size);
        _writer.Seek(_writer.Position + size);
    }

    /// <summary>The property section.</summary>
    public readonly ReadOnlySpan<byte> End()
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer, (ushort)_flags);
        return _buffer[.._writer.Position];
    }
}
