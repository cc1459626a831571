using Harrier.Broker.Durability;

namespace Harrier.Broker.Queues;

/// <summary>
/// The messages of one priority that can be delivered, in the order of their sequence. What was taken out and comes back goes to a set of its own, from which it is
/// served in its place: as a rule before everything that was never taken out, but consumers with a filter take from the middle. That which was never taken out
/// stands in the backlog, which is on disk, and then in memory, where it arrived after it.
/// </summary>
internal sealed partial class Lane(byte number, ReadyTally tally)
{
    // Messages that went back and are out of memory are read together, so many at a time.
    private const int ScatteredMax = 64;

    private static readonly Comparer<QueueEntry> BySequence = Comparer<QueueEntry>.Create(static (a, b) => a.Sequence.CompareTo(b.Sequence));

    private readonly EntryDeque _fresh = new();
    private SortedSet<QueueEntry>? _returned;
    private Backlog? _backlog;
    private BacklogLoad? _load;

    /// <summary>The priority.</summary>
    public byte Number { get; } = number;

    public int Count => _fresh.Count + ReturnedCount + (_backlog?.Count ?? 0) + ScatteredCount;

    /// <summary>The highest sequence that was ever given to somebody.</summary>
    public ulong DeliveredUpTo { get; set; }

    /// <summary>Whether the log does not know yet up to where messages were given out.</summary>
    public bool IsDeliveryNew { get; set; }

    /// <summary>Whether the first message is in memory. If it is not, a load brings it.</summary>
    public bool CanTake
    {
        get
        {
            if (ScatteredCount > 0) return false;
            if (IsReturnedFirst) return _returned!.Min.Message is not null;
            return _backlog is null ? _fresh.Count > 0 : _backlog.HasWindow || (_backlog.OnDiskCount == 0 && _fresh.Count > 0);
        }
    }

    /// <summary>Whether the first message could not be read.</summary>
    public bool StandsStill => !CanTake && _load?.Failure is not null;

    /// <summary>Whether a load would keep a reader from waiting later.</summary>
    public bool WantsLoad => _load is null && _backlog?.IsWindowLow == true;

    /// <summary>What arrived since the last checkpoint and was never taken out.</summary>
    public IEnumerable<QueueEntry> Fresh => _fresh.Entries;

    /// <summary>What has left from among these, as ranges.</summary>
    public IEnumerable<(ulong First, ulong Last)> FreshGaps => _fresh.Gaps;

    /// <summary>What was taken out and came back.</summary>
    public IEnumerable<QueueEntry> Returned => (_returned ?? []).Concat(ReadReturned);

    /// <summary>What was read back from disk and not taken since.</summary>
    public IEnumerable<QueueEntry> Window => _backlog?.Window ?? [];

    /// <summary>What is on disk, in order.</summary>
    public IEnumerable<DiskRun> Runs => _backlog?.Runs ?? [];

    // Those that are being read, which are few.
    private IEnumerable<QueueEntry> ReadReturned => _load is { Run: null } load ? load.Entries : [];

    private int ReturnedCount => _returned?.Count ?? 0;

    private bool IsReturnedFirst => ReturnedCount > 0 && _returned!.Min.Sequence < FirstUntaken;

    // Nothing that was never taken out comes before it.
    private ulong FirstUntaken
    {
        get
        {
            if (_backlog is { HasWindow: true }) return _backlog.Peek().Sequence;
            if (_backlog is { OnDiskCount: > 0 }) return _backlog.Runs.First!.Value.FirstSequence;
            return _fresh.Count > 0 ? _fresh.Peek().Sequence : ulong.MaxValue;
        }
    }

    // Messages that are being read one by one are in the load and nowhere else.
    private int ScatteredCount => _load is { Run: null } load ? load.Entries.Count : 0;

    /// <summary>Adds a message at the end.</summary>
    public void Add(in QueueEntry entry)
    {
        _fresh.Add(in entry);
        tally.CountIn(entry.BodySize);
        tally.Fresh += FreshBytes.Of(in entry);
    }

    /// <summary>Puts a message back in its place.</summary>
    public void Return(in QueueEntry entry)
    {
        (_returned ??= new SortedSet<QueueEntry>(BySequence)).Add(entry);
        tally.CountIn(entry.BodySize);
    }

