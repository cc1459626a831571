namespace Harrier.Fuzz;

/// <summary>
/// A whole connection: whatever a peer says, the broker ends its connection in good order, writes nothing but frames, breaks no rule of its own and
/// serves the next client.
/// </summary>
/// <remarks>
/// The first octet of an input says how the rest, the peer's frames, is brought to the server:
/// <code>
///   bit 0     nothing is sent before it: the input begins at the protocol header; else it begins on an open connection with a channel
///   bits 1-2  the size of the segments that the server sees: the usual, 13, 64 or 1024
///   bit 3     frame by frame, each looked at before the next is sent; else all at once
///   bit 4     20 seconds pass before each frame
/// </code>
/// </remarks>
internal static class ConnectionTarget
{
    private static readonly int[] SegmentSizes = [0, 13, 64, 1024];

    /// <summary>With a peer that speaks 0-9-1.</summary>
    public static long Fuzz(ReadOnlySpan<byte> input) => Run(input, WellBehavedClient.Opening, FrameMutator.Split);

    /// <summary>With a peer that speaks 1.0, on an open connection with a session on channel 0.</summary>
    public static long Fuzz10(ReadOnlySpan<byte> input) => Run(input, Fragments10.Opening, FrameMutator10.Split);

    private static long Run(ReadOnlySpan<byte> input, byte[] opening, FrameSplit split)
    {
        if (input.IsEmpty) return 0;
        byte options = input[0];
        IReadOnlyList<byte[]> chunks = (options & 8) != 0 ? split(input[1..]) : [input[1..].ToArray()];
        return RunAsync(options, (options & 1) == 0 ? opening : [], chunks).GetAwaiter().GetResult();
    }

    private static async Task<long> RunAsync(byte options, byte[] opening, IReadOnlyList<byte[]> chunks)
    {
        using var broker = new BrokerUnderFire();
        TimeSpan pause = TimeSpan.FromSeconds((options & 16) != 0 ? 20 : 0);
        byte[] answers = await broker.TalkAsync([opening, .. chunks], pause, SegmentSizes[options >> 1 & 3]);
        long behaviour = ServerOutput.Check(answers);
        await WellBehavedClient.AssertServedAsync(broker);
        broker.AssertSound();
        return behaviour;
    }
}
