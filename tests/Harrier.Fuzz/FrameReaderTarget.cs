using System.Buffers;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>Reading frames from one piece of memory and sizing them over many small ones come to the same.</summary>
internal static class FrameReaderTarget
{
    private const int PayloadMax = 1024;

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
                if (!FrameReader.TryRead(ref rest, PayloadMax, out Frame frame))
                {
                    rest.Length.ShouldBe(before, "nothing is taken of a frame that is not complete");
                    sizeInPieces.ShouldBe(0);
                    errorInPieces.ShouldBeNull();
                    break;
                }
                (before - rest.Length).ShouldBe(frame.Payload.Length + Frame.Overhead);
                sizeInPieces.ShouldBe(before - rest.Length);
                behaviour.Add((byte)frame.Type);
                behaviour.Add(Math.Min(frame.Payload.Length, 2));
                pieces = pieces.Slice(sizeInPieces);
            }
            catch (AmqpProtocolException e)
            {
                e.Code.ShouldBe(ReplyCode.FrameError);
                rest.Length.ShouldBe(before);
                // Only the end octet is left to whoever reads the frame in the end.
                if (errorInPieces is null) e.Message.ShouldContain("invalid_frame_end_marker");
                else errorInPieces.ShouldBe(e.Message);
                behaviour.AddKind(e.Message[8..]);
                break;
            }
        }
        return behaviour.Value;
    }

    private static (int Size, string? Error) SizeOf(in ReadOnlySequence<byte> pieces)
    {
        try
        {
            return (FrameReader.CompleteSize(in pieces, PayloadMax), null);
        }
        catch (AmqpProtocolException e)
        {
            return (0, e.Message);
        }
    }
}
