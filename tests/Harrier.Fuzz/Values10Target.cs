using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>1.0 values are read without allocating, and say the same when they are written again in their shortest form.</summary>
internal static class Values10Target
{
    // What throwing an exception costs.
    private const int BytesAllocatedMax = 32 << 10;

    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var walk = new ValueWalk10();
        var behaviour = new Behaviour();
        long before = GC.GetAllocatedBytesForCurrentThread();
        string? refusal = null;
        try
        {
            walk.ReadAll(new ValueReader(input));
        }
        catch (DecodeException e)
        {
            refusal = e.Message;
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(BytesAllocatedMax);
        behaviour.Add(walk.Shape);
        if (refusal is null) AssertSaysTheSame(input, walk.Meaning);
        else behaviour.AddKind(refusal);
        return behaviour.Value;
    }

    private static void AssertSaysTheSame(ReadOnlySpan<byte> input, long meaning)
    {
        var writer = new ValueWriter(stackalloc byte[64]);
        scoped var reader = new ValueReader(input);
        ValueCopy10.CopyAll(ref reader, ref writer);
        writer.Size.ShouldBeLessThanOrEqualTo(input.Length);
        var again = new ValueWalk10();
        again.ReadAll(new ValueReader(writer.Written));
        writer.Dispose();
        again.Meaning.ShouldBe(meaning);
    }
}
