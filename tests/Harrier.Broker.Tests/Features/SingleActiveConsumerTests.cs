using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>One consumer gets everything, and another takes over when it goes (note 94).</summary>
public sealed class SingleActiveConsumerTests : IDisposable
{
    private static readonly QueueSettings Single = new() { HasSingleActiveConsumer = true };

    private readonly FeatureBench _bench = new();
    private readonly FakeConsumer _first = new();
    private readonly FakeConsumer _second = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(QueueType.Classic)]
    [InlineData(QueueType.Quorum)]
    public void The_next_in_the_order_of_arrival_takes_over(QueueType type)
    {
        _bench.Declare("q", Single, type);
        QueueConsumer first = _bench.Consume(_first);
        _bench.Consume(_second);
        for (int i = 0; i < 3; i++) _bench.Publish(i);
        (_first.Deliveries.Count, _second.Deliveries.Count).ShouldBe((3, 0));
        _bench.Cancel(first);
        for (int i = 3; i < 5; i++) _bench.Publish(i);
        (_first.Deliveries.Count, _second.Deliveries.Count).ShouldBe((3, 2));
    }

    [Theory]
    [InlineData(QueueType.Classic, false)]
    [InlineData(QueueType.Quorum, true)]
    public void A_higher_priority_takes_over_on_a_quorum_queue_once_the_other_has_nothing_unacked(QueueType type, bool takesOver)
    {
        _bench.Declare("q", Single, type);
        _bench.Consume(_first);
        _bench.Publish(0);
        _bench.Consume(_second, priority: 1);
        _bench.Publish(1);
        (_first.Deliveries.Count, _second.Deliveries.Count).ShouldBe(takesOver ? (1, 0) : (2, 0));
        foreach (Delivery delivery in _first.Deliveries.ToArray()) _bench.Settle(delivery.Id, Outcome.Accepted);
        _bench.Publish(2);
        (_first.Deliveries.Count, _second.Deliveries.Count).ShouldBe(takesOver ? (1, 2) : (3, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_active_consumer_goes_on_when_the_one_that_was_to_take_over_has_gone(bool settlesBefore)
    {
        _bench.Declare("q", Single, QueueType.Quorum);
        _bench.Consume(_first, prefetch: 2);
        for (int i = 0; i < 5; i++) _bench.Publish(i);
        QueueConsumer second = _bench.Consume(_second, priority: 1);
        if (settlesBefore) _bench.Settle(_first.Deliveries[0].Id, Outcome.Accepted);
        _bench.Cancel(second);
        if (!settlesBefore) _bench.Settle(_first.Deliveries[0].Id, Outcome.Accepted);
        _first.Deliveries.Count.ShouldBe(3);
        for (int i = 1; i < _first.Deliveries.Count; i++) _bench.Settle(_first.Deliveries[i].Id, Outcome.Accepted);
        _first.Deliveries.Select(d => (int)d.Sequence).ShouldBe([1, 2, 3, 4, 5]);
        _second.Deliveries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(QueueType.Classic, 1)]
    [InlineData(QueueType.Quorum, 1)]
    [InlineData(QueueType.Quorum, 2)]
    [InlineData(QueueType.Quorum, 3)]
    public void Whoever_comes_and_goes_one_of_them_is_served(QueueType type, int seed)
    {
        var random = new Random(seed);
        _bench.Declare("q", Single, type);
        List<Member> members = [];
        Member? active = null;
        int ready = 0;
        for (int round = 0; round < 600; round++)
        {
            switch (random.Next(6))
            {
                case 0 when members.Count < 4: members.Add(Join(random.Next(3), prefetch: 1 + random.Next(3))); break;
                case 1 when members.Count > 0:
                    Member gone = members[random.Next(members.Count)];
                    members.Remove(gone);
                    _bench.Cancel(gone.Consumer);
                    break;
                case 2 or 3:
                    _bench.Publish(round);
                    ready++;
                    break;
                default:
                    if (active is not null && active.Held.TryDequeue(out DeliveryId id))
                    {
                        active.HeldBefore--;
                        _bench.Settle(id, Outcome.Accepted);
                    }
                    break;
            }
            Member? first = type == QueueType.Quorum ? members.MaxBy(m => m.Consumer.Priority) : members.FirstOrDefault();
            bool isThere = active is not null && members.Contains(active);
            bool stays = isThere && (type == QueueType.Classic || active!.Consumer.Priority >= first!.Consumer.Priority);
            bool isHandingOver = isThere && !stays && active!.HeldBefore > 0;
            if (!stays && !isHandingOver) active = first;
            if (!isHandingOver && active is not null) ready -= Math.Min(ready, active.Consumer.PrefetchCount - active.HeldBefore);
            _bench["q"].ReadyCount.ShouldBe(ready, $"round {round}");
            members.Where(m => m != active).ShouldAllBe(m => m.Held.Count == 0 || m.HeldBefore == m.Held.Count);
            foreach (Member member in members) member.HeldBefore = member.Held.Count;
        }
    }

    private Member Join(long priority, int prefetch)
    {
        var held = new Queue<DeliveryId>();
        return new Member(_bench.Consume(new FakeConsumer { OnDelivery = delivery => held.Enqueue(delivery.Id) }, prefetch, priority), held);
    }

    private sealed record Member(QueueConsumer Consumer, Queue<DeliveryId> Held)
    {
        public int HeldBefore { get; set; }
    }
}
