using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class ChunkedDequeTests
{
    // Positive steps add as many, negative ones take; the sizes make chunks of all sizes fill, empty and be reused.
    [Fact]
    public void It_is_first_in_first_out() => Properties.ForAllSequences(Gen.Choose(-800, 800), steps =>
    {
        var deque = new ChunkedDeque<Place>();
        var expected = new Queue<int>();
        int next = 0;
        foreach (int step in steps)
        {
            for (int i = 0; i < step; i++)
            {
                deque.Enqueue(new Place((ulong)next));
                expected.Enqueue(next++);
            }
            for (int i = 0; i > step && expected.Count > 0; i--)
            {
                deque.Peek().Sequence.ShouldBe((ulong)expected.Peek());
                deque.Dequeue().Sequence.ShouldBe((ulong)expected.Dequeue());
            }
            deque.Count.ShouldBe(expected.Count);
        }
    }, runs: 60);

    [Fact]
    public void What_was_taken_can_be_collected()
    {
        var deque = new ChunkedDeque<Place>();
        WeakReference taken = AddAndTake(deque);
        GC.Collect();
        taken.IsAlive.ShouldBeFalse();
        deque.Count.ShouldBe(1);
    }

    [Fact]
    public void A_steady_flow_allocates_next_to_nothing()
    {
        var deque = new ChunkedDeque<Place>();
        Flow(deque, 5_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Flow(deque, 50_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(50_000 / 4, "a small object per chunk, but not the chunk");
    }

    [Fact]
    public void A_backlog_that_comes_and_goes_takes_its_chunks_from_a_pool()
    {
        for (int i = 0; i < 3; i++) FillAndDrain(8_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FillAndDrain(8_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(8_000 * 16 / 4);
    }

    [Fact]
    public void Lists_that_share_a_pool_do_not_share_what_is_in_them()
    {
        ChunkedDeque<Place>[] deques = [new(), new(), new()];
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 2_000; i++) deques[i % 3].Enqueue(new Place((ulong)i));
            for (int i = 0; i < 2_000; i++) deques[i % 3].Dequeue().Sequence.ShouldBe((ulong)i);
        }
    }

    [Fact]
    public void It_finds_what_is_there_and_lets_it_be_replaced() => Properties.ForAllSequences(Gen.Choose(1, 2_000), steps =>
    {
        var deque = new ChunkedDeque<Place>();
        var expected = new SortedSet<ulong>();
        ulong next = 0;
        foreach (int step in steps)
        {
            for (int i = 0; i < step; i++) expected.Add(next += 1 + (ulong)(i % 3));
            foreach (ulong sequence in expected.Where(s => s > (deque.Count == 0 ? 0 : deque.Last().Sequence)).ToArray()) deque.Enqueue(new Place(sequence));
            for (int i = 0; i < step / 2 && expected.Count > 0; i++) expected.Remove(deque.Dequeue().Sequence);
            for (ulong probe = 0; probe < next + 2; probe += 1 + next / 40)
                deque.Find(probe).Length.ShouldBe(expected.Contains(probe) ? 1 : 0);
        }
        if (expected.Count == 0) return;
        deque.Find(expected.Max)[0] = new Place(expected.Max, "new");
        deque.Last().Load.ShouldBe("new");
    }, runs: 60);

    private static void FillAndDrain(int count)
    {
        var deque = new ChunkedDeque<Place>();
        for (int i = 0; i < count; i++) deque.Enqueue(new Place((ulong)i));
        while (deque.Count > 0) deque.Dequeue();
    }

    private static void Flow(ChunkedDeque<Place> deque, int count)
    {
        for (int i = 0; i < count; i++)
        {
            deque.Enqueue(new Place((ulong)i));
            if (deque.Count > 700) deque.Dequeue();
        }
    }

    private static WeakReference AddAndTake(ChunkedDeque<Place> deque)
    {
        deque.Enqueue(new Place(1, new object()));
        deque.Enqueue(new Place(2, "stays"));
        return new WeakReference(deque.Dequeue().Load);
    }

    private readonly record struct Place(ulong Sequence, object? Load = null) : ISequenced;
}
