using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Consumers with a filter, case by case.</summary>
public sealed class FilteredConsumerTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public FilteredConsumerTests() => _bench.Declare("q");

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    [InlineData(false, 4)]
    [InlineData(true, 4)]
    public void What_is_given_back_comes_again_and_is_marked(bool onDisk, int count)
    {
        for (int i = 0; i < count; i++) _bench.Publish(i);
        if (onDisk) _bench.Restart(withCheckpoint: true);
        var output = new FakeConsumer();
        Begin(output, new NumberFilter(3, 1), prefetch: 2);
        for (int round = 0; round < 3; round++)
        {
            Delivery delivery = output.Deliveries.ShouldHaveSingleItem();
            delivery.IsRedelivered.ShouldBe(round > 0);
            output.Deliveries.Clear();
            _bench.Settle(delivery.Id, Outcome.Released);
        }
        _bench.Settle(output.Deliveries.ShouldHaveSingleItem().Id, Outcome.Accepted);
        _bench.Numbers().ShouldBe(Enumerable.Range(0, count).Where(i => i != 1));
    }

    [Fact]
    public void What_others_had_before_a_restart_and_give_back_comes_again()
    {
        var first = new FakeConsumer();
        Begin(first, filter: null);
        for (int i = 0; i < 2; i++) _bench.Publish(i);
        _bench.Restart(withCheckpoint: true);
        var output = new FakeConsumer();
        Begin(output, new NumberFilter(3, 1));
        for (int round = 1; round < 4; round++)
        {
            output.Deliveries.Count.ShouldBe(round);
            _bench.Settle(output.Deliveries[^1].Id, Outcome.Released);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_that_match_nobody_stay_in_nobodys_way(bool onDisk)
    {
        for (int i = 0; i < 1000; i++) _bench.Publish(i);
        if (onDisk) _bench.Checkpoint();
        var third = new FakeConsumer();
        Begin(third, new NumberFilter(3, 2), prefetch: 10);
        for (int i = 0; third.Deliveries.Count > i; i++) _bench.Settle(third.Deliveries[i].Id, Outcome.Accepted);
        third.Numbers.ShouldBe(Enumerable.Range(0, 1000).Where(i => i % 3 == 2));
        _bench.Numbers().ShouldBe(Enumerable.Range(0, 1000).Where(i => i % 3 != 2));
    }

    [Fact]
    public void What_was_taken_leaves_no_file_behind()
    {
        for (int i = 0; i < 1000; i++) _bench.Publish(i);
        _bench.Checkpoint();
        FakeConsumer all = new(), browser = new();
        Begin(browser, filter: null, isBrowsing: true);
        Begin(all, new NumberFilter(1, 0), prefetch: 10);
        for (int i = 0; all.Deliveries.Count > i; i++) _bench.Settle(all.Deliveries[i].Id, Outcome.Accepted);
        (all.Numbers.Count, browser.Numbers.Count).ShouldBe((1000, 1000));
        for (int i = 0; i < 3; i++) _bench.Checkpoint();
        _bench.Durable.Disk.List("segments").ShouldBeEmpty();
    }

    [Fact]
    public void Nothing_is_given_without_room_and_all_of_it_when_there_is_room()
    {
        var output = new FakeConsumer { RoomLeft = 0 };
        QueueConsumer consumer = Begin(output, new NumberFilter(2, 0));
        for (int i = 0; i < 10; i++) _bench.Publish(i);
        output.Deliveries.ShouldBeEmpty();
        output.AwaitsResume.ShouldBeTrue();
        output.RoomLeft = null;
        _bench.Run(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
        _bench.Settle();
        output.Numbers.ShouldBe([0, 2, 4, 6, 8]);
    }

    [Fact]
    public void A_pause_holds_it_back_too()
    {
        var output = new FakeConsumer();
        Begin(output, new NumberFilter(2, 0));
        _bench.Ask(new QueueCommand(QueueCommandKind.Pause, _bench["q"]));
        _bench.Publish(0);
        output.Deliveries.ShouldBeEmpty();
        _bench.Ask(new QueueCommand(QueueCommandKind.Unpause, _bench["q"]));
        _bench.Settle();
        output.Deliveries.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_drain_ends_at_the_end_of_the_queue(bool onDisk)
    {
        for (int i = 0; i < 500; i++) _bench.Publish(i);
        if (onDisk) _bench.Checkpoint();
        var output = new FakeConsumer();
        QueueConsumer consumer = Begin(output, new NumberFilter(100, 42), usesLinkCredit: true);
        _bench.Run(new QueueCommand(QueueCommandKind.Credit, consumer.Queue, Consumer: consumer, Sequence: 3));
        _bench.Settle();
        (output.Deliveries.Count, output.DrainedAt).ShouldBe((3, null));
        _bench.Run(new QueueCommand(QueueCommandKind.Credit, consumer.Queue, Consumer: consumer, Sequence: 10, Flags: QueueCommandFlags.Drain));
        output.DrainedAt.ShouldBeNull("it looks yet");
        _bench.Settle();
        (output.Deliveries.Count, output.DrainedAt).ShouldBe((5, 10U));
    }

    [Fact]
    public void Only_the_single_active_consumer_gets_anything()
    {
        _bench.Configure("q", new QueueSettings { HasSingleActiveConsumer = true });
        FakeConsumer first = new(), second = new();
        QueueConsumer active = Begin(first, new NumberFilter(2, 0));
        Begin(second, new NumberFilter(2, 1));
        for (int i = 0; i < 4; i++) _bench.Publish(i);
        first.Numbers.ShouldBe([0, 2]);
        second.Deliveries.ShouldBeEmpty();
        _bench.Cancel(active);
        second.Numbers.ShouldBe([1, 3]);
    }

    [Fact]
    public void What_it_keeps_for_too_long_is_taken_back()
    {
        var output = new FakeConsumer();
        _bench.Begin(new QueueConsumer(_bench["q"], output) { Filter = new NumberFilter(2, 1), PrefetchCount = 1, TimeoutMs = 100 });
        for (int i = 0; i < 4; i++) _bench.Publish(i);
        _bench.Advance(110);
        output.Overdue.Count.ShouldBe(1);
        output.Numbers.ShouldBe([1, 1]);
    }

    [Fact]
    public void Who_is_settled_with_at_once_leaves_nothing_behind()
    {
        var output = new FakeConsumer();
        Begin(output, new NumberFilter(2, 1), noAck: true);
        for (int i = 0; i < 4; i++) _bench.Publish(i);
        _bench.Restart();
        output.Numbers.ShouldBe([1, 3]);
        _bench.Numbers().ShouldBe([0, 2]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_a_crash_only_what_was_given_counts_as_given(bool withCheckpoint)
    {
        Begin(new FakeConsumer(), new NumberFilter(2, 1));
        for (int i = 0; i < 4; i++) _bench.Publish(i);
        _bench.Restart(withCheckpoint);
        _bench.GetAll().Select(taken => (taken.Number, taken.IsRedelivered)).ShouldBe([(0, false), (1, true), (2, false), (3, true)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_browses_gets_copies_of_all_that_is_there_and_of_what_comes(bool onDisk)
    {
        for (int i = 0; i < 300; i++) _bench.Publish(i);
        if (onDisk) _bench.Checkpoint();
        FakeConsumer all = new(), some = new();
        Begin(all, filter: null, isBrowsing: true);
        Begin(some, new NumberFilter(100, 0), isBrowsing: true);
        for (int i = 300; i < 310; i++) _bench.Publish(i);
        all.Numbers.ShouldBe(Enumerable.Range(0, 310));
        some.Numbers.ShouldBe([0, 100, 200, 300]);
        all.Deliveries.ShouldAllBe(delivery => delivery.IsSettled && !delivery.IsRedelivered);
        (_bench["q"].ReadyCount, _bench["q"].UnackedCount, _bench["q"].ConsumerCount).ShouldBe((310, 0, 0));
        _bench.Ask(new QueueCommand(QueueCommandKind.Delete, _bench["q"], Flags: QueueCommandFlags.IfUnused)).Status.ShouldBe(QueueAnswerStatus.Done);
        (all.LostItsQueue, some.LostItsQueue).ShouldBe((true, true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_looks_through_what_cannot_be_read_is_told_and_its_drain_ends(bool isBrowsing)
    {
        for (int i = 0; i < 500; i++) _bench.Publish(i);
        _bench.Checkpoint();
        Damage();
        var output = new FakeConsumer();
        QueueConsumer consumer = Begin(output, new NumberFilter(100, 42), usesLinkCredit: true, isBrowsing: isBrowsing);
        _bench.Run(new QueueCommand(QueueCommandKind.Credit, consumer.Queue, Consumer: consumer, Sequence: 3, Flags: QueueCommandFlags.Drain));
        (output.UnreadableCount, output.DrainedAt).ShouldBe((0, null));
        _bench.Settle();
        (output.UnreadableCount, output.DrainedAt).ShouldBe((1, 3U));
        _bench.Publish(542);
        (output.UnreadableCount, output.Deliveries.Count).ShouldBe((1, 0));
        _bench.Cancel(consumer);
        _bench["q"].ReadyCount.ShouldBe(501);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_drain_ends_where_the_queue_stands_still(bool cameBack)
    {
        for (int i = 0; i < 500; i++) _bench.Publish(i);
        Taken? taken = cameBack ? _bench.Get() : null;
        _bench.Checkpoint();
        if (taken is not null) _bench.Settle(taken.Id, Outcome.Released);
        Damage();
        FakeConsumer ordinary = new(), filtered = new();
        QueueConsumer first = Begin(ordinary, filter: null, usesLinkCredit: true), second = Begin(filtered, new NumberFilter(1000, 542), usesLinkCredit: true);
        foreach (QueueConsumer consumer in (QueueConsumer[])[first, second])
            _bench.Run(new QueueCommand(QueueCommandKind.Credit, consumer.Queue, Consumer: consumer, Sequence: 3, Flags: QueueCommandFlags.Drain));
        _bench.Settle();
        (ordinary.DrainedAt, filtered.DrainedAt, ordinary.Deliveries.Count, filtered.Deliveries.Count).ShouldBe((3U, 3U, 0, 0));
        _bench.Run(new QueueCommand(QueueCommandKind.Credit, first.Queue, Consumer: first, Sequence: 5, Flags: QueueCommandFlags.Drain));
        ordinary.DrainedAt.ShouldBe(5U);
    }

    private void Damage() => _bench.Durable.Disk.Corrupt(_bench.Durable.Disk.List("segments").Order(StringComparer.Ordinal).First(), 60, 1);

    private QueueConsumer Begin(FakeConsumer output, NumberFilter? filter, int prefetch = 0, bool usesLinkCredit = false, bool isBrowsing = false, bool noAck = false)
    {
        var consumer = new QueueConsumer(_bench["q"], output)
        {
            Filter = filter, PrefetchCount = prefetch, UsesLinkCredit = usesLinkCredit, IsBrowsing = isBrowsing, NoAck = noAck,
        };
        _bench.Begin(consumer);
        return consumer;
    }
}
