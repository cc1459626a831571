using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>A message with a key that the queue remembers is confirmed and not taken.</summary>
public sealed class DeduplicationTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void The_window_is_exact_in_size_and_time_and_outlives_restarts(bool hasRestarts, bool hasCheckpoints)
    {
        const int size = 5;
        const long timeMs = 200;
        var random = new Random(1);
        Argument[] arguments =
        [
            new Argument("x-message-deduplication", ArgumentValue.Of(true)), new Argument("x-deduplication-header", ArgumentValue.Of(NotedFormat.KeyHeader)),
            new Argument("x-cache-size", ArgumentValue.Of(size)), new Argument("x-cache-ttl", ArgumentValue.Of((int)timeMs)),
        ];
        _bench.Durable.Session.Queue("q", arguments: arguments);
        if (_bench["q"].Settings.Deduplication is null) throw new InvalidOperationException("the arguments are others");
        List<(string Key, long ForgottenAtMs)> window = [];
        List<int> taken = [];
        for (int i = 0; i < 400; i++)
        {
            string key = $"k{random.Next(9)}";
            bool isKnown = window.Exists(known => known.Key == key && known.ForgottenAtMs > _bench.NowMs);
            if (!isKnown)
            {
                taken.Add(i);
                window.RemoveAll(known => known.Key == key);
                window.Add((key, _bench.NowMs + timeMs));
                window.RemoveAll(known => known.ForgottenAtMs <= _bench.NowMs);
                if (window.Count > size) window.RemoveAt(0);
            }
            _bench.Publish(i, key: key).ShouldBe(Outcome.Accepted);
            _bench["q"].ReadyCount.ShouldBe(taken.Count, $"message {i}, key {key}");
            if (random.Next(3) == 0) _bench.Advance(10 * random.Next(15));
            if (hasCheckpoints && random.Next(10) == 0) _bench.Checkpoint();
            if (hasRestarts && random.Next(10) == 0) _bench.Restart(withCheckpoint: hasCheckpoints && random.Next(2) == 0);
        }
        _bench.Numbers().ShouldBe(taken);
    }

    [Fact]
    public void A_message_without_a_key_is_taken_always()
    {
        _bench.Declare("q", new QueueSettings { Deduplication = new DeduplicationWindow(NotedFormat.KeyHeader, 10, null) });
        for (int i = 0; i < 3; i++) _bench.Publish(i);
        _bench.Numbers().ShouldBe([0, 1, 2]);
    }
}
