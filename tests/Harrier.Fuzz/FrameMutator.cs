using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>
/// Makes conversations from conversations: mostly it moves, repeats and drops whole frames and changes what is inside of them, so that what comes out
/// still is frames and gets past the door; sometimes it breaks the frames as well.
/// </summary>
internal sealed class FrameMutator(IReadOnlyList<byte[]> words, IReadOnlyList<byte[]> frames) : Mutator(words)
{
    // Few of the ids that chance finds are methods, so most are kept.
    private const int MethodIdSize = 4;

    // Its payloads are small already, and one change in each is enough.
    private readonly Mutator _payloads = new(words);

    public override byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        byte[] options = [input.Length > 0 && random.Next(4) > 0 ? input[0] : (byte)random.Next(256)];
        ReadOnlySpan<byte> conversation = input.Length > 0 ? input.AsSpan(1) : default;
        if (random.Next(12) == 0) return Cut([.. options, .. base.Mutate(conversation.ToArray(), other, random)]);

        List<byte[]> mutated = Split(conversation);
        List<byte[]> spare = Split(other.AsSpan(Math.Min(1, other.Length)));
        for (int count = 1 << random.Next(4); count > 0; count--) MutateOnce(mutated, spare, random);
        return Cut([.. options, .. mutated.SelectMany(f => f)]);
    }

    /// <summary>The frames of a conversation; what is none stands at the end as it is.</summary>
    internal static List<byte[]> Split(ReadOnlySpan<byte> conversation)
    {
        var split = new List<byte[]>();
        try
        {
            ReadOnlySpan<byte> rest = conversation;
            while (FrameReader.TryRead(ref rest, SizeMax, out _))
            {
                split.Add(conversation[..^rest.Length].ToArray());
                conversation = rest;
            }
        }
        catch (AmqpProtocolException)
        {
            // No frame from here on.
        }
        if (!conversation.IsEmpty) split.Add(conversation.ToArray());
        return split;
    }

    private void MutateOnce(List<byte[]> mutated, List<byte[]> spare, Random random)
    {
        int at = Place(mutated, random);
        bool isThere = at < mutated.Count && mutated[at].Length >= Frame.Overhead;
        switch (random.Next(10))
        {
            case 0 when isThere: mutated.RemoveAt(at); break;
            case 1 when isThere: mutated.Insert(Place(mutated, random), mutated[at]); break;
            case 2 when isThere: mutated[at] = WithChannel(mutated[at], (byte)random.Next(4)); break;
            case 3 when isThere: mutated[at] = WithType(mutated[at], (byte)random.Next(1, 4)); break;
            case 4 or 5 or 6 when isThere: mutated[at] = WithPayload(mutated[at], random); break;
            case 7 when spare.Count > 0: mutated.InsertRange(at, spare.Skip(random.Next(spare.Count)).Take(random.Next(1, 6))); break;
            default: mutated.InsertRange(at, Split(frames[random.Next(frames.Count)])); break;
        }
    }

    // Seldom in the middle of content, where everything but more content ends the connection.
    private static int Place(List<byte[]> mutated, Random random)
    {
        int at = random.Next(mutated.Count + 1);
        if (random.Next(8) == 0) return at;
        while (at < mutated.Count && mutated[at][0] is (byte)FrameType.Header or (byte)FrameType.Body) at++;
        return at;
    }

    private static byte[] WithChannel(byte[] frame, byte channel) => [frame[0], 0, channel, .. frame.AsSpan(3)];

    private static byte[] WithType(byte[] frame, byte type) => [type, .. frame.AsSpan(1)];

    private byte[] WithPayload(byte[] frame, Random random)
    {
        ReadOnlySpan<byte> before = frame.AsSpan(Frame.HeaderSize, frame.Length - Frame.Overhead);
        int kept = frame[0] == (byte)FrameType.Method && before.Length >= MethodIdSize && random.Next(10) > 0 ? MethodIdSize : 0;
        byte[] payload = [.. before[..kept], .. _payloads.Mutate(before[kept..].ToArray(), Word(random), random)];
        byte[] changed = new byte[payload.Length + Frame.Overhead];
        payload.CopyTo(changed, Frame.HeaderSize);
        FrameWriter.Close(changed, (FrameType)frame[0], (ushort)(frame[1] << 8 | frame[2]), payload.Length);
        return changed;
    }
}
