using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Browsing;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Single messages are taken out of a queue by their place, once each, wherever they stand.</summary>
public sealed class DetachTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Messages_are_taken_out_once_wherever_they_stand(int seed)
    {
        var random = new Random(seed);
        _bench.Declare("q", new QueueSettings { PriorityMax = 2 });
        List<int> model = [];
        HashSet<int> unknown = [];
        for (int round = 0, next = 0; round < 200; round++)
        {
            for (int count = random.Next(6); count > 0; count--, next++)
            {
                _bench.Publish(next, priority: PriorityOf(next));
                model.Add(next);
            }
            int chosen = random.Next(next + 1);
            if (!unknown.Contains(chosen)) Detach(chosen).ShouldBe(model.Remove(chosen), $"message {chosen}");
            if (random.Next(4) == 0) _bench.Checkpoint();
            if (random.Next(20) == 0)
            {
                _bench.Restart();
                unknown.UnionWith(Enumerable.Range(0, next).Except(model)); // nobody has seen them since
            }
            if (random.Next(3) == 0 && _bench.Get() is { } taken)
            {
                taken.Number.ShouldBe(model.OrderByDescending(PriorityOf).ThenBy(number => number).First());
                _bench.Settle(taken.Id, random.Next(2) == 0 ? Outcome.Accepted : Outcome.Released);
                if (_bench["q"].ReadyCount < model.Count) model.Remove(taken.Number);
            }
            _bench["q"].ReadyCount.ShouldBe(model.Count);
        }
        _bench.Restart();
        _bench.Numbers().ShouldBe(model.OrderByDescending(PriorityOf).ThenBy(number => number));
    }

    [Fact]
    public void What_left_from_the_middle_long_ago_is_not_taken_for_a_message_on_disk()
    {
        _bench.Declare("q");
        for (int i = 0; i < 3000; i++) _bench.Publish(i);
        for (int i = 1; i < 2999; i++) Detach(i).ShouldBeTrue();
        _bench.Checkpoint();
        Detach(1500).ShouldBeFalse();
        Detach(2998).ShouldBeFalse();
        _bench["q"].ReadyCount.ShouldBe(2);
        _bench.Numbers().ShouldBe([0, 2999]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_known_of_a_message_is_not_lost_when_it_does_not_depart(bool withCheckpoint)
    {
        _bench.Declare("q");
        for (int i = 0; i < 5; i++) _bench.Publish(i);
        if (withCheckpoint) _bench.Checkpoint(); // else it has no run yet when it comes back
        for (int i = 0; i < 2; i++) _bench.Settle(_bench.Get()!.Id, Outcome.Failed);
        _bench.Restart();
        await _bench.Reading(DetachAll());
        (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((0, 5));
        _bench.Restart(withCheckpoint: true);
        _bench.GetAll().Select(taken => (taken.Number, taken.IsRedelivered, taken.DeliveryCount))
            .ShouldBe([(0, true, 2), .. Enumerable.Range(1, 4).Select(i => (i, false, 0))]);

        async Task<int> DetachAll()
        {
            int count = 0;
            await foreach (BrowsedMessage found in new QueueBrowser(_bench["q"]).ReadAsync())
                if (_bench.Ask(found.DetachFrom(_bench["q"])).Status == QueueAnswerStatus.Done) count++;
            return count;
        }
    }

    private static byte PriorityOf(int number) => (byte)(number * 7 % 3);

    // The number of a message is its sequence less one, as long as nothing else joins the queue.
    private bool Detach(int number)
    {
        Message known = FeatureBench.MessageOf(number, priority: PriorityOf(number));
        byte lane = (byte)Math.Min(PriorityOf(number), _bench["q"].Settings.PriorityMax);
        var seen = new BrowsedMessage(known, (ulong)number + 1, lane, _bench.NowMs, ExpiresAtMs: 0, AcquiredCount: 0, DeliveryCount: 0);
        QueueAnswer answer = _bench.Ask(seen.DetachFrom(_bench["q"]));
        if (answer.Status == QueueAnswerStatus.Done) _bench.Run(new QueueCommand(QueueCommandKind.Depart, _bench["q"], Sequence: (ulong)number + 1));
        known.Release();
        return answer.Status == QueueAnswerStatus.Done;
    }
}
