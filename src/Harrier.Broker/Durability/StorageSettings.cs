namespace Harrier.Broker.Durability;

/// <summary>What an operator can say about storage.</summary>
public sealed record StorageSettings
{
    /// <summary>Bytes of a log file. A checkpoint follows each.</summary>
    public long LogFileBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of free space under which publishers are held back.</summary>
    public long DiskFreeBytesMin { get; init; } = 256 << 20;

    /// <summary>Bytes of memory that messages in queues may take before they go to disk.</summary>
    public long ResidentBytesMax { get; init; } = 32 << 20;
}
