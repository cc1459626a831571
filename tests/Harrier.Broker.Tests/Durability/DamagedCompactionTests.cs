using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Durability;

public sealed class DamagedCompactionTests : IDisposable
{
    private readonly DurableBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Checkpoints_go_on_although_one_of_the_small_segments_cannot_be_read()
    {
        for (int i = 0; i < 20; i++)
        {
            _bench.Session.Queue($"q{i}");
            _bench.Publish($"q{i}", i, 1);
            if (i == 2) _bench.Disk.Corrupt(_bench.Disk.List("segments").Order(StringComparer.Ordinal).First(), 60, 1);
            _bench.Checkpoint();
        }
        _bench.GetAll("q7").ShouldBe([7]);
        _bench.Restart();
        _bench.GetAll("q8").ShouldBe([8]);
    }
}
