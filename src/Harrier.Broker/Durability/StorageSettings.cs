namespace Harrier.Broker.Durability;

/// <summary>What an operator can say about storage.</summary>
public sealed record StorageSettings
{
    /// <summary>Bytes of a log file. A checkpoint follows each.</summary>
    public long LogFileBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of free space under which publishers are held back.</summary>
    public long DiskFreeBytesMin { get; init; } = 256 << 20;

    /// <summary>Bytes of memory that messages which are in the log may take before they leave it for segments.</summary>
    public long LoggedBytesMax { get; init; } = 32 << 20;

    /// <summary>Bytes of memory that other messages in queues may take before they are written to files for the time being.</summary>
    public long UnloggedBytesMax { get; init; } = 256 << 20;
}
