using Harrier.Broker.Durability;
using Harrier.Simulation.Running;
using Shouldly;
using Xunit;

namespace Harrier.Simulation;

/// <summary>A short life that ends once at every point at which the disk changes, the start of the broker included.</summary>
public class CrashEverywhereTests
{
    private static readonly SimulationPlan Plan = new()
    {
        Lives = 1,
        Steps = 50,
        HasCrashes = false,
        HasFaults = false,
        Settings = new StorageSettings { LogFileBytes = 8 << 10, LoggedBytesMax = 4 << 10, UnloggedBytesMax = 4 << 10, DiskFreeBytesMin = 0 },
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Nothing_is_lost_wherever_the_first_life_ends(int seed)
    {
        long points = LifeCycle.Run(seed, Plan).Points;
        points.ShouldBeGreaterThan(20);
        for (long point = 1; point <= points; point++) LifeCycle.Run(seed, Plan with { CrashAt = point, Lives = 2 });
    }
}
