using Microsoft.Extensions.Logging;

namespace Harrier.Broker.Flow;

/// <summary>
/// Holds publishers back while the process uses more memory than it should. Opens again a little below the mark, so that it does not flutter.
/// </summary>
/// <param name="bytesMax">The mark.</param>
/// <param name="readBytes">How much memory is in use.</param>
public sealed partial class MemoryWatermark(long bytesMax, Func<long> readBytes, FlowGate gate, ILogger<MemoryWatermark> log)
{
    private const double ReopenShare = 0.95;

    private bool _isExceeded;

    /// <summary>Measures once. Called about every second.</summary>
    public void Check()
    {
        long used = readBytes();
        bool exceeded = used > (_isExceeded ? bytesMax * ReopenShare : bytesMax);
        if (exceeded == _isExceeded) return;
        _isExceeded = exceeded;
        gate.Set(FlowReasons.Memory, exceeded);
        if (exceeded) LogExceeded(used, bytesMax);
        else LogBelow(used, bytesMax);
    }

    [LoggerMessage(3001, LogLevel.Warning, "Memory in use ({Used} bytes) is above the watermark ({BytesMax}): publishers are held back")]
    private partial void LogExceeded(long used, long bytesMax);

    [LoggerMessage(3002, LogLevel.Information, "Memory in use ({Used} bytes) is below the watermark ({BytesMax}) again: publishers go on")]
    private partial void LogBelow(long used, long bytesMax);
}
