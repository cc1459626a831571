using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Where dead messages go: none is lost on its way and none is doubled, whatever happens meanwhile.</summary>
public sealed class DeadLetterTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_death_is_noted_with_queue_and_reason()
    {
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { DeliveryLimit = 0, LengthMax = 3 });
        for (int i = 0; i < 3; i++) _bench.Publish(i, expirationMs: i == 2 ? 50 : null);
        _bench.Settle(_bench.Get()!.Id, Outcome.Rejected);
        _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
        _bench.Advance(60);
        for (int i = 3; i < 7; i++) _bench.Publish(i);
        _bench.GetAll("dead").Select(taken => (taken.Number, taken.Deaths))
            .ShouldBe([(0, "q:rejected"), (1, "q:delivery_limit"), (2, "q:expired"), (3, "q:maxlen")]);
    }

    [Fact]
    public void Messages_go_round_only_when_somebody_has_rejected_them()
    {
        _bench.Declare("q", new QueueSettings { MessageTtlMs = 100, DeadLetterExchange = new Utf8Name(""), DeadLetterRoutingKey = new Utf8Name("wait") });
        _bench.Declare("wait", new QueueSettings { MessageTtlMs = 100, DeadLetterExchange = new Utf8Name(""), DeadLetterRoutingKey = new Utf8Name("q") });
        _bench.Publish(1);
        _bench.Settle(_bench.Get()!.Id, Outcome.Rejected);
        (_bench["q"].ReadyCount, _bench["wait"].ReadyCount).ShouldBe((0, 1));
        _bench.Advance(110);
        (_bench["q"].ReadyCount, _bench["wait"].ReadyCount).ShouldBe((1, 0));
        _bench.Settle(_bench.Get()!.Id, Outcome.Rejected);
        (_bench["q"].ReadyCount, _bench["wait"].ReadyCount).ShouldBe((0, 1));
        _bench.Advance(110);
        _bench.Publish(2);
        _bench.Advance(110);
        _bench.Numbers("wait").ShouldBe([1, 2]);
        _bench.Publish(3);
        _bench.Advance(330);
        (_bench["q"].ReadyCount, _bench["wait"].ReadyCount).ShouldBe((0, 0), "nobody has rejected it on its way (note 101)");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_a_queue_to_go_to_they_are_gone_unless_they_are_to_be_kept(bool areKept)
    {
        _bench.Declare("q", FeatureModel.DeadLettering with { MessageTtlMs = 50, KeepsUndeliveredDeadLetters = areKept });
        for (int i = 0; i < 5; i++) _bench.Publish(i);
        _bench.Checkpoint();
        _bench.Advance(60);
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((0, areKept ? 5 : 0));
        _bench.Get().ShouldBeNull();
        _bench.Restart();
        _bench.Declare("dead");
        _bench.Advance(10_100);
        _bench["q"].AsideCount.ShouldBe(0);
        _bench.Numbers("dead").Order().ShouldBe(Enumerable.Range(0, areKept ? 5 : 0));
    }

    [Fact]
    public void What_is_kept_waits_while_the_queue_for_dead_messages_refuses()
    {
        _bench.Declare("dead", new QueueSettings { LengthMax = 1, Overflow = Overflow.RejectPublish });
        _bench.Declare("q", FeatureModel.DeadLettering with { MessageTtlMs = 50, KeepsUndeliveredDeadLetters = true });
        _bench.Publish(0, queue: "dead");
        for (int i = 1; i < 4; i++) _bench.Publish(i);
        _bench.Advance(2000);
        (_bench["q"].AsideCount, _bench["dead"].ReadyCount).ShouldBe((3, 1));
        _bench.Configure("dead", QueueSettings.None);
        _bench.Advance(10_100);
        (_bench["q"].AsideCount, _bench["dead"].ReadyCount).ShouldBe((0, 4));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_message_is_lost_or_doubled_over_restarts_in_between(int seed)
    {
        var random = new Random(seed);
        _bench.Declare("dead");
        _bench.Declare("q", FeatureModel.DeadLettering with { MessageTtlMs = 200, PriorityMax = 3, LengthMax = 100 });
        List<int> taken = [];
        for (int round = 0, next = 0; round < 40; round++)
        {
            for (int count = random.Next(30); count > 0; count--) _bench.Publish(next++, expirationMs: random.Next(2) == 0 ? null : 10 * random.Next(30), priority: (byte)random.Next(5));
            for (int count = random.Next(5); count > 0 && _bench.Get() is { } got; count--) _bench.Settle(got.Id, (Outcome)random.Next(1, 4));
            if (random.Next(4) == 0 && _bench.Get(isSettled: true) is { } last) taken.Add(last.Number);
            if (random.Next(3) == 0) _bench.Durable.Checkpoint();
            _bench.Durable.Clock.Advance(TimeSpan.FromMilliseconds(10 * random.Next(10)));
            if (random.Next(2) == 0) _bench.Durable.ReadBack();
            if (random.Next(5) == 0) _bench.Restart(withCheckpoint: random.Next(2) == 0);
            _bench.Settle();
            (_bench["q"].ReadyCount + _bench["q"].UnackedCount + _bench["q"].AsideCount + _bench["dead"].ReadyCount + taken.Count).ShouldBe(next);
        }
        int published = _bench["q"].ReadyCount + _bench["q"].UnackedCount + _bench["dead"].ReadyCount + taken.Count;
        _bench.Restart();
        _bench.Numbers().Concat(_bench.Numbers("dead")).Concat(taken).Order().ShouldBe(Enumerable.Range(0, published));
    }
}
