using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>How often a message may come back, and how long it waits then.</summary>
public sealed class RetryTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Failures_count_towards_the_limit_and_returns_do_not(bool hasRestarts)
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { DeliveryLimit = 2 });
        _bench.Publish(1);
        for (int failures = 0; failures < 3; failures++)
        {
            for (int i = 0; i < 5; i++)
            {
                Taken returned = _bench.Get()!;
                (returned.DeliveryCount, returned.IsRedelivered).ShouldBe((failures, failures + i > 0));
                _bench.Settle(returned.Id, Outcome.Released);
            }
            if (hasRestarts) _bench.Restart(withCheckpoint: failures == 1);
            _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
            if (hasRestarts) _bench.Restart(withCheckpoint: failures == 0);
        }
        _bench["q"].ReadyCount.ShouldBe(0);
        _bench.GetAll("dead").Select(taken => taken.Deaths).ShouldBe(["q:delivery_limit"]);
    }

    [Theory]
    [InlineData(DelayedRetry.Disabled, false, false)]
    [InlineData(DelayedRetry.All, true, true)]
    [InlineData(DelayedRetry.Failed, true, false)]
    [InlineData(DelayedRetry.Returned, false, true)]
    public void What_comes_back_waits_if_the_queue_says_so(DelayedRetry retry, bool failedWaits, bool returnedWaits)
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = retry, DelayedRetryMinMs = 100, DelayedRetryMaxMs = 250 });
        foreach ((Outcome outcome, bool waits) in ((Outcome, bool)[])[(Outcome.Failed, failedWaits), (Outcome.Released, returnedWaits)])
        {
            _bench.Publish(1);
            _bench.Settle(_bench.Get()!.Id, outcome);
            (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe(waits ? (0, 1) : (1, 0));
            _bench.Advance(110);
            _bench.Get(isSettled: true)!.Number.ShouldBe(1);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_failure_waits_longer_than_the_one_before_up_to_the_longest_delay(bool hasRestarts)
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = DelayedRetry.Failed, DelayedRetryMinMs = 100, DelayedRetryMaxMs = 250 });
        _bench.Publish(1);
        foreach (long delayMs in (long[])[100, 200, 250, 250])
        {
            _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
            if (hasRestarts) _bench.Restart();
            _bench.Advance(delayMs - 5);
            _bench.Get().ShouldBeNull();
            _bench.Advance(10);
            _bench["q"].ReadyCount.ShouldBe(1);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_read_back_from_disk_waits_over_a_restart_too(bool withCheckpoint)
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = DelayedRetry.Failed, DelayedRetryMinMs = 100, DelayedRetryMaxMs = 100 });
        for (int i = 0; i < 5; i++) _bench.Publish(i, expirationMs: 10_000);
        _bench.Checkpoint();
        Taken[] taken = [.. Enumerable.Range(0, 3).Select(_ => _bench.Get()!)];
        _bench.Settle(taken[1].Id, Outcome.Failed);
        _bench.Restart(withCheckpoint);
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((4, 1));
        _bench.Restart();
        _bench.Get()!.Number.ShouldBe(0);
        _bench.Get()!.Number.ShouldBe(2);
        _bench.Advance(110);
        Taken retried = _bench.Get()!;
        (retried.Number, retried.DeliveryCount).ShouldBe((1, 1));
        _bench.Settle(retried.Id, Outcome.Accepted);
        _bench.Restart();
        _bench.Numbers().ShouldBe([0, 2, 3, 4]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_waits_comes_back_to_its_place_after_a_restart(bool isOnDisk)
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = DelayedRetry.Failed, DelayedRetryMinMs = 100, DelayedRetryMaxMs = 100, PriorityMax = 1 });
        for (int i = 0; i < 8; i++) _bench.Publish(i, priority: (byte)(i % 2), isPersistent: i != 1);
        if (isOnDisk) _bench.Checkpoint();
        Taken[] taken = [.. Enumerable.Range(0, 6).Select(_ => _bench.Get()!)]; // 1 3 5 7 0 2
        foreach (int i in (int[])[2, 5]) _bench.Settle(taken[i].Id, Outcome.Failed);
        _bench.Restart();
        _bench["q"].ReadyCount.ShouldBe(5);
        _bench.Advance(110);
        _bench.GetAll().Select(one => (one.Number, one.IsRedelivered)).ShouldBe([(3, true), (5, true), (7, true), (0, true), (2, true), (4, false), (6, false)]);
    }

    [Fact]
    public void A_purge_leaves_what_waits()
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = DelayedRetry.Failed, DelayedRetryMinMs = 100, DelayedRetryMaxMs = 100 });
        for (int i = 0; i < 5; i++) _bench.Publish(i);
        _bench.Checkpoint();
        _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
        _bench.Ask(new QueueCommand(QueueCommandKind.Purge, _bench["q"])).MessageCount.ShouldBe(4);
        _bench.Restart();
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((0, 1));
        _bench.Advance(110);
        _bench.Numbers().ShouldBe([0]);
    }
}
