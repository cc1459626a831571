using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>The highest priority goes first, and within one the order of arrival.</summary>
public sealed class PriorityTests : IDisposable
{
    private readonly FeatureBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_highest_goes_first_in_memory_on_disk_and_after_a_restart(bool hasCheckpoint, bool hasRestart)
    {
        _bench.Declare("q", new QueueSettings { PriorityMax = 10 });
        byte[] priorities = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 31 % 14))];
        for (int i = 0; i < priorities.Length; i++)
        {
            _bench.Publish(i, priority: priorities[i], size: 1000);
            if (hasCheckpoint && i % 70 == 69) _bench.Checkpoint();
        }
        if (hasRestart) _bench.Restart();
        _bench.Numbers().ShouldBe(Enumerable.Range(0, 300).OrderByDescending(i => Math.Min(priorities[i], (byte)10)));
    }

    [Fact]
    public void Who_asks_for_none_gets_the_default()
    {
        _bench.Declare("q", new QueueSettings { PriorityMax = 10, PriorityDefault = 4 });
        _bench.Publish(0, priority: 3);
        _bench.Publish(1);
        _bench.Publish(2, priority: 4);
        _bench.Publish(3, priority: 5);
        _bench.Numbers().ShouldBe([3, 1, 2, 0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_comes_back_comes_to_its_place(bool hasCheckpoint)
    {
        _bench.Declare("q", new QueueSettings { PriorityMax = 3 });
        for (int i = 0; i < 40; i++) _bench.Publish(i, priority: (byte)(i % 4));
        if (hasCheckpoint) _bench.Checkpoint();
        Taken[] taken = [.. Enumerable.Range(0, 25).Select(_ => _bench.Get()!)];
        if (hasCheckpoint) _bench.Checkpoint();
        foreach (Taken one in taken.Reverse().Where(t => t.Number % 3 == 0)) _bench.Settle(one.Id, Outcome.Released);
        if (hasCheckpoint) _bench.Checkpoint();
        foreach (Taken one in taken.Where(t => t.Number % 3 != 0)) _bench.Settle(one.Id, Outcome.Failed);
        _bench.Numbers().ShouldBe(Enumerable.Range(0, 40).OrderByDescending(i => i % 4));
    }
}
