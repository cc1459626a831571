using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Features;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Browsing;

/// <summary>Queues that take messages and give none.</summary>
public class PauseTests
{
    [Fact]
    public void A_paused_queue_takes_messages_and_gives_none_until_it_goes_on()
    {
        using var bench = new FeatureBench();
        bench.Declare("q");
        var consumer = new FakeConsumer();
        bench.Consume(consumer, noAck: true);
        HostOf(bench).Pause(bench["q"], isPaused: true);
        bench["q"].IsPaused.ShouldBeTrue();
        for (int i = 0; i < 3; i++) bench.Publish(i);
        bench.Get().ShouldBeNull("basic.get gets nothing either");
        (consumer.Deliveries.Count, bench["q"].ReadyCount).ShouldBe((0, 3));

        HostOf(bench).Pause(bench["q"], isPaused: false);
        (consumer.Deliveries.Count, bench["q"].ReadyCount, bench["q"].IsPaused).ShouldBe((3, 0, false));
    }

    [Fact]
    public void What_is_out_can_be_settled_and_what_is_in_expires()
    {
        using var bench = new FeatureBench();
        bench.Declare("q");
        bench.Publish(1);
        bench.Publish(2, expirationMs: 1000);
        Taken held = bench.Get()!;
        HostOf(bench).Pause(bench["q"], isPaused: true);
        bench.Settle(held.Id, Outcome.Accepted);
        bench.Advance(1000);
        (bench["q"].ReadyCount, bench["q"].UnackedCount).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pause_outlives_a_restart_and_what_stands_in_the_queue_can_be_looked_at(bool withCheckpoint)
    {
        using var bench = new FeatureBench();
        bench.Declare("q");
        bench.Publish(1);
        HostOf(bench).Pause(bench["q"], isPaused: true);
        bench.Restart(withCheckpoint);
        bench["q"].IsPaused.ShouldBeTrue();
        bench.Get().ShouldBeNull();
        (await bench.Browse(new QueueBrowser(bench["q"]))).ShouldBe([1]);
        HostOf(bench).Pause(bench["q"], isPaused: false);
        bench.Restart(withCheckpoint);
        bench.Numbers().ShouldBe([1]);
    }

    private static VirtualHost HostOf(FeatureBench bench) => bench.Durable.Session.VirtualHost;
}
