using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Another message comes back in the place of one that was delivered, and may be of another size: what a receiver has annotated is converted first.</summary>
public sealed class ReplacementTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public ReplacementTests() => _bench.Declare("q");

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Bytes_are_counted_as_they_are_before_and_after_a_restart(bool onDisk, bool withCheckpoint)
    {
        for (int i = 0; i < 4; i++) _bench.Publish(i, size: 10);
        if (onDisk) _bench.Checkpoint();
        DeliveryId[] given = [.. Enumerable.Range(0, 3).Select(_ => _bench.Get()!.Id)];
        _bench.Settle(given[0], Outcome.Released, replacement: FeatureBench.MessageOf(0, size: 25));
        _bench.Settle(given[1], Outcome.Failed, replacement: FeatureBench.MessageOf(1, size: 7));
        _bench["q"].Machine.ReadyBytes.ShouldBe(25 + 7 + 10);
        for (int restarts = 0; restarts < 2; restarts++)
        {
            _bench.Restart(withCheckpoint);
            _bench["q"].Machine.ReadyBytes.ShouldBe(25 + 7 + 10 + 10);
        }
        _bench.Numbers().ShouldBe([0, 1, 2, 3]);
        _bench["q"].Machine.ReadyBytes.ShouldBe(0);
    }

    [Fact]
    public void A_purge_that_it_outlives_counts_it_as_it_is()
    {
        for (int i = 0; i < 3; i++) _bench.Publish(i, size: 10);
        _bench.Checkpoint();
        _bench.Settle(_bench.Get()!.Id, Outcome.Released, replacement: FeatureBench.MessageOf(0, size: 25));
        _bench.Get();
        _bench.Ask(new QueueCommand(QueueCommandKind.Purge, _bench["q"]));
        _bench.Restart();
        _bench["q"].Machine.ReadyBytes.ShouldBe(25);
        _bench.Numbers().ShouldBe([0]);
    }

    [Fact]
    public void A_limit_of_bytes_counts_it_as_it_is()
    {
        _bench.Configure("q", new QueueSettings { BytesMax = 40 });
        for (int i = 0; i < 4; i++) _bench.Publish(i, size: 10);
        _bench.Settle(_bench.Get()!.Id, Outcome.Released, replacement: FeatureBench.MessageOf(0, size: 15));
        _bench["q"].Machine.ReadyBytes.ShouldBe(30);
        _bench.Numbers().ShouldBe([1, 2, 3]);
    }
}
