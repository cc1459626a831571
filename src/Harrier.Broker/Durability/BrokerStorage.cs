using System.Collections.Frozen;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.Storage.Segments;
using Microsoft.Extensions.Logging;

namespace Harrier.Broker.Durability;

/// <summary>
/// The data directory of a broker: opened and read at the start, then log, segments and checkpoints behind its shards. Owned by whoever opened it.
/// </summary>
public sealed partial class BrokerStorage : IBacklogStore, IDisposable
{
    // How far publishers may run ahead of the disk: bytes without a sync, messages in memory (in budgets), log files without a checkpoint.
    // Without room for what is staged the log would need a file more than it has in reserve.
    private const long StagedBytesMax = 32 << 20;
    private const int BudgetsMax = 2;
    private const int LiveFilesMax = 5;

    // A deleted backlog is not kept on disk until the next log file is full.
    private const long DeadBytesMax = 128 << 20;

    private readonly IDisk _disk;
    private readonly IDisposable _lock;
    private readonly StorageSettings _settings;
    private readonly MessageFormats _formats;
    private readonly SegmentSet _segments;
    private readonly ILogger _log;
    private Checkpointer? _checkpointer;
    private ulong _checkpointedFile;
    private long _logged;
    private long _unlogged;
    private volatile bool _lacksReserve;

    private BrokerStorage(IDisk disk, IDisposable directoryLock, Manifest manifest, StorageSettings settings, MessageFormats formats, Random random, TimeProvider time,
        ILogger log)
    {
        _disk = disk;
        _lock = directoryLock;
        _settings = settings;
        _formats = formats;
        _log = log;
        _segments = new SegmentSet(disk, manifest.NextSegment);
        Log = new WriteAheadLog(disk, settings.LogFileBytes, new LogReader(disk).FindNext(manifest.LogFrom));
        TopologyLog = new TopologyLog(Log);
        Shards = new ShardSet(this, time);
        Queues = new QueueFactory(Shards, random);
        RecoveredVirtualHosts = FrozenDictionary<string, VirtualHostTopology>.Empty;
    }

    /// <summary>The log.</summary>
    internal WriteAheadLog Log { get; }

    internal TopologyLog TopologyLog { get; }

    internal QueueFactory Queues { get; }

    internal ShardSet Shards { get; }

    /// <summary>The virtual hosts that were found.</summary>
    internal IReadOnlyDictionary<string, VirtualHostTopology> RecoveredVirtualHosts { get; private set; }

    internal bool IsBehind =>
        Log.StagedBytes > Math.Min(StagedBytesMax, _settings.LogFileBytes / 2) || Log.LiveFileCount > LiveFilesMax
        || Volatile.Read(ref _logged) > BudgetsMax * _settings.LoggedBytesMax || Volatile.Read(ref _unlogged) > BudgetsMax * _settings.UnloggedBytesMax;

    /// <summary>Opens a data directory and reads what is in it.</summary>
    /// <exception cref="DataDamagedException">What is there is not what was written and synced. Nothing was changed.</exception>
    /// <exception cref="IOException">Another broker has the directory, or the disk fails.</exception>
    public static BrokerStorage Open(IDisk disk, StorageSettings settings, MessageFormats formats, Random random, TimeProvider time, ILogger<BrokerStorage> log)
    {
        IDisposable directoryLock = disk.TryLock() ?? throw new IOException("another broker is running on this data directory");
        BrokerStorage? storage = null;
        try
        {
            Manifest manifest = Manifest.Read(disk) ?? CreateFirst(disk, random);
            storage = new BrokerStorage(disk, directoryLock, manifest, settings, formats, random, time, log);
            storage.Recover(manifest);
            return storage;
        }
        catch
        {
            storage?.Dispose();
            directoryLock.Dispose();
            throw;
        }
    }

    ShardLog? IBacklogStore.OpenLog(int shard) => new(Log, shard);

    void IBacklogStore.Load(BacklogLoad load) =>
        (load.Kind is BacklogLoadKind.Leaving or BacklogLoadKind.Times ? ScheduleLeaving ?? ScheduleLoad : ScheduleLoad)(() => Carry(load));

    void IBacklogStore.OnFresh(FreshBytes change) => OnFresh(change);

    /// <summary>How readings from disk get off the thread that asks for them. The simulator has its own way.</summary>
    internal Action<Action> ScheduleLoad { get; set; } = static work => ThreadPool.UnsafeQueueUserWorkItem(static w => w(), work, preferLocal: false);

    /// <summary>How readings get off it for which no client waits, or null when they take the same way.</summary>
    internal Action<Action>? ScheduleLeaving { get; set; }

    /// <summary>Puts down what was read, in a new log, before anything is built on it: what the disk held may have been in the page cache only.</summary>
    /// <param name="virtualHosts">The topologies now.</param>
    /// <param name="waitUntilDurable">Returns once the log is on disk up to a ticket.</param>
    internal void Begin(Func<IEnumerable<VirtualHostTopology>> virtualHosts, Action<long> waitUntilDurable)
    {
        RecoveredVirtualHosts = FrozenDictionary<string, VirtualHostTopology>.Empty; // they are the broker's now
        _checkpointer = new Checkpointer(_disk, Log, _segments, Shards, TopologyLog, virtualHosts, Queues, waitUntilDurable, OnFresh);
        Log.PrepareFirst();
        _segments.DeleteUnnamed(); // a checkpoint that the crash came into left them, and their numbers are given again
        Checkpoint();
        Log.DeleteOlder();
        foreach (Queue queue in virtualHosts().SelectMany(host => host.Queues.Values))
        {
            lock (queue.Shard.Gate) queue.Shard.Alarms.Set(queue, queue.Shard.NowMs); // what fell due meanwhile
        }
    }