    /// <summary>Adds messages that are on disk, behind those that are there already.</summary>
    public void Add(DiskRun run)
    {
        (_backlog ??= new Backlog(tally)).Add(run);
        tally.CountIn(run.Count, run.BodyBytes);
    }

    /// <summary>The first message, which must be in memory.</summary>
    public QueueEntry Peek()
    {
        if (IsReturnedFirst) return _returned!.Min;
        return _backlog?.HasWindow == true ? _backlog.Peek() : _fresh.Peek();
    }

    /// <summary>What the queue knows of the first message, which need not be in memory; false while that is to be read from a run.</summary>
    public bool TryPeekKnown(out QueueEntry entry)
    {
        entry = default;
        if (ScatteredCount > 0) return false;
        if (IsReturnedFirst) entry = _returned!.Min;
        else if (CanTake) entry = Peek();
        else return false;
        return true;
    }

    /// <summary>No message here arrived earlier; null when there is none, or when it is being read.</summary>
    public long? FirstArrivedAtMs => TryPeekKnown(out QueueEntry first) ? first.ArrivedAtMs : FirstRun?.FirstArrivedAtMs;

    /// <summary>Takes the first message, which must be in memory.</summary>
    public QueueEntry Take()
    {
        QueueEntry entry = TakeFirst();
        tally.CountOut(entry.BodySize);
        return entry;
    }

    /// <summary>Takes a message out that is in memory, wherever it stands.</summary>
    public bool TryRemove(ulong sequence, out QueueEntry entry)
    {
        entry = default;
        bool isReturned = _returned?.TryGetValue(Probe(sequence), out entry) == true;
        if (isReturned) _returned!.Remove(entry);
        else if (_backlog?.TryRemove(sequence, out entry) == true) ForgetEmptyBacklog();
        else if (_fresh.TryRemove(sequence, out entry)) tally.Fresh -= FreshBytes.Of(in entry);
        else return false;
        tally.CountOut(entry.BodySize);
        return true;
    }

    /// <summary>Takes a message out that stands in a run, as somebody has read it; false when it is none of the lane's any more.</summary>
    /// <param name="run">The run that it was read from.</param>
    /// <param name="read">What was read.</param>
    /// <param name="offset">Where it stands, from the run's start on.</param>
    /// <param name="entry">The message as the queue has it, with a reference of its own and its place on disk.</param>
    public bool TryTake(DiskRun run, in QueueEntry read, long offset, out QueueEntry entry)
    {
        entry = default;
        if (!Runs.Contains(run) || !run.Holds(read.Sequence)) return false;
        entry = run.WithCounts(in read, DeliveredUpTo) with { Stored = new StoredAt(run.File, checked((uint)(run.Start + offset)), read.Stored.Size) };
        run.File.Retain(entry.Stored.Size); // besides the run, which passes over it
        entry.Message!.AddReferences(1);
        return TryRemove(run, entry.Sequence, entry.BodySize, entry.IsLogged);
    }

    /// <summary>Strikes out a message that stands in a run and was not read; false when it is none of the lane's any more.</summary>
    public bool TryRemove(DiskRun run, ulong sequence, int bodySize, bool isLogged)
    {
        if (!run.Holds(sequence)) return false;
        _backlog!.Remove(run, sequence, bodySize, isLogged, IsReading(run));
        ForgetEmptyBacklog();
        return true;
    }

    /// <summary>Whether a message is here and in memory.</summary>
    public bool IsInMemory(ulong sequence) =>
        _returned?.Contains(Probe(sequence)) == true || (_backlog?.Holds(sequence) ?? false) || _fresh.Contains(sequence);

    /// <summary>The run that holds a message that was not read, or null.</summary>
    public DiskRun? FindRun(ulong sequence) => Runs.FirstOrDefault(run => run.Holds(sequence));

    /// <summary>The run that comes first of all that is here, or null when something in memory does or when it is being read.</summary>
    public DiskRun? FirstRun => !IsReturnedFirst && _load is null && _backlog is { HasWindow: false, OnDiskCount: > 0 } backlog ? backlog.Runs.First!.Value : null;

    /// <summary>Gives up a run that is not being read.</summary>
    public void Drop(DiskRun run)
    {
        _backlog!.Drop(run);
        ForgetEmptyBacklog();
    }

