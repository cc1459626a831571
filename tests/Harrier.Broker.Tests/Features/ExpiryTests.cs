using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Time to live: of the queue, of a message, of both; wherever the message stands.</summary>
public sealed class ExpiryTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_leave_when_their_own_time_is_up_wherever_they_stand(bool isOnDisk)
    {
        _bench.Declare("q");
        int[] order = [.. Enumerable.Range(0, 5000).OrderBy(i => (i * 7919) % 5000)];
        foreach (int i in order) _bench.Publish(i, expirationMs: 10 * (i + 1));
        if (isOnDisk) _bench.Checkpoint();
        for (int gone = 0; gone < 5000; gone += 500)
        {
            _bench["q"].ReadyCount.ShouldBe(5000 - gone);
            _bench.Advance(5000);
        }
        _bench["q"].ReadyCount.ShouldBe(0);
        _bench["q"].ReadyBytes.ShouldBe(0);
    }

    [Theory]
    [InlineData(100, 30, 30)]
    [InlineData(30, 100, 30)]
    [InlineData(30, 30, 30)]
    public void The_shorter_of_both_times_counts(long queueMs, long messageMs, long expectedMs)
    {
        _bench.Declare("q", new QueueSettings { MessageTtlMs = queueMs });
        _bench.Publish(1, messageMs);
        _bench.Advance(expectedMs - 1);
        _bench["q"].ReadyCount.ShouldBe(1);
        _bench.Advance(3);
        _bench["q"].ReadyCount.ShouldBe(0);
    }

    [Theory]
    [InlineData(0L, null)]
    [InlineData(null, 0L)]
    public void No_time_to_live_is_enough_for_a_consumer_that_waits_and_for_nobody_else(long? queueMs, long? messageMs)
    {
        _bench.Declare("q", new QueueSettings { MessageTtlMs = queueMs });
        _bench.Publish(1, messageMs);
        _bench["q"].ReadyCount.ShouldBe(0);
        _bench.Get().ShouldBeNull();
        var output = new FakeConsumer();
        _bench.Consume(output, prefetch: 1);
        _bench.Publish(2, messageMs);
        _bench.Publish(3, messageMs);
        output.Deliveries.Count.ShouldBe(1, "the consumer has no credit for another");
        _bench["q"].ReadyCount.ShouldBe(0);
        _bench["q"].UnackedCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_time_to_live_that_is_set_later_counts_from_the_arrival(bool isOnDisk)
    {
        _bench.Declare("q");
        for (int i = 0; i < 100; i++)
        {
            _bench.Publish(i, size: 1000);
            _bench.Advance(10);
        }
        if (isOnDisk) _bench.Checkpoint();
        _bench.Configure("q", new QueueSettings { MessageTtlMs = 505 });
        _bench["q"].ReadyCount.ShouldBe(50);
        _bench.Advance(100);
        _bench["q"].ReadyCount.ShouldBe(40);
        _bench.Configure("q", QueueSettings.None);
        _bench.Advance(1000);
        _bench.Numbers().ShouldBe(Enumerable.Range(60, 40));
    }

    [Fact]
    public void What_came_back_expires_although_something_else_has_expired_meanwhile()
    {
        _bench.Declare("q");
        _bench.Publish(1, expirationMs: 100);
        Taken taken = _bench.Get()!;
        _bench.Publish(2, expirationMs: 50);
        _bench.Advance(60);
        _bench.Settle(taken.Id, Outcome.Released);
        _bench["q"].ReadyCount.ShouldBe(1);
        _bench.Advance(50);
        _bench["q"].ReadyCount.ShouldBe(0);
    }

    [Fact]
    public void Transient_messages_that_a_restart_has_ended_do_not_expire_after_it()
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering);
        for (int i = 0; i < 10; i++) _bench.Publish(i, expirationMs: 100, isPersistent: i % 2 == 0);
        _bench.Restart(withCheckpoint: true);
        _bench["q"].ReadyCount.ShouldBe(5);
        _bench.Advance(200);
        _bench["q"].ReadyCount.ShouldBe(0);
        _bench.Numbers("dead").Order().ShouldBe([0, 2, 4, 6, 8]);
    }

    [Fact]
    public void What_waits_for_its_retry_at_a_restart_does_not_keep_others_from_expiring()
    {
        _bench.Declare("q", new QueueSettings { DelayedRetry = DelayedRetry.All, DelayedRetryMinMs = 1000, DelayedRetryMaxMs = 1000 });
        _bench.Publish(1, expirationMs: 500);
        _bench.Get();
        _bench.Checkpoint(); // so that it is put down alone
        _bench.Publish(2, expirationMs: 2000);
        _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
        _bench.Restart();
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((1, 1));
        _bench.Advance(600);
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((0, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_delivered_late_whatever_is_still_being_read(bool hasDeadLetters)
    {
        var random = new Random(1);
        _bench.Declare("dead");
        _bench.Declare("q", hasDeadLetters ? FeatureModel.DeadLettering : QueueSettings.None);
        var endsMs = new Dictionary<int, long>();
        for (int round = 0; round < 60; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                long expirationMs = 10 * random.Next(1, 100);
                endsMs.Add(endsMs.Count, _bench.NowMs + expirationMs);
                _bench.Publish(endsMs.Count - 1, expirationMs, size: 500);
            }
            if (random.Next(3) == 0) _bench.Durable.Checkpoint();
            _bench.Durable.Clock.Advance(TimeSpan.FromMilliseconds(10 * random.Next(20))); // and nobody reads
            for (int i = 0; i < 5; i++)
            {
                QueueAnswer answer = _bench.Ask(new QueueCommand(QueueCommandKind.Get, _bench["q"], Flags: QueueCommandFlags.Settled));
                if (answer.Message is not { } message) continue;
                endsMs[Durability.DurableBench.NumberOf(message)].ShouldBeGreaterThan(_bench.NowMs);
                message.Release();
            }
        }
        _bench.Advance(1000);
        _bench["q"].ReadyCount.ShouldBe(0);
        (_bench["q"].ReadyBytes, _bench["q"].AsideCount).ShouldBe((0, 0));
        _bench.Numbers("dead").ShouldBeUnique();
    }
}
