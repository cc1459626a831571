using System.Buffers;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Reading 1.0 frames from one piece of memory and sizing them over many small ones come to the same.</summary>
internal static class FrameReader10Target
{
    private const int SizeMax = 1024;

    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        byte[] bytes = input.ToArray();
        ReadOnlySequence<byte> pieces = Pieces.Of(bytes);
        ReadOnlySpan<byte> rest = bytes;
        while (true)
        {
            (int sizeInPieces, string? errorInPieces) = SizeOf(pieces);
            int before = rest.Length;
            try
            {
                if (!FrameReader10.TryRead(ref rest, SizeMax, out Frame10 frame))
                {
                    rest.Length.ShouldBe(before, "nothing is taken of a frame that is not complete");
                    sizeInPieces.ShouldBe(0);
                    errorInPieces.ShouldBeNull();
                    break;
                }
                int size = before - rest.Length;
                size.ShouldBeInRange(Frame10.HeaderSize, SizeMax);
                size.ShouldBe(sizeInPieces);
                frame.Body.Length.ShouldBeLessThanOrEqualTo(size - Frame10.HeaderSize);
                behaviour.Add((byte)frame.Type);
                behaviour.Add(Math.Min(size - frame.Body.Length, 20));
                behaviour.Add(Math.Min(frame.Body.Length, 2));
                pieces = pieces.Slice(size);
            }
            catch (FramingException e)
            {
                rest.Length.ShouldBe(before);
                errorInPieces.ShouldBe(e.Message);
                behaviour.AddKind(e.Message);
                break;
            }
        }
        return behaviour.Value;
    }

    private static (int Size, string? Error) SizeOf(in ReadOnlySequence<byte> pieces)
    {
        try
        {
            return (FrameReader10.CompleteSize(in pieces, SizeMax), null);
        }
        catch (FramingException e)
        {
            return (0, e.Message);
        }
    }
}
