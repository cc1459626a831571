using Harrier.Storage.Disk;

namespace Harrier.Storage.Log;

/// <summary>
/// The one log of a node. Units are written in the order in which they are appended, as many as have come together in one frame with one sync: what
/// waits while a sync runs is the next batch. So durability is one number, the last ticket that is on the disk. Thread-safe; nothing here waits but
/// <see cref="Commit"/>, which is the log thread's.
/// </summary>
public sealed class WriteAheadLog : IDisposable
{
    /// <summary>Bytes of a frame after which no more units are added to it.</summary>
    internal const int BatchBytesMax = 4 << 20;

    private const int PooledUnitsMax = 64;

    private readonly LogFiles _files;
    private readonly object _gate = new();
    private readonly Queue<LogUnit> _queued = new();
    private readonly Stack<LogUnit> _pool = new();
    private readonly List<Waiting> _waiters = [];
    private readonly List<IDurabilityWaiter> _due = [];
    private readonly List<LogUnit> _batch = [];
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private readonly byte[] _frameHeader = new byte[LogFormat.FrameHeaderSize];
    private readonly byte[] _padding = new byte[LogFormat.SectorSize];
    private long _appended;
    private long _batchTicket;
    private long _durable;
    private long _stagedBytes;
    private long _durablePosition;
    private long _markedPosition;
    private bool _isAwaited;
    private bool _isStopping;
    private Exception? _failure;

    /// <param name="disk">Where the log is.</param>
    /// <param name="fileBytes">Bytes of a log file.</param>
    /// <param name="start">Where to begin, as recovery has found it.</param>
    public WriteAheadLog(IDisk disk, long fileBytes, LogFilePoint start)
    {
        disk.CreateFolder(LogFormat.Folder);
        disk.SyncFolder("");
        _files = new LogFiles(disk, fileBytes, start);
        _durablePosition = _markedPosition = start.Start; // nothing of it is durable yet, not even the header of its first file
    }

    /// <summary>The ticket of the last unit that was appended. Tickets count from 1 in every process.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>Up to which ticket everything is durable.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>Bytes that were appended and are not durable yet.</summary>
    public long StagedBytes => Volatile.Read(ref _stagedBytes);

    /// <summary>Syncs since the start.</summary>
    public long SyncCount { get; private set; }

    /// <summary>Bytes written since the start, padding included.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>The file that is being written. What is appended from now on stands in it or in a later one.</summary>
    public LogFilePoint CurrentFile => _files.Current;

    /// <summary>Files that would be read at a start.</summary>
    public int LiveFileCount => _files.LiveCount;

    /// <summary>Takes an empty unit from the pool.</summary>
    public LogUnit RentUnit()
    {
        lock (_gate) return _pool.TryPop(out LogUnit? unit) ? unit : new LogUnit();
    }

    /// <summary>Appends a sealed unit, with those chained to it, as one: all are durable or none. The ticket tells when.</summary>
    public long Append(LogUnit unit)
    {
        lock (_gate)
        {
            _queued.Enqueue(unit);
            for (LogUnit? each = unit; each is not null; each = each.Next) _stagedBytes += each.WrittenSize;
            bool isAwaited = unit.IsAwaited && !_isAwaited;
            _isAwaited |= unit.IsAwaited;
            if (isAwaited || _queued.Count == 1) Monitor.Pulse(_gate);
            return ++_appended;
        }
    }

    /// <summary>Calls the waiter once everything up to the ticket is durable; false when it is already, and no call will come.</summary>
    public bool TryAwait(long ticket, IDurabilityWaiter waiter)
    {
        lock (_gate)
        {
            if (ticket <= _durable) return false;
            _waiters.Add(new Waiting(ticket, waiter));
            if (!_isAwaited && ticket > _batchTicket) // else it is on its way already
            {
                _isAwaited = true; // a unit that nobody waited for until now
                Monitor.Pulse(_gate);
            }
            return true;
        }
    }

    /// <summary>Ends when everything up to the ticket is durable.</summary>
    public Task WhenDurableAsync(long ticket)
    {
        if (ticket <= Durable) return Task.CompletedTask;
        var waiter = new TaskWaiter();
        return TryAwait(ticket, waiter) ? waiter.Task : Task.CompletedTask;
    }

    /// <summary>
    /// Writes what is queued as one frame and syncs it; false when there was nothing to do. After any failure but <see cref="DiskFullException"/>, which
    /// means that nothing was written, the log is dead: nothing will ever be durable again. The log thread's.
    /// </summary>
    public bool Commit()
    {
        if (_failure is not null) throw new InvalidOperationException("the log has failed before", _failure);
        TakeBatch();
        if (_batch.Count == 0) return false;
        int payload = _batch.Sum(unit => unit.WrittenSize);
        try
        {
            _files.MakeRoom(LogFormat.PaddedSize(LogFormat.FrameHeaderSize + payload));
            WriteFrame(payload);
        }
        catch (Exception e) when (e is not DiskFullException)
        {
            _failure = e; // whatever the system says next, it does not know either what is on the disk
            throw;
        }
        Finish(payload);
        return true;
    }

