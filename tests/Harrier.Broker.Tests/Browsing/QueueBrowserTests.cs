using System.Runtime.CompilerServices;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Features;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Browsing;

/// <summary>Looking at a queue, in memory and on disk.</summary>
public class QueueBrowserTests
{
    private const int Count = 300; // of more than one page

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_message_is_shown_in_order_and_stays(bool onDisk)
    {
        using FeatureBench bench = Filled(onDisk);
        for (int round = 0; round < 2; round++) (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe(Enumerable.Range(0, Count));
        (bench["q"].ReadyCount, bench["q"].UnackedCount).ShouldBe((Count, 0));
        List<Taken> taken = bench.GetAll();
        taken.Select(t => t.Number).ShouldBe(Enumerable.Range(0, Count));
        taken.ShouldAllBe(t => !t.IsRedelivered, "to be looked at is not to be delivered");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_newest_come_first_when_asked_for(bool onDisk)
    {
        using FeatureBench bench = Filled(onDisk);
        (await bench.Browse(new QueueBrowser(bench["q"]) { NewestFirst = true })).ShouldBe(Enumerable.Range(0, Count).Reverse());
    }

    [Fact]
    public async Task What_is_on_disk_and_what_came_since_are_shown_as_one()
    {
        using FeatureBench bench = Filled(onDisk: true);
        for (int i = Count; i < Count + 10; i++) bench.Publish(i);
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe(Enumerable.Range(0, Count + 10));
        (await bench.Browse(new QueueBrowser(bench["q"]) { NewestFirst = true })).ShouldBe(Enumerable.Range(0, Count + 10).Reverse());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_and_a_position_choose(bool onDisk)
    {
        using var bench = new FeatureBench();
        bench.Declare("q");
        for (int i = 0; i < 20; i++) bench.Publish(i, key: i % 3 == 0 ? "third" : i % 3 == 1 ? "other" : "");
        if (onDisk) bench.Checkpoint();
        var third = new MessageFilter(NotedFormat.KeyHeader, ArgumentValue.Of("third"));
        (await bench.Browse(new QueueBrowser(bench["q"]) { Filter = third })).ShouldBe([0, 3, 6, 9, 12, 15, 18]);
        (await bench.Browse(new QueueBrowser(bench["q"]) { Filter = third, Skip = 5 })).ShouldBe([15, 18]);
        (await bench.Browse(new QueueBrowser(bench["q"]) { Filter = third, Skip = 5, NewestFirst = true })).ShouldBe([3, 0]);
        (await bench.Browse(new QueueBrowser(bench["q"]) { Filter = new MessageFilter(NotedFormat.KeyHeader), Skip = 12 })).ShouldBe([18, 19], "any value");
        (await bench.Browse(new QueueBrowser(bench["q"]) { Skip = 20 })).ShouldBeEmpty();
        (await bench.Browse(new QueueBrowser(bench["q"]) { Filter = new MessageFilter("unheard of") })).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Higher_priorities_come_first_as_they_would_be_delivered(bool onDisk)
    {
        using var bench = new FeatureBench();
        bench.Declare("q", new QueueSettings { PriorityMax = 3 });
        for (int i = 0; i < 12; i++) bench.Publish(i, priority: (byte)(i % 4));
        if (onDisk) bench.Checkpoint();
        int[] inOrder = [3, 7, 11, 2, 6, 10, 1, 5, 9, 0, 4, 8];
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe(inOrder);
        (await bench.Browse(new QueueBrowser(bench["q"]) { NewestFirst = true })).ShouldBe(inOrder.Reverse(), "the last that would be delivered comes first");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_delivered_acknowledged_or_expired_is_not_shown(bool onDisk)
    {
        using var bench = new FeatureBench();
        bench.Declare("q");
        for (int i = 0; i < 10; i++) bench.Publish(i, expirationMs: i == 5 ? 1000 : null);
        if (onDisk) bench.Checkpoint();
        Taken held = bench.Get()!;
        bench.Get(isSettled: true);
        bench.Advance(1000);
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe([2, 3, 4, 6, 7, 8, 9]);
        bench.Settle(held.Id, Outcome.Failed);
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe([0, 2, 3, 4, 6, 7, 8, 9]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_came_back_is_shown_once_and_in_its_place(bool onDisk)
    {
        using FeatureBench bench = Filled(onDisk);
        DeliveryId[] taken = [.. Enumerable.Range(0, Count - 20).Select(_ => bench.Get()!.Id)];
        foreach (DeliveryId id in taken.Where((_, i) => i % 3 != 0).Reverse()) bench.Settle(id, Outcome.Released);
        int[] shown = [.. Enumerable.Range(0, Count).Where(i => i % 3 != 0 || i >= Count - 20)];
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe(shown);
        (await bench.Browse(new QueueBrowser(bench["q"]) { NewestFirst = true })).ShouldBe(shown.Reverse());
        (await bench.Browse(new QueueBrowser(bench["q"]) { Skip = 150 })).ShouldBe(shown.Skip(150));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_page_costs_what_it_shows_though_very_many_came_back(bool isBackwards)
    {
        const int Many = 5_000;
        using var bench = new FeatureBench();
        bench.Declare("q");
        for (int i = 0; i < Many; i++) bench.Publish(i);
        DeliveryId[] taken = [.. Enumerable.Range(0, Many).Select(_ => bench.Get()!.Id)];
        foreach (DeliveryId id in taken) bench.Settle(id, Outcome.Released);
        bench["q"].Machine.Browse(QueueMachine.Beginning(isBackwards)); // what is made once is made now
        long before = GC.GetAllocatedBytesForCurrentThread();
        BrowsePage page = bench["q"].Machine.Browse(QueueMachine.Beginning(isBackwards))!;
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(Many / 4 * Unsafe.SizeOf<QueueEntry>());
        page.Entries.Count.ShouldBeInRange(2, Many / 8);
    }

    [Fact]
    public async Task A_message_tells_its_place_and_times_and_how_often_it_came_back()
    {
        using var bench = new FeatureBench();
        bench.Declare("q", new QueueSettings { PriorityMax = 5 });
        long publishedAtMs = bench.NowMs;
        bench.Publish(7, expirationMs: 60_000, priority: 2);
        bench.Advance(1000);
        bench.Settle(bench.Get()!.Id, Outcome.Failed);
        bench.Settle(bench.Get()!.Id, Outcome.Released);
        await foreach (BrowsedMessage shown in new QueueBrowser(bench["q"]).ReadAsync())
        {
            DurableBench.NumberOf(shown.Message).ShouldBe(7);
            (shown.Sequence, shown.Priority, shown.ArrivedAtMs, shown.ExpiresAtMs, shown.AcquiredCount, shown.DeliveryCount)
                .ShouldBe((1ul, (byte)2, publishedAtMs, publishedAtMs + 60_000, 2, 1));
        }
    }

    [Fact]
    public async Task A_queue_that_is_deleted_meanwhile_ends_the_browsing()
    {
        using FeatureBench bench = Filled(onDisk: false);
        int shown = 0;
        await foreach (BrowsedMessage _ in new QueueBrowser(bench["q"]).ReadAsync())
            if (++shown == 10) bench.Ask(new QueueCommand(QueueCommandKind.Delete, bench["q"]));
        shown.ShouldBeInRange(10, Count - 1);
    }

    private static FeatureBench Filled(bool onDisk)
    {
        var bench = new FeatureBench();
        bench.Declare("q");
        for (int i = 0; i < Count; i++) bench.Publish(i);
        if (onDisk) bench.Checkpoint();
        return bench;
    }
}
