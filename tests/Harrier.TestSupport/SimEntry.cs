namespace Harrier.TestSupport;

/// <summary>What a name of a <see cref="SimDisk"/> stands for.</summary>
internal abstract class SimEntry
{
    /// <summary>A deep copy of what is on the disk.</summary>
    /// <param name="crash">Decides about everything that was not synced; null when all of it is lost.</param>
    public abstract SimEntry Survivor(SimCrash? crash);
}

/// <summary>The dice of a crash.</summary>
internal sealed record SimCrash(Random Random, double GarbageChance);
