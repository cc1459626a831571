using System.Buffers;

namespace Harrier.Fuzz;

/// <summary>Bytes in many small segments, as a pipe may hand them over.</summary>
internal static class Pieces
{
    private const int PieceSize = 3;

    public static ReadOnlySequence<byte> Of(byte[] bytes)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, 0);
        Segment last = first;
        foreach (byte[] piece in bytes.Chunk(PieceSize)) last = last.Append(piece);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long at)
        {
            Memory = memory;
            RunningIndex = at;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
