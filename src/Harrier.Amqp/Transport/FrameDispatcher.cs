using System.Buffers;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.Transport;

/// <summary>Takes frames one by one.</summary>
internal interface IFrameHandler
{
    /// <summary>Octets of the largest payload; may change with any frame.</summary>
    int PayloadMax { get; }

    /// <summary>Whether no more frames are wanted now.</summary>
    bool IsStopped { get; }

    void Apply(in Frame frame);
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
            return !buffer.IsEmpty && FrameReader.CompleteSize(buffer, handler.PayloadMax) > 0;
        }
        catch (AmqpProtocolException)
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
            while (!handler.IsStopped && FrameReader.TryRead(ref segment, handler.PayloadMax, out Frame frame)) handler.Apply(in frame);
        }
        finally
        {
            buffer = buffer.Slice(size - segment.Length);
        }
        if (isLast || handler.IsStopped) return false;
        int crossing = FrameReader.CompleteSize(buffer, handler.PayloadMax);
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
            FrameReader.TryRead(ref whole, handler.PayloadMax, out Frame frame);
            handler.Apply(in frame);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
