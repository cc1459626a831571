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
}
