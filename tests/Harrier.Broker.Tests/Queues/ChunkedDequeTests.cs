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
        var deque = new ChunkedDeque<int>();
        var expected = new Queue<int>();
        int next = 0;
        foreach (int step in steps)
        {
            for (int i = 0; i < step; i++)
            {
                deque.Enqueue(next);
                expected.Enqueue(next++);
            }
            for (int i = 0; i > step && expected.Count > 0; i--)
            {
                deque.Peek().ShouldBe(expected.Peek());
                deque.Dequeue().ShouldBe(expected.Dequeue());
            }
            deque.Count.ShouldBe(expected.Count);
        }
    }, runs: 60);

    [Fact]
    public void What_was_taken_can_be_collected()
    {
        var deque = new ChunkedDeque<object>();
        WeakReference taken = AddAndTake(deque);
        GC.Collect();
        taken.IsAlive.ShouldBeFalse();
        deque.Count.ShouldBe(1);
    }

    [Fact]
    public void A_steady_flow_allocates_next_to_nothing()
    {
        var deque = new ChunkedDeque<long>();
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
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(8_000 * sizeof(long) / 4);
    }

    [Fact]
    public void Lists_that_share_a_pool_do_not_share_what_is_in_them()
    {
        ChunkedDeque<int>[] deques = [new(), new(), new()];
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 2_000; i++) deques[i % 3].Enqueue(i);
            for (int i = 0; i < 2_000; i++) deques[i % 3].Dequeue().ShouldBe(i);
        }
    }

    private static void FillAndDrain(int count)
    {
        var deque = new ChunkedDeque<long>();
        for (int i = 0; i < count; i++) deque.Enqueue(i);
        while (deque.Count > 0) deque.Dequeue();
    }

    private static void Flow(ChunkedDeque<long> deque, int count)
    {
        for (int i = 0; i < count; i++)
        {
            deque.Enqueue(i);
            if (deque.Count > 700) deque.Dequeue();
        }
    }

    private static WeakReference AddAndTake(ChunkedDeque<object> deque)
    {
        deque.Enqueue(new object());
        deque.Enqueue("stays");
        return new WeakReference(deque.Dequeue());
    }
}
