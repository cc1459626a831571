using System.Buffers.Binary;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>
/// Makes conversations of 1.0 from conversations: mostly it moves, repeats and drops whole frames and changes what is inside of them, so that what comes
/// out still is frames; sometimes it breaks the frames as well.
/// </summary>
internal sealed class FrameMutator10(IReadOnlyList<byte[]> words, IReadOnlyList<byte[]> frames) : Mutator(words)
{
    private const int ProtocolHeaderSize = 8;

    // Few of the descriptors that chance finds are performatives, so most are kept.
    private const int DescriptorSize = 3;

    private readonly Mutator _bodies = new(words);

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

    /// <summary>The protocol headers and frames of a conversation; what is neither stands at the end as it is.</summary>
    internal static List<byte[]> Split(ReadOnlySpan<byte> conversation)
    {
        var split = new List<byte[]>();
        try
        {
            while (conversation.Length >= ProtocolHeaderSize)
            {
                ReadOnlySpan<byte> rest = conversation;
                if (conversation.StartsWith("AMQP"u8)) rest = conversation[ProtocolHeaderSize..];
                else if (!FrameReader10.TryRead(ref rest, SizeMax, out _)) break;
                split.Add(conversation[..^rest.Length].ToArray());
                conversation = rest;
            }
        }
        catch (FramingException)
        {
            // No frame from here on.
        }
        if (!conversation.IsEmpty) split.Add(conversation.ToArray());
        return split;
    }

    private void MutateOnce(List<byte[]> mutated, List<byte[]> spare, Random random)
    {
        int at = random.Next(mutated.Count + 1);
        bool isThere = at < mutated.Count && mutated[at].Length >= Frame10.HeaderSize;
        switch (random.Next(10))
        {
            case 0 when isThere: mutated.RemoveAt(at); break;
            case 1 when isThere: mutated.Insert(random.Next(mutated.Count + 1), mutated[at]); break;
            case 2 when isThere && random.Next(4) == 0: mutated[at] = [.. mutated[at].AsSpan(0, 7), (byte)random.Next(3), .. mutated[at].AsSpan(8)]; break;
            case 3 or 4 or 5 or 6 when isThere: mutated[at] = WithBody(mutated[at], random); break;
            case 7 when spare.Count > 0: mutated.InsertRange(at, spare.Skip(random.Next(spare.Count)).Take(random.Next(1, 6))); break;
            default: mutated.Insert(at, frames[random.Next(frames.Count)]); break;
        }
    }

    private byte[] WithBody(byte[] frame, Random random)
    {
        ReadOnlySpan<byte> body = frame.AsSpan(Frame10.HeaderSize);
        int kept = body.Length >= DescriptorSize && random.Next(10) > 0 ? DescriptorSize : 0;
        byte[] changed = [.. frame.AsSpan(0, Frame10.HeaderSize), .. body[..kept], .. _bodies.Mutate(body[kept..].ToArray(), Word(random), random)];
        if (!frame.AsSpan().StartsWith("AMQP"u8)) BinaryPrimitives.WriteInt32BigEndian(changed, changed.Length);
        return changed;
    }
}
