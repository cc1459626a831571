using System.Buffers;
using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>Finds frames in bytes. Pure: no state beyond its arguments.</summary>
public static class FrameReader
{
    /// <summary>
    /// Takes the next frame off the front of <paramref name="buffer"/>, or answers false when it is not complete yet.
    /// Throws 501 when the frame is larger than <paramref name="payloadMax"/>, of an unknown type or has a wrong end octet; the size is checked
    /// as soon as its octets are there, so nobody buffers for a frame that will be refused.
    /// </summary>
    public static bool TryRead(ref ReadOnlySpan<byte> buffer, int payloadMax, out Frame frame)
    {
        frame = default;
        if (buffer.Length < Frame.HeaderSize) return false;
        int size = CheckedSize(buffer, payloadMax);
        if (buffer.Length - Frame.Overhead < size) return false;
        if (buffer[size + Frame.HeaderSize] != Frame.End) InvalidEnd(buffer[0]);
        frame = new Frame((FrameType)buffer[0], BinaryPrimitives.ReadUInt16BigEndian(buffer[1..]), buffer.Slice(Frame.HeaderSize, size));
        buffer = buffer[(size + Frame.Overhead)..];
        return true;
    }

    /// <summary>
    /// The octets that the frame at the front of <paramref name="buffer"/> takes, or 0 when it is not complete yet. For frames that cross
    /// the border of two segments; fails like <see cref="TryRead"/>.
    /// </summary>
    public static int CompleteSize(in ReadOnlySequence<byte> buffer, int payloadMax)
    {
        if (buffer.Length < Frame.HeaderSize) return 0;
        Span<byte> header = stackalloc byte[Frame.HeaderSize];
        buffer.Slice(0, Frame.HeaderSize).CopyTo(header);
        int size = CheckedSize(header, payloadMax);
        return buffer.Length - Frame.Overhead < size ? 0 : size + Frame.Overhead;
    }

    private static int CheckedSize(ReadOnlySpan<byte> header, int payloadMax)
    {
        uint size = BinaryPrimitives.ReadUInt32BigEndian(header[3..]);
        if (header[0] is not ((byte)FrameType.Method or (byte)FrameType.Header or (byte)FrameType.Body or (byte)FrameType.Heartbeat))
            AmqpProtocolException.Throw(ReplyCode.FrameError, $"type {header[0]}: unknown_frame");
        if (size > (uint)payloadMax)
            AmqpProtocolException.Throw(ReplyCode.FrameError, $"type {header[0]}: {{frame_too_large,{size},{payloadMax}}}");
        return (int)size;
    }

    private static void InvalidEnd(byte type) =>
        AmqpProtocolException.Throw(ReplyCode.FrameError, $"type {type}: {{invalid_frame_end_marker}}");
}