    /// <summary>
    /// Writes an empty frame if the last one does not say yet that the one before it was synced: afterwards damage to that one cannot pass for a torn
    /// write. The log thread's, when nothing else is to be done.
    /// </summary>
    public void Mark()
    {
        if (_markedPosition == _durablePosition || _failure is not null) return;
        try
        {
            _files.MakeRoom(LogFormat.SectorSize);
            WriteFrame(0);
        }
        catch (Exception e) when (e is not DiskFullException)
        {
            _failure = e;
            throw;
        }
        _markedPosition = _durablePosition = _files.Position;
    }

    /// <summary>Makes the first file, which a manifest that names it needs.</summary>
    public void PrepareFirst() => _files.EnsureSpare();

    /// <summary>Gives the space of a file that is kept ready back, if there are two; false when there are not.</summary>
    public bool TryDropReserve() => _files.TryDropSpare();

    /// <summary>Whether there is no space for the next file, so that nothing becomes durable until there is.</summary>
    public bool IsFull { get; internal set; }

    /// <summary>Whether the log can go on for two more files, whatever happens to the space on the disk.</summary>
    public bool HasReserve => _files.SpareCount >= LogFiles.SparesMax;

    /// <summary>Has the next files ready. The checkpointer's: it takes as long as writing them. Throws <see cref="DiskFullException"/> when there is no space.</summary>
    public void PrepareFiles()
    {
        while (!HasReserve) _files.AddSpare();
    }

    /// <summary>Files below that number are not needed any more.</summary>
    public void Retire(ulong belowFile) => _files.Retire(belowFile);

    /// <summary>Deletes what was there before this log began. Nothing of it may be needed any more.</summary>
    public void DeleteOlder() => _files.DeleteOlder();

    public void Dispose() => _files.Dispose();

    /// <summary>Waits until something is to be committed: at once when somebody waits for it, a little later when nobody does. False: nothing came, or it is over.</summary>
    internal bool WaitForWork(TimeSpan lazyTime, TimeSpan idleTime)
    {
        lock (_gate)
        {
            if (!_isAwaited && !_isStopping && _queued.Count == 0) Monitor.Wait(_gate, idleTime);
            if (!_isAwaited && !_isStopping && _queued.Count > 0) Monitor.Wait(_gate, lazyTime);
            return _queued.Count > 0 || _batch.Count > 0;
        }
    }

    /// <summary>Waits before another attempt at what there was no space for.</summary>
    internal void WaitForSpace(TimeSpan time)
    {
        lock (_gate)
        {
            if (!_isStopping) Monitor.Wait(_gate, time);
        }
    }

    /// <summary>Wakes the log's thread for the last time. False from <see cref="WaitForWork"/> then means that all is written.</summary>
    internal void Stop()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }
    }

    private void TakeBatch()
    {
        if (_batch.Count > 0) return; // there was no space for it the last time
        lock (_gate)
        {
            int size = 0;
            while (size < BatchBytesMax && _queued.TryDequeue(out LogUnit? unit))
            {
                for (LogUnit? each = unit; each is not null; each = each.Next)
                {
                    _batch.Add(each);
                    size += each.WrittenSize;
                }
                _batchTicket++;
            }
            if (_queued.Count == 0) _isAwaited = false;
        }
    }

    private void WriteFrame(int payloadSize)
    {
        int size = LogFormat.FrameHeaderSize + payloadSize, padded = LogFormat.PaddedSize(size);
        LogFormat.WriteFrameHeader(_frameHeader, payloadSize, _files.Position, _durablePosition, _files.Salt);
        uint crc = LogFormat.HeaderCrc(_frameHeader);
        _parts.Add(_frameHeader);
        foreach (LogUnit unit in _batch)
        {
            crc = Crc32C.Append(crc, unit.Written.Span);
            _parts.Add(unit.Written);
        }
        LogFormat.WriteFrameCrc(_frameHeader, crc);
        if (padded > size) _parts.Add(_padding.AsMemory(0, padded - size));
        try
        {
            _files.Write(_parts, padded);
        }
        finally
        {
            _parts.Clear();
        }
        SyncCount++;
        WrittenBytes += padded;
    }

    private void Finish(int payloadSize)
    {
        _durablePosition = _files.Position;
        lock (_gate)
        {
            _durable = _batchTicket;
            _stagedBytes -= payloadSize;
            foreach (LogUnit unit in _batch)
            {
                unit.Clear();
                if (_pool.Count < PooledUnitsMax) _pool.Push(unit);
            }
            for (int i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_waiters[i].Ticket > _durable) continue;
                _due.Add(_waiters[i].Waiter);
                _waiters[i] = _waiters[^1];
                _waiters.RemoveAt(_waiters.Count - 1);
            }
        }
        _batch.Clear();
        foreach (IDurabilityWaiter waiter in _due) waiter.OnDurable();
        _due.Clear();
    }

    private readonly record struct Waiting(long Ticket, IDurabilityWaiter Waiter);

    private sealed class TaskWaiter : TaskCompletionSource, IDurabilityWaiter
    {
        public TaskWaiter() : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
        }

        public void OnDurable() => SetResult();
    }
}
