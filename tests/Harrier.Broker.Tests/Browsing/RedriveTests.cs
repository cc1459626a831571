using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Features;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Browsing;

/// <summary>Messages that are moved to an exchange. Those that go back by x-death stand with the wire format that has it.</summary>
public class RedriveTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Messages_go_to_an_exchange_in_their_order_and_are_there_after_a_restart(bool onDisk)
    {
        using FeatureBench bench = Filled(onDisk);
        Redrive redrive = To(bench, "retry");
        (await bench.Reading(redrive.RunAsync())).ShouldBe(new RedriveResult(Moved: 20, Stayed: 0));
        bench["dead"].ReadyCount.ShouldBe(0);
        bench.Restart();
        bench.Numbers("again").ShouldBe(Enumerable.Range(0, 20));
        bench.Numbers("dead").ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_a_number_and_a_dry_run(bool onDisk)
    {
        using FeatureBench bench = Filled(onDisk);
        var even = new MessageFilter(NotedFormat.KeyHeader, ArgumentValue.Of("even"));
        (Queue dead, VirtualHost host) = (bench["dead"], bench.Durable.Session.VirtualHost);

        var dry = new Redrive(dead, host, bench.Durable.Clock) { Exchange = "retry", RoutingKey = "k", Filter = even, IsDryRun = true };
        (await bench.Reading(dry.RunAsync())).ShouldBe(new RedriveResult(Moved: 10, Stayed: 0));
        (dead.ReadyCount, bench["again"].ReadyCount).ShouldBe((20, 0));

        var three = new Redrive(dead, host, bench.Durable.Clock) { Exchange = "retry", RoutingKey = "k", Filter = even, CountMax = 3 };
        (await bench.Reading(three.RunAsync())).ShouldBe(new RedriveResult(Moved: 3, Stayed: 0));
        bench.Numbers("again").ShouldBe([0, 2, 4]);
        bench.Numbers("dead").ShouldBe([1, 3, .. Enumerable.Range(5, 15)]);
    }

    [Fact]
    public async Task A_rate_is_kept_by_the_clock()
    {
        using FeatureBench bench = Filled(onDisk: false);
        (Queue dead, VirtualHost host) = (bench["dead"], bench.Durable.Session.VirtualHost);
        var slow = new Redrive(dead, host, bench.Durable.Clock) { Exchange = "retry", RoutingKey = "k", RatePerSecond = 4 };
        int timers = bench.Durable.Clock.TimerCount;
        Task<RedriveResult> running = slow.RunAsync();
        for (int moved = 1; moved <= 20; moved++)
        {
            await Until(() => bench.Durable.Clock.TimerCount > timers && bench["again"].ReadyCount >= moved);
            bench["again"].ReadyCount.ShouldBe(moved);
            bench.Durable.Clock.Advance(TimeSpan.FromMilliseconds(249));
            bench["again"].ReadyCount.ShouldBe(moved);
            bench.Durable.Clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        (await running).Moved.ShouldBe(20);
    }

    [Fact]
    public async Task What_has_nowhere_to_go_stays()
    {
        using FeatureBench bench = Filled(onDisk: false);
        (Queue dead, VirtualHost host) = (bench["dead"], bench.Durable.Session.VirtualHost);
        foreach (Redrive redrive in (Redrive[])
        [
            new(dead, host, bench.Durable.Clock) { Exchange = "nowhere" },
            new(dead, host, bench.Durable.Clock) { Exchange = "retry", RoutingKey = "nobody is bound to this" },
            new(dead, host, bench.Durable.Clock), // it did not die anywhere
        ])
            (await redrive.RunAsync()).ShouldBe(new RedriveResult(Moved: 0, Stayed: 20));
        bench.Numbers("dead").ShouldBe(Enumerable.Range(0, 20));
    }

    [Fact]
    public async Task What_comes_back_around_is_for_another_time()
    {
        using FeatureBench bench = Filled(onDisk: false);
        (Queue dead, VirtualHost host) = (bench["dead"], bench.Durable.Session.VirtualHost);
        var round = new Redrive(dead, host, bench.Durable.Clock) { Exchange = "", RoutingKey = "dead" };
        (await round.RunAsync()).ShouldBe(new RedriveResult(Moved: 20, Stayed: 0));
        bench.Numbers("dead").ShouldBe(Enumerable.Range(0, 20));
    }

    [Fact]
    public async Task What_somebody_has_is_left_alone()
    {
        using FeatureBench bench = Filled(onDisk: false);
        Taken held = bench.Get("dead")!;
        (await To(bench, "retry").RunAsync()).Moved.ShouldBe(19);
        bench.Settle(held.Id, Outcome.Failed, "dead");
        bench.Numbers("dead").ShouldBe([0]);
    }

    private static Redrive To(FeatureBench bench, string exchange) =>
        new(bench["dead"], bench.Durable.Session.VirtualHost, bench.Durable.Clock) { Exchange = exchange, RoutingKey = "k" };

    /// <summary>Twenty messages in "dead", the even ones with the key "even", and an exchange "retry" that sends them to "again" by the key "k".</summary>
    private static FeatureBench Filled(bool onDisk)
    {
        var bench = new FeatureBench();
        bench.Declare("dead");
        bench.Declare("again");
        bench.Durable.Session.Exchange("retry");
        bench.Durable.Session.BindQueue("retry", "again", "k");
        for (int i = 0; i < 20; i++) bench.Publish(i, key: i % 2 == 0 ? "even" : "odd", queue: "dead");
        if (onDisk) bench.Checkpoint();
        return bench;
    }

    private static async Task Until(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
