using System.Runtime.CompilerServices;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class ConsumerRingTests
{
    private readonly Queue _queue = new TestQueues().Create();
    private readonly ConsumerRing _ring = new();

    [Fact]
    public void Consumers_of_one_priority_take_turns()
    {
        QueueConsumer a = Active(), b = Active(), c = Active();
        foreach (QueueConsumer consumer in new[] { a, b, c }) _ring.Add(consumer);
        for (int i = 0; i < 9; i++)
        {
            _ring.TryTake(out QueueConsumer? taken).ShouldBeTrue();
            taken.ShouldBeSameAs(new[] { a, b, c }[i % 3]);
            _ring.Add(taken!);
        }
    }

    [Fact]
    public void A_higher_priority_comes_first_whenever_it_joined()
    {
        QueueConsumer low = Active(-5), middle = Active(0), high = Active(long.MaxValue);
        foreach (QueueConsumer consumer in new[] { low, high, middle }) _ring.Add(consumer);
        TakeAll().ShouldBe([high, middle, low]);
    }

    [Fact]
    public void Who_is_added_twice_has_one_turn()
    {
        QueueConsumer a = Active();
        _ring.Add(a);
        _ring.Add(a);
        TakeAll().ShouldBe([a]);
    }

    [Fact]
    public void Who_is_inactive_or_without_credit_is_passed_over()
    {
        QueueConsumer inactive = Active(), spent = Active(prefetch: 1), ready = Active();
        foreach (QueueConsumer consumer in new[] { inactive, spent, ready }) _ring.Add(consumer);
        inactive.IsActive = false;
        spent.UnackedCount = 1;
        TakeAll().ShouldBe([ready]);
        inactive.IsActive = true;
        _ring.Add(inactive);
        TakeAll().ShouldBe([inactive], "who was passed over can join again");
    }

    [Fact]
    public void Cancelled_consumers_of_an_idle_queue_are_not_kept()
    {
        var machineQueue = new TestQueues().Create();
        List<WeakReference> cancelled = [.. Enumerable.Range(0, 100).Select(_ => ConsumeAndCancel(machineQueue))];
        GC.Collect();
        cancelled.Count(c => c.IsAlive).ShouldBeLessThan(10, "a client that consumes and cancels in a loop must not fill the memory");
        GC.KeepAlive(machineQueue);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ConsumeAndCancel(Queue queue)
    {
        var driver = new BareDriver();
        var consumer = new QueueConsumer(queue, new FakeConsumer());
        driver.Apply(new QueueCommand(QueueCommandKind.Consume, queue, Consumer: consumer));
        driver.Apply(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: consumer));
        driver.Apply(new QueueCommand(QueueCommandKind.Cancel, queue, Consumer: consumer));
        return new WeakReference(consumer);
    }

    [Fact]
    public void Who_leaves_has_no_turn_and_changes_nobody_elses()
    {
        QueueConsumer a = Active(), b = Active(), alone = Active(priority: 9);
        foreach (QueueConsumer consumer in new[] { a, b, alone }) _ring.Add(consumer);
        _ring.Unregister(alone);
        _ring.Unregister(a);
        _ring.Unregister(a);
        TakeAll().ShouldBe([b]);
        QueueConsumer next = Active(priority: 9);
        _ring.Add(b);
        _ring.Add(next);
        TakeAll().ShouldBe([next, b]);
    }

    private QueueConsumer Active(long priority = 0, int prefetch = 0)
    {
        var consumer = new QueueConsumer(_queue, new FakeConsumer()) { Priority = priority, PrefetchCount = prefetch, IsActive = true };
        _ring.Register(consumer);
        return consumer;
    }

    private List<QueueConsumer> TakeAll()
    {
        var taken = new List<QueueConsumer>();
        while (_ring.TryTake(out QueueConsumer? consumer)) taken.Add(consumer);
        return taken;
    }
}
