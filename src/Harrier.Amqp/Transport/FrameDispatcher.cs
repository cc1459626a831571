using System.Buffers;
using Harrier.Protocol;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Transport;

/// <summary>Takes frames one by one, in the framing of its protocol.</summary>
internal interface IFrameHandler
{
    /// <summary>Whether no more frames are wanted now.</summary>
    bool IsStopped { get; }

    /// <summary>Takes the frame off the front and applies it; false when it is not complete yet. The bytes count as taken also when this throws.</summary>
    bool TryApply(ref ReadOnlySpan<byte> bytes);

    /// <summary>The octets of the frame at the front, or 0 when it is not complete yet. Throws when it is none.</summary>
    int CompleteSize(in ReadOnlySequence<byte> bytes);
}

/// <summary>
/// Hands every complete frame of what was read to a handler, where it stands: only a frame that crosses the border of two segments is copied together.
/// </summary>
internal static class FrameDispatcher
{
    /// <summary>Takes the frames off the front of <paramref name="buffer"/>, also of those that had come when a handler throws.</summary>
    public static void ApplyAll(ref ReadOnlySequence<byte> buffer, IFrameHandler handler)
    {
        while (!handler.IsStopped && ApplySegment(ref buffer, handler))
        {
        }
    }

    /// <summary>Whether a whole frame was left: what the handler stopped for may be over before anybody asks again.</summary>
    public static bool HasWhole(in ReadOnlySequence<byte> buffer, IFrameHandler handler)
    {
        try
        {
            return !buffer.IsEmpty && handler.CompleteSize(in buffer) > 0;
        }
        catch (Exception e) when (e is AmqpProtocolException or FramingException)
        {
            return true; // it is refused in its turn
        }
    }

    /// <summary>
    /// Applies the frames that are whole within the first segment, then the one that crosses its end, if that is complete. False when nothing more
    /// can be done before the next read.
    /// </summary>
    private static bool ApplySegment(ref ReadOnlySequence<byte> buffer, IFrameHandler handler)
    {
        ReadOnlySpan<byte> segment = buffer.FirstSpan;
        int size = segment.Length;
        bool isLast = buffer.IsSingleSegment; // asked before the slicing, which may move on to the next segment
        try
        {
            while (!handler.IsStopped && handler.TryApply(ref segment))
            {
            }
        }
        finally
        {
            buffer = buffer.Slice(size - segment.Length);
        }
        if (isLast || handler.IsStopped) return false;
        int crossing = handler.CompleteSize(in buffer);
        if (crossing == 0) return false;
        ReadOnlySequence<byte> bytes = buffer.Slice(0, crossing);
        buffer = buffer.Slice(crossing);
        ApplyCrossing(bytes, handler);
        return true;
    }

    private static void ApplyCrossing(ReadOnlySequence<byte> bytes, IFrameHandler handler)
    {
        int size = (int)bytes.Length;
        byte[] scratch = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            bytes.CopyTo(scratch);
            ReadOnlySpan<byte> whole = scratch.AsSpan(0, size);
            handler.TryApply(ref whole);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
