using Microsoft.Extensions.Logging;

namespace Harrier.Broker.Flow;

/// <summary>Holds publishers back while the disk has less free space than it should.</summary>
/// <param name="freeBytesMin">The mark.</param>
/// <param name="gate">Where publishers wait.</param>
/// <param name="log">For the operator.</param>
public sealed partial class DiskWatermark(long freeBytesMin, FlowGate gate, ILogger<DiskWatermark> log)
{
    // So that it does not flutter.
    private const double ReopenShare = 1.05;

    /// <summary>Whether publishers are held back.</summary>
    public bool IsLow { get; private set; }

    /// <summary>Takes a measurement. Called by one thread at a time.</summary>
    public void Check(long freeBytes)
    {
        bool low = freeBytes < (IsLow ? freeBytesMin * ReopenShare : freeBytesMin);
        if (low == IsLow) return;
        IsLow = low;
        gate.Set(FlowReasons.Disk, low);
        if (low) LogLow(freeBytes, freeBytesMin);
        else LogEnough(freeBytes, freeBytesMin);
    }

    [LoggerMessage(3003, LogLevel.Warning, "Free disk space ({Free} bytes) is below the limit ({FreeMin}): publishers are held back")]
    private partial void LogLow(long free, long freeMin);

    [LoggerMessage(3004, LogLevel.Information, "Free disk space ({Free} bytes) is above the limit ({FreeMin}) again: publishers go on")]
    private partial void LogEnough(long free, long freeMin);
}