    /// <summary>Begins to read what comes first and is not in memory. The same load until it is finished.</summary>
    public BacklogLoad BeginLoad(Queue queue, out bool isNew)
    {
        isNew = _load is null;
        if (_load is not null) return _load;
        bool isScattered = IsReturnedFirst && _returned!.Min.Message is null;
        return _load = isScattered ? BacklogLoad.OfScattered(queue, Number, TakeScattered()) : _backlog!.BeginLoad(queue, Number);
    }

    /// <summary>Takes up what was read; false when nobody wants it any more, and it has been given up.</summary>
    public bool FinishLoad(BacklogLoad load)
    {
        if (!ReferenceEquals(load, _load))
        {
            load.Discard();
            return false;
        }
        if (load.Failure is not null) return true; // it stays the load that the lane waits for: nothing may overtake what cannot be read
        _load = null;
        if (load.Run is not null)
        {
            _backlog!.FinishLoad(load, DeliveredUpTo);
            ForgetEmptyBacklog();
        }
        else foreach (QueueEntry entry in load.TakeScattered()) (_returned ??= new SortedSet<QueueEntry>(BySequence)).Add(entry);
        return true;
    }

    /// <summary>After messages were written to a segment: those that are still in place leave memory as one run.</summary>
    /// <param name="snapshot">What was written.</param>
    public void MoveFreshOut(FreshSnapshot snapshot)
    {
        ulong upTo = snapshot.Entries[^1].Sequence;
        if (_fresh.Count == 0 || _fresh.Peek().Sequence > upTo) return;
        ulong first = _fresh.Peek().Sequence;
        DiskRun run = snapshot.MakeRun(first);
        for (int i = snapshot.IndexOf(first); i < snapshot.Entries.Count; i++)
        {
            QueueEntry written = snapshot.Entries[i];
            bool isHere = _fresh.Count > 0 && _fresh.Peek().Sequence == written.Sequence;
            if (isHere) TakeFresh().Message!.Release();
            else run.Remove(written.Sequence, written.BodySize, written.IsLogged); // it left from the middle meanwhile
        }
        (_backlog ??= new Backlog(tally)).Add(run); // they were counted all the time
    }

    /// <summary>Whether a message is the first of those that were never taken out.</summary>
    public bool IsNextFresh(ulong sequence) => _fresh.Count > 0 && _fresh.Peek().Sequence == sequence;

    /// <summary>Whether a run is being read.</summary>
    public bool IsReading(DiskRun run) => ReferenceEquals(_load?.Run, run);

    /// <summary>Changes every message that came back, in its place.</summary>
    public void UpdateReturned(Func<QueueEntry, QueueEntry> update)
    {
        if (_returned is not null) _returned = new SortedSet<QueueEntry>(_returned.Select(update), BySequence);
    }

    /// <summary>Gives up everything; the tally is the caller's to clear.</summary>
    public void Clear()
    {
        if (_load is { Run: null } load)
            foreach (QueueEntry entry in load.Entries) entry.Stored.Release(); // what it has read by now is given up when it comes
        _load = null;
        foreach (QueueEntry entry in _returned ?? []) entry.Release();
        _returned = null;
        _backlog?.Clear();
        _backlog = null;
        while (_fresh.Count > 0) TakeFresh().Release();
    }

    private static QueueEntry Probe(ulong sequence) => new() { Sequence = sequence };

    private QueueEntry TakeFirst()
    {
        if (IsReturnedFirst)
        {
            QueueEntry entry = _returned!.Min;
            _returned.Remove(entry);
            return entry;
        }
        if (_backlog is null) return TakeFresh();
        QueueEntry first = _backlog.HasWindow ? _backlog.Take() : TakeFresh();
        ForgetEmptyBacklog();
        return first;
    }

    private void ForgetEmptyBacklog()
    {
        if (_backlog!.Count == 0 && _load is null) _backlog = null;
    }

    private QueueEntry TakeFresh()
    {
        QueueEntry entry = _fresh.Take();
        tally.Fresh -= FreshBytes.Of(in entry);
        return entry;
    }

    private List<QueueEntry> TakeScattered()
    {
        var taken = new List<QueueEntry>();
        while (taken.Count < ScatteredMax && ReturnedCount > 0 && _returned!.Min is { Message: null } entry)
        {
            _returned.Remove(entry);
            taken.Add(entry);
        }
        return taken;
    }
}
