using System.Buffers;
using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp10;

/// <summary>Finds 1.0 frames in bytes. Pure: no state beyond its arguments.</summary>
public static class FrameReader10
{
    /// <summary>
    /// Takes the next frame off the front of <paramref name="buffer"/>, or answers false when it is not complete yet. Throws <see cref="FramingException"/>
    /// when it is larger than <paramref name="sizeMax"/> or no frame; the size is checked as soon as it is there.
    /// </summary>
    public static bool TryRead(ref ReadOnlySpan<byte> buffer, int sizeMax, out Frame10 frame)
    {
        frame = default;
        if (buffer.Length < Frame10.HeaderSize) return false;
        int size = CheckedSize(buffer, sizeMax);
        if (buffer.Length < size) return false;
        int bodyAt = buffer[4] * 4;
        frame = new Frame10((FrameType10)buffer[5], BinaryPrimitives.ReadUInt16BigEndian(buffer[6..]), buffer[bodyAt..size]);
        buffer = buffer[size..];
        return true;
    }

    /// <summary>The octets of the frame at the front of <paramref name="buffer"/>, or 0 when it is not complete yet. Fails like <see cref="TryRead"/>.</summary>
    public static int CompleteSize(in ReadOnlySequence<byte> buffer, int sizeMax)
    {
        if (buffer.Length < Frame10.HeaderSize) return 0;
        Span<byte> header = stackalloc byte[Frame10.HeaderSize];
        buffer.Slice(0, Frame10.HeaderSize).CopyTo(header);
        int size = CheckedSize(header, sizeMax);
        return buffer.Length < size ? 0 : size;
    }

    private static int CheckedSize(ReadOnlySpan<byte> header, int sizeMax)
    {
        uint size = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (size > (uint)sizeMax) throw new FramingException($"frame size ({size} bytes) > maximum frame size ({sizeMax} bytes)");
        int dataOffset = header[4];
        if (dataOffset < 2 || dataOffset * 4 > size) throw new FramingException($"a frame of {size} bytes has its body at {dataOffset * 4}");
        if (header[5] > (byte)FrameType10.Sasl) throw new FramingException($"there is no frame type {header[5]}");
        return (int)size;
    }
}
