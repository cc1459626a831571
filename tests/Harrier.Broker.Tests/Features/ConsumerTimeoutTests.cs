using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>A delivery is lent for a time: then it is taken back, as failed, and the consumer lives (note 95).</summary>
public sealed class ConsumerTimeoutTests : IDisposable
{
    private readonly FeatureBench _bench = new();
    private readonly FakeConsumer _output = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1000, null)]
    [InlineData(null, 1000L)]
    [InlineData(9000, 1000L)]
    public void What_is_kept_for_too_long_is_taken_back(int? ofQueueMs, long? ofConsumerMs)
    {
        _bench.Declare("q", new QueueSettings { ConsumerTimeoutMs = ofQueueMs });
        _bench.Consume(_output, prefetch: 1, timeoutMs: ofConsumerMs);
        _bench.Publish(1);
        _bench.Advance(990);
        _output.Overdue.ShouldBeEmpty();
        _bench.Advance(20);
        _output.Overdue.ShouldBe([_output.Deliveries[0].Id]);
        _output.Deliveries.Select(d => (d.AcquiredCount, d.DeliveryCount)).ShouldBe([(0, 0), (1, 1)]);
        _bench.Settle(_output.Deliveries[0].Id, Outcome.Accepted); // too late: it is somebody else's now
        _bench["q"].UnackedCount.ShouldBe(1);
        _bench.Settle(_output.Deliveries[1].Id, Outcome.Accepted);
        _bench["q"].UnackedCount.ShouldBe(0);
    }

    [Fact]
    public void Each_delivery_has_its_own_time_and_a_cancelled_consumer_has_it_too()
    {
        _bench.Declare("q", new QueueSettings { ConsumerTimeoutMs = 1000 });
        QueueConsumer consumer = _bench.Consume(_output, prefetch: 10);
        for (int i = 0; i < 3; i++)
        {
            _bench.Publish(i);
            _bench.Advance(100);
        }
        _bench.Settle(_output.Deliveries[0].Id, Outcome.Accepted);
        _bench.Cancel(consumer);
        _bench.Advance(810);
        (_bench["q"].UnackedCount, _bench["q"].ReadyCount).ShouldBe((1, 1));
        _bench.Advance(100);
        (_bench["q"].UnackedCount, _bench["q"].ReadyCount).ShouldBe((0, 2));
        _output.Overdue.ShouldBe([_output.Deliveries[1].Id, _output.Deliveries[2].Id]);
    }

    [Fact]
    public void Leases_that_end_count_towards_the_delivery_limit()
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { ConsumerTimeoutMs = 100, DeliveryLimit = 2 });
        _bench.Consume(_output);
        _bench.Publish(1);
        _bench.Advance(1000);
        _output.Deliveries.Count.ShouldBe(3);
        _bench.GetAll("dead").Select(taken => taken.Deaths).ShouldBe(["q:delivery_limit"]);
    }

    [Fact]
    public void Consumers_with_leases_do_what_a_list_would()
    {
        var random = new Random(1);
        _bench.Declare("q", new QueueSettings { ConsumerTimeoutMs = 300 });
        var heldUntilMs = new Dictionary<DeliveryId, long>();
        var output = new FakeConsumer { OnDelivery = delivery => heldUntilMs[delivery.Id] = _bench.NowMs + 300 };
        _bench.Consume(output, prefetch: 5);
        for (int round = 0; round < 150; round++)
        {
            if (random.Next(3) > 0) _bench.Publish(round);
            if (random.Next(3) == 0 && heldUntilMs.Count > 0)
            {
                DeliveryId id = heldUntilMs.Keys.ElementAt(random.Next(heldUntilMs.Count));
                heldUntilMs.Remove(id);
                _bench.Settle(id, Outcome.Accepted);
            }
            int overdue = output.Overdue.Count;
            if (random.Next(4) == 0) _bench.Checkpoint();
            _bench.Advance(10 * random.Next(10));
            foreach (DeliveryId id in output.Overdue.Skip(overdue))
            {
                heldUntilMs[id].ShouldBeLessThanOrEqualTo(_bench.NowMs);
                heldUntilMs.Remove(id);
            }
            heldUntilMs.Values.ShouldAllBe(untilMs => untilMs > _bench.NowMs);
            _bench["q"].UnackedCount.ShouldBe(heldUntilMs.Count);
            if (_bench["q"].ReadyCount > 0) heldUntilMs.Count.ShouldBe(5);
        }
        output.Overdue.ShouldNotBeEmpty();
    }
}
