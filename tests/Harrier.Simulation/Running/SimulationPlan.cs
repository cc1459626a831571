using Harrier.Broker.Durability;

namespace Harrier.Simulation.Running;

/// <summary>What a seed is to be run with.</summary>
internal sealed record SimulationPlan
{
    /// <summary>How often the broker is started.</summary>
    public int Lives { get; init; } = 3;

    /// <summary>Steps of a life, at most.</summary>
    public int Steps { get; init; } = 60;

    /// <summary>The point of the first disk at which the process dies, whatever the seed says; 0 for none.</summary>
    public long CrashAt { get; init; }

    /// <summary>Whether lives end as the seed says, or the first one with its last step.</summary>
    public bool HasCrashes { get; init; } = true;

    /// <summary>Whether the disk is full now and then.</summary>
    public bool HasFaults { get; init; } = true;

    /// <summary>Whether syncs may begin to fail.</summary>
    public bool FailsSyncs { get; init; }

    /// <summary>Whether there are few consumers and many checkpoints, which leave many files: they are put together in the end.</summary>
    public bool IsHoarding { get; init; }

    public StorageSettings Settings { get; init; } = new();

    /// <summary>A plan of the seed's own making.</summary>
    public static SimulationPlan Of(int seed)
    {
        var random = new Random(seed ^ 0x5EED);
        bool isHoarding = random.Next(6) == 0;
        return new SimulationPlan
        {
            Lives = random.Next(2, 6),
            Steps = isHoarding ? 200 : random.Next(10, 120),
            HasFaults = random.Next(3) == 0,
            IsHoarding = isHoarding,
            FailsSyncs = random.Next(6) == 0,
            Settings = new StorageSettings
            {
                LogFileBytes = 4096L << random.Next(random.Next(8) == 0 ? 7 : 4),
                LoggedBytesMax = 1024L << random.Next(9),
                UnloggedBytesMax = 1024L << random.Next(9),
                DiskFreeBytesMin = 0,
            },
        };
    }
}
