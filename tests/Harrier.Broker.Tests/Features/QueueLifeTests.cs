using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Queues that end when nobody uses them (note 53), and queues that pause.</summary>
public sealed class QueueLifeTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private bool Exists => _bench.Durable.Session.VirtualHost.TryFindQueue("q", _bench.Durable.Session, out _);

    [Fact]
    public void An_unused_queue_ends_with_its_messages()
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { ExpiresMs = 1000 });
        _bench.Publish(1);
        _bench.Advance(990);
        Exists.ShouldBeTrue();
        _bench.Advance(20);
        Exists.ShouldBeFalse();
        _bench["dead"].ReadyCount.ShouldBe(0, "the end of a queue is no death (note 55)");
        _bench.Durable.Restart();
        Exists.ShouldBeFalse();
    }

    [Fact]
    public void Whoever_uses_it_prolongs_its_life()
    {
        _bench.Declare("q", new QueueSettings { ExpiresMs = 1000 });
        _bench.Advance(600);
        _bench.Get().ShouldBeNull();
        _bench.Advance(600);
        QueueConsumer consumer = _bench.Consume(new FakeConsumer());
        _bench.Advance(5000);
        _bench.Cancel(consumer);
        _bench.Advance(600);
        _bench.Ask(new QueueCommand(QueueCommandKind.Touch, _bench["q"]));
        _bench.Advance(600);
        Exists.ShouldBeTrue();
        _bench.Publish(1); // is no use
        _bench.Advance(410);
        Exists.ShouldBeFalse();
    }

    [Fact]
    public void A_restart_begins_its_time_anew()
    {
        _bench.Declare("q", new QueueSettings { ExpiresMs = 1000 });
        _bench.Advance(800);
        _bench.Restart();
        _bench.Advance(800);
        Exists.ShouldBeTrue();
        _bench.Advance(210);
        Exists.ShouldBeFalse();
    }

    [Fact]
    public void A_time_that_is_set_later_begins_then()
    {
        _bench.Declare("q");
        _bench.Get().ShouldBeNull();
        _bench.Advance(5000);
        _bench.Configure("q", new QueueSettings { ExpiresMs = 1000 });
        Exists.ShouldBeTrue();
        _bench.Advance(990);
        Exists.ShouldBeTrue();
        _bench.Advance(20);
        Exists.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pause_holds_deliveries_back_and_outlives_a_restart(bool withCheckpoint)
    {
        _bench.Declare("q");
        _bench.Publish(0);
        _bench.Ask(new QueueCommand(QueueCommandKind.Pause, _bench["q"]));
        _bench.Restart(withCheckpoint);
        _bench["q"].IsPaused.ShouldBeTrue();
        var output = new FakeConsumer();
        _bench.Consume(output);
        _bench.Publish(1, expirationMs: 50);
        _bench.Publish(2);
        _bench.Get().ShouldBeNull();
        _bench.Advance(60);
        _bench["q"].ReadyCount.ShouldBe(2, "what is paused expires all the same");
        output.Deliveries.ShouldBeEmpty();
        _bench.Ask(new QueueCommand(QueueCommandKind.Unpause, _bench["q"]));
        _bench.Settle();
        output.Deliveries.Select(delivery => (int)delivery.Sequence).ShouldBe([1, 3]);
    }
}