    /// <summary>Whether there is a reason for a checkpoint other than that time has passed.</summary>
    internal bool IsCheckpointDue =>
        Log.CurrentFile.Number != _checkpointedFile || IsMemoryShort || _segments.DeadBytes > DeadBytesMax;

    /// <summary>Has log files ready for the time to come. The checkpointer's thread.</summary>
    internal void Prepare() => _lacksReserve = !Log.HasReserve && !TryPrepare();

    /// <summary>Whether a checkpoint would give disk space back.</summary>
    internal bool HasSpaceToGain => _segments.DeadBytes > 0 || Log.LiveFileCount > 1;

    /// <summary>Called when memory has just become short. It must not take time.</summary>
    internal Action? OnPressure { get; set; }

    /// <summary>Puts down what has changed. The checkpointer's thread.</summary>
    internal void Checkpoint()
    {
        ulong file = Log.CurrentFile.Number;
        try
        {
            RunCheckpoint();
        }
        catch (DiskFullException) when (Log.TryDropReserve())
        {
            RunCheckpoint(); // it may give more space back than it takes
        }
        _checkpointedFile = file;
        if (Volatile.Read(ref _unlogged) > _settings.UnloggedBytesMax) _checkpointer!.Spill();
    }

    // What cannot be read stands still in its queue; it is left where it is, and everything else is put down.
    private void RunCheckpoint()
    {
        while (true)
        {
            try
            {
                _checkpointer!.Run();
                return;
            }
            catch (DataDamagedException e)
            {
                LogDamaged(e); // each file is met once: it is not put together with others any more
            }
        }
    }

    /// <summary>Bytes that can still be written; none when there was no space for the log's reserve, whatever the disk says.</summary>
    internal long FreeBytes => _lacksReserve ? 0 : MeasureFreeBytes();

    /// <summary>The mark under which publishers are held back.</summary>
    internal long FreeBytesMin => _settings.DiskFreeBytesMin;

    /// <summary>Closes the files. The log's thread and the checkpointer's have ended.</summary>
    public void Dispose()
    {
        Log.Dispose();
        _segments.Dispose();
        _lock.Dispose();
    }

    private static Manifest CreateFirst(IDisk disk, Random random)
    {
        byte[] salt = new byte[sizeof(uint)];
        lock (random) random.NextBytes(salt);
        if (new LogReader(disk).HasFiles) throw new DataDamagedException("there are log files, but the manifest is missing. Nothing was changed.");
        var first = new Manifest(new LogFilePoint(1, 0, BitConverter.ToUInt32(salt)), 1, [], default);
        first.Write(disk);
        return first;
    }

    private void Recover(Manifest manifest)
    {
        var topology = new TopologyImage(Queues);
        var recovery = new BrokerRecovery(manifest, _segments, _formats, topology);
        LogEnd end = recovery.Read(new LogReader(_disk));
        foreach (Shard shard in Shards.All) shard.Log!.Index = recovery.Indexes[shard.Index];
        TopologyLog.Index = recovery.Indexes[TopologyLog.Stream];
        Queues.LastId = Math.Max(Queues.LastId, recovery.LastQueueId);
        recovery.Restore(OnFresh);
        RecoveredVirtualHosts = topology.VirtualHosts;
        LogRecovered(topology.Queues.Count, topology.Queues.Values.Sum(q => (long)q.ReadyCount), recovery.LoggedMessageCount, end.FrameCount);
    }

    private long MeasureFreeBytes()
    {
        try
        {
            return _disk.FreeBytes;
        }
        catch (IOException)
        {
            return 0; // a disk that cannot be asked is none to publish to
        }
    }

    private bool TryPrepare()
    {
        try
        {
            Log.PrepareFiles();
            return true;
        }
        catch (DiskFullException)
        {
            return false; // publishers are held back, and it is tried again
        }
    }

    /// <summary>Memory of messages that a checkpoint could move out of it.</summary>
    internal FreshBytes FreshBytes => new(Volatile.Read(ref _logged), Volatile.Read(ref _unlogged));

    private bool IsMemoryShort => Volatile.Read(ref _logged) > _settings.LoggedBytesMax || Volatile.Read(ref _unlogged) > _settings.UnloggedBytesMax;

    private void OnFresh(FreshBytes change)
    {
        bool wasShort = IsMemoryShort;
        if (change.Logged != 0) Interlocked.Add(ref _logged, change.Logged);
        if (change.Unlogged != 0) Interlocked.Add(ref _unlogged, change.Unlogged);
        if (!wasShort && IsMemoryShort) OnPressure?.Invoke();
    }

    private void Carry(BacklogLoad load)
    {
        if (load.Carry(_formats) is { } failure) LogUnreadable(load.Queue.NameText, load.Queue.VirtualHost, failure);
    }

    [LoggerMessage(5001, LogLevel.Information, "Recovered {Queues} queues with {Messages} messages, {Logged} of them from {Frames} frames of the log")]
    private partial void LogRecovered(int queues, long messages, long logged, long frames);

    [LoggerMessage(5005, LogLevel.Critical, "A segment is damaged and stays as it is")]
    private partial void LogDamaged(Exception exception);

    [LoggerMessage(5002, LogLevel.Critical, "Queue '{Queue}' in vhost '{VirtualHost}' stands still: its messages on disk cannot be read")]
    private partial void LogUnreadable(string queue, string virtualHost, Exception exception);
}
