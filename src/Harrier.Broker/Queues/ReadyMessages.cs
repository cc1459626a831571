namespace Harrier.Broker.Queues;

/// <summary>
/// The messages that can be delivered, in the order of their sequence. Messages leave at the front only, so everything that was ever taken out comes
/// before everything that never was: what returns goes to a heap of its own, which is served first, and is back in its place. Then comes the backlog that is
/// on disk, then what arrived after it.
/// </summary>
internal sealed class ReadyMessages
{
    // Messages that went back and are out of memory are read together, so many at a time.
    private const int ScatteredMax = 64;

    private readonly ChunkedDeque<QueueEntry> _fresh = new();
    private readonly PriorityQueue<QueueEntry, ulong> _returned = new();
    private Backlog? _backlog;
    private BacklogLoad? _load;

    public int Count => _fresh.Count + _returned.Count + (_backlog?.Count ?? 0) + ScatteredCount;

    /// <summary>Whether the first message is in memory. If it is not, a load brings it.</summary>
    public bool CanTake
    {
        get
        {
            if (ScatteredCount > 0) return false;
            if (_returned.Count > 0) return _returned.Peek().Message is not null;
            return _backlog is null ? _fresh.Count > 0 : _backlog.HasWindow || (_backlog.OnDiskCount == 0 && _fresh.Count > 0);
        }
    }

    /// <summary>Whether a load would keep a reader from waiting later.</summary>
    public bool WantsLoad => _load is null && _backlog?.IsWindowLow == true;

    /// <summary>What arrived since the last checkpoint and was never taken out.</summary>
    public IEnumerable<QueueEntry> Fresh => _fresh;

    /// <summary>What was taken out and came back, in no order.</summary>
    public IEnumerable<QueueEntry> Returned => _returned.UnorderedItems.Select(item => item.Element).Concat(_load is { Run: null } load ? load.Entries : []);

    public Backlog? Backlog => _backlog;

    /// <summary>Memory of what arrived and was never taken out.</summary>
    public FreshBytes FreshBytes { get; private set; }

    // Messages that are being read one by one are in the load and nowhere else.
    private int ScatteredCount => _load is { Run: null } load ? load.Entries.Count : 0;

    public void Add(in QueueEntry entry)
    {
        Invariant.Check(!entry.WasDelivered, "only a message that was never delivered joins the end of its queue");
        Restore(in entry);
    }

    /// <summary>Puts a message back in its place.</summary>
    public void Return(in QueueEntry entry) => _returned.Enqueue(entry, entry.Sequence);

    /// <summary>Adds a message at the end that was there before a restart.</summary>
    public void Restore(in QueueEntry entry)
    {
        _fresh.Enqueue(in entry);
        FreshBytes += FreshBytes.Of(in entry);
    }

    /// <summary>Adds messages that are on disk, behind those that are there already.</summary>
    public void Add(DiskRun run) => (_backlog ??= new Backlog()).Add(run);

    /// <summary>Takes the first message, which must be in memory.</summary>
    public QueueEntry Take()
    {
        if (_returned.Count > 0)
        {
            QueueEntry entry = _returned.Dequeue();
            Invariant.Check(_fresh.Count == 0 || entry.Sequence < _fresh.Peek().Sequence, "a returned message comes before every fresh one");
            return entry;
        }
        if (_backlog is null) return TakeFresh();
        QueueEntry first = _backlog.HasWindow ? _backlog.Take() : TakeFresh();
        if (_backlog.Count == 0 && _load is null) _backlog = null;
        return first;
    }

    /// <summary>Begins to read what comes first and is not in memory. The same load until it is finished.</summary>
    public BacklogLoad BeginLoad(Queue queue, out bool isNew)
    {
        isNew = _load is null;
        if (_load is not null) return _load;
        bool isScattered = _returned.Count > 0 && _returned.Peek().Message is null;
        return _load = isScattered ? BacklogLoad.OfScattered(queue, TakeScattered()) : _backlog!.BeginLoad(queue);
    }

    /// <summary>Takes up what was read; false when nobody wants it any more, and it has been given up.</summary>
    public bool FinishLoad(BacklogLoad load, ulong deliveredUpTo)
    {
        if (!ReferenceEquals(load, _load))
        {
            load.Discard();
            return false;
        }
        if (load.Failure is not null) return true; // it stays the load that the queue waits for: nothing may overtake what cannot be read
        _load = null;
        if (load.Run is not null) _backlog!.FinishLoad(load, deliveredUpTo);
        else foreach (QueueEntry entry in load.TakeScattered()) _returned.Enqueue(entry, entry.Sequence);
        return true;
    }

    /// <summary>
    /// After messages were written to a segment: those that are still in place leave memory as one run.
    /// </summary>
    /// <param name="upTo">The last sequence that was written.</param>
    /// <param name="storedAt">Where a message was written.</param>
    public void MoveFreshOut(ulong upTo, Func<ulong, StoredAt> storedAt)
    {
        if (_fresh.Count == 0 || _fresh.Peek().Sequence > upTo) return;
        ulong firstSequence = _fresh.Peek().Sequence, lastSequence = firstSequence;
        int count = 0, logged = 0;
        for (; _fresh.Count > 0 && _fresh.Peek().Sequence <= upTo; count++)
        {
            QueueEntry entry = TakeFresh();
            lastSequence = entry.Sequence;
            if (entry.IsLogged) logged++;
            entry.Message!.Release();
        }
        StoredAt first = storedAt(firstSequence), last = storedAt(lastSequence);
        long end = (long)last.Offset + last.Size;
        first.File!.Retain(end - first.Offset);
        Add(new DiskRun(first.File, first.Offset, end, count, firstSequence, lastSequence) { LoggedCount = logged });
    }

    /// <summary>Whether a message is the first of those that were never taken out.</summary>
    public bool IsNextFresh(ulong sequence) => _fresh.Count > 0 && _fresh.Peek().Sequence == sequence;

    /// <summary>Whether a run is being read.</summary>
    public bool IsReading(DiskRun run) => ReferenceEquals(_load?.Run, run);

    /// <summary>Changes every message that came back, in its place.</summary>
    public void UpdateReturned(Func<QueueEntry, QueueEntry> update)
    {
        QueueEntry[] entries = [.. _returned.UnorderedItems.Select(item => item.Element)];
        _returned.Clear();
        foreach (QueueEntry entry in entries)
        {
            QueueEntry updated = update(entry);
            _returned.Enqueue(updated, updated.Sequence);
        }
    }

    /// <summary>Gives up everything; how many messages.</summary>
    public int Clear()
    {
        int count = Count;
        if (_load is { Run: null } load)
            foreach (QueueEntry entry in load.Entries) entry.Stored.Release(); // what it has read by now is given up when it comes
        _load = null;
        while (_returned.TryDequeue(out QueueEntry entry, out _)) entry.Release();
        _backlog?.Clear();
        _backlog = null;
        while (_fresh.Count > 0) TakeFresh().Release();
        return count;
    }

    private QueueEntry TakeFresh()
    {
        QueueEntry entry = _fresh.Dequeue();
        FreshBytes -= FreshBytes.Of(in entry);
        return entry;
    }

    private List<QueueEntry> TakeScattered()
    {
        var taken = new List<QueueEntry>();
        while (taken.Count < ScatteredMax && _returned.TryPeek(out QueueEntry entry, out _) && entry.Message is null) taken.Add(_returned.Dequeue());
        return taken;
    }
}
