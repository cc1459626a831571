namespace Harrier.TestSupport;

/// <summary>What a <see cref="SimDisk"/> is about to do.</summary>
public enum DiskPointKind
{
    Write,
    Sync,
    Create,
    Rename,
    Delete,
    CreateFolder,
    SyncFolder,
}

/// <summary>A moment just before something changes on a <see cref="SimDisk"/>.</summary>
/// <param name="Kind">What is about to happen.</param>
/// <param name="Name">The file or folder; the old name of a rename.</param>
/// <param name="Number">Counts the points of a disk, from 1.</param>
public readonly record struct DiskPoint(DiskPointKind Kind, string Name, long Number);

/// <summary>The process died here. Not an <see cref="IOException"/>: nothing that handles errors of the disk may survive it.</summary>
public sealed class SimulatedCrashException(string message = "the simulated process has crashed") : Exception(message);
