using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>The greatest length of a queue, in messages and in bytes, and what becomes of those that are too many.</summary>
public sealed class LimitTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_full_queue_drops_what_would_be_delivered_next(bool isOnDisk)
    {
        _bench.Declare("q", new QueueSettings { LengthMax = 50 });
        for (int i = 0; i < 50; i++) _bench.Publish(i, size: 5000);
        if (isOnDisk) _bench.Checkpoint();
        for (int i = 50; i < 70; i++) _bench.Publish(i, size: 5000).ShouldBe(Outcome.Accepted);
        _bench["q"].ReadyCount.ShouldBe(50);
        _bench.Numbers().ShouldBe(Enumerable.Range(20, 50));
    }

    [Fact]
    public void Of_priorities_the_highest_is_dropped_first()
    {
        _bench.Declare("q", new QueueSettings { LengthMax = 3, PriorityMax = 5 });
        byte[] priorities = [1, 5, 3, 2, 9];
        for (int i = 0; i < priorities.Length; i++) _bench.Publish(i, priority: priorities[i]);
        _bench.Numbers().ShouldBe([2, 3, 0]); // (note 99)
    }

    [Theory]
    [InlineData(Overflow.RejectPublish, 0)]
    [InlineData(Overflow.RejectPublishDeadLetter, 3)]
    public void A_queue_that_refuses_keeps_what_it_has(Overflow overflow, int deadCount)
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { BytesMax = 40, Overflow = overflow });
        for (int i = 0; i < 4; i++) _bench.Publish(i, size: 10).ShouldBe(Outcome.Accepted);
        for (int i = 4; i < 7; i++) _bench.Publish(i, size: 10).ShouldBe(Outcome.Rejected);
        _bench.Get(isSettled: true)!.Number.ShouldBe(0);
        _bench.Publish(7, size: 11).ShouldBe(Outcome.Rejected);
        _bench.GetAll("dead").Select(taken => (taken.Number, taken.Deaths)).Take(3)
            .ShouldBe(Enumerable.Range(4, deadCount).Select(i => (i, "q:maxlen")));
        _bench.Publish(8, size: 10).ShouldBe(Outcome.Accepted);
        _bench.Numbers().ShouldBe([1, 2, 3, 8]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_limit_that_is_set_later_is_seen_to_at_once(bool hasDeadLetters)
    {
        _bench.Declare("dead");
        _bench.Declare("q", hasDeadLetters ? FeatureModel.DeadLettering : QueueSettings.None);
        for (int i = 0; i < 2000; i++)
        {
            _bench.Publish(i, size: 500);
            if (i % 400 == 399) _bench.Checkpoint();
        }
        _bench.Configure("q", _bench["q"].Settings with { LengthMax = 10 });
        _bench["q"].ReadyCount.ShouldBe(10);
        _bench["dead"].ReadyCount.ShouldBe(hasDeadLetters ? 1990 : 0);
        _bench.Restart();
        _bench.Numbers().ShouldBe(Enumerable.Range(1990, 10));
    }

    [Fact]
    public void Empty_messages_on_disk_are_not_dropped_for_bytes_that_others_take()
    {
        _bench.Declare("q");
        for (int i = 0; i < 10; i++) PublishEmpty();
        _bench.Checkpoint();
        _bench.Publish(1, size: 100);
        _bench.Configure("q", new QueueSettings { LengthMax = 10, BytesMax = 100 });
        _bench["q"].ReadyCount.ShouldBe(10);
    }

    [Fact]
    public void What_a_full_queue_refuses_is_no_duplicate_when_it_comes_again()
    {
        _bench.Declare("q", new QueueSettings { LengthMax = 1, Overflow = Overflow.RejectPublish, Deduplication = new DeduplicationWindow(NotedFormat.KeyHeader, 10, null) });
        _bench.Publish(1, key: "a").ShouldBe(Outcome.Accepted);
        _bench.Publish(2, key: "b").ShouldBe(Outcome.Rejected);
        _bench.Publish(1, key: "a").ShouldBe(Outcome.Accepted, "it is there already");
        _bench.Get(isSettled: true)!.Number.ShouldBe(1);
        _bench.Publish(2, key: "b").ShouldBe(Outcome.Accepted);
        _bench.Numbers().ShouldBe([2]);
    }

    private void PublishEmpty()
    {
        Message message = Message.Rent(new NotedFormat(), [], "q"u8, [], 0);
        message.IsPersistent = true;
        _bench.Run(new QueueCommand(QueueCommandKind.Enqueue, _bench["q"], message));
    }
}
