using Harrier.Broker.Flow;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Microsoft.Extensions.Logging;

namespace Harrier.Broker.Durability;

/// <summary>What works behind a durable broker: the log's thread, the checkpointer's, and one for what queues do by themselves.</summary>
public sealed class StorageThreads : IDisposable
{
    private static readonly TimeSpan MeasurementInterval = TimeSpan.FromMilliseconds(100);

    private readonly LogThread _log;
    private readonly CheckpointThread _checkpoints;
    private readonly BackgroundThread _background = new();
    private readonly ITimer _measurements;

    /// <summary>Starts them, with a checkpoint of what was recovered. The broker can serve clients afterwards.</summary>
    /// <param name="storage">The data directory.</param>
    /// <param name="broker">What was made of it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onFailure">The disk has failed: whoever is told ends the process, for nothing will ever be confirmed again.</param>
    /// <param name="loggers">For the operator.</param>
    public StorageThreads(BrokerStorage storage, MessageBroker broker, TimeProvider time, Action<Exception> onFailure, ILoggerFactory loggers)
    {
        _log = new LogThread(storage.Log, onFailure, loggers.CreateLogger<LogThread>());
        storage.ScheduleLeaving = storage.Shards.Clock.Schedule = _background.Post;
        try
        {
            storage.Begin(() => broker.Topologies, ticket => WaitUntilDurable(storage.Log, ticket));
        }
        catch
        {
            _log.Dispose();
            _background.Dispose();
            throw;
        }
        var space = new DiskWatermark(storage.FreeBytesMin, broker.Flow, loggers.CreateLogger<DiskWatermark>());
        _measurements = time.CreateTimer(_ => space.Check(storage.FreeBytes), null, MeasurementInterval, MeasurementInterval);
        _checkpoints = new CheckpointThread(storage, space, time, onFailure, loggers.CreateLogger<CheckpointThread>());
    }

    /// <summary>Writes everything down and ends.</summary>
    public void Dispose()
    {
        _measurements.Dispose();
        _background.Dispose();
        _checkpoints.Dispose();
        _log.Dispose();
    }

    // The log may wait for space that only a checkpoint can give back, so a checkpoint does not wait for the log then.
    private static void WaitUntilDurable(WriteAheadLog log, long ticket)
    {
        Task durable = log.WhenDurableAsync(ticket);
        while (!durable.Wait(MeasurementInterval))
            if (log.IsFull) throw new DiskFullException("the log has no space for its next file");
    }
}
