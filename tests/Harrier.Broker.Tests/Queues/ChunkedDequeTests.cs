using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class ChunkedDequeTests
{
    // Positive steps add as many, negative ones take; the sizes make chunks of 512 fill, empty and be reused.
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
    public void A_steady_flow_allocates_nothing()
    {
        var deque = new ChunkedDeque<long>();
        Flow(deque, 5_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Flow(deque, 50_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
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
