namespace Harrier.Broker.Queues;

/// <summary>
/// The part of a lane that is out of memory: runs in segment files, in the order of their sequence, and a window of messages that were read back from the
/// first of them. Everything in it comes before what arrived later and is still in memory.
/// </summary>
internal sealed class Backlog(ReadyTally tally)
{
    private const int WindowBytesMin = 32 << 10;
    private const int WindowBytesMax = 256 << 10;

    private readonly EntryDeque _window = new();
    private readonly LinkedList<DiskRun> _runs = new();
    private int _windowBytes = WindowBytesMin;
    private int _lowWater;

    /// <summary>Messages in runs and window.</summary>
    public int Count => _window.Count + OnDiskCount;

    /// <summary>Messages that are to be read yet.</summary>
    public int OnDiskCount { get; private set; }

    public LinkedList<DiskRun> Runs => _runs;

    public IEnumerable<QueueEntry> Window => _window.Entries;

    public bool HasWindow => _window.Count > 0;

    public EntryDeque Loaded => _window;

    /// <summary>Whether reading on now means that nobody has to wait for it later.</summary>
    public bool IsWindowLow => OnDiskCount > 0 && _window.Count <= _lowWater;

    public ref readonly QueueEntry Peek() => ref _window.Peek();

    public QueueEntry Take() => _window.Take();

    /// <summary>Whether a message is here that was read back.</summary>
    public bool Holds(ulong sequence) => _window.Contains(sequence);

    /// <summary>Takes a message out that was read back, wherever it stands.</summary>
    public bool TryRemove(ulong sequence, out QueueEntry entry) => _window.TryRemove(sequence, out entry);

    /// <summary>Adds a run behind all others.</summary>
    public void Add(DiskRun run)
    {
        Invariant.Check(_runs.Last is not { } last || last.Value.LastSequence < run.FirstSequence, "runs are in the order of their sequence");
        _runs.AddLast(run);
        OnDiskCount += run.Count;
    }

    /// <summary>Strikes a message of a run out that was not read. A run without any goes, unless it is being read.</summary>
    public void Remove(DiskRun run, ulong sequence, int bodySize, bool isLogged, bool isReading)
    {
        run.Remove(sequence, bodySize, isLogged);
        OnDiskCount--;
        tally.CountOut(bodySize);
        if (run.Count == 0 && !isReading) Drop(run);
    }

    /// <summary>Gives up a run with all that is left of it.</summary>
    public void Drop(DiskRun run)
    {
        OnDiskCount -= run.Count;
        tally.CountOut(run.Count, run.BodyBytes);
        run.Release();
        _runs.Remove(run);
    }

    /// <summary>What to read next. The more is read without a pause, the larger the pieces.</summary>
    public BacklogLoad BeginLoad(Queue queue, byte lane)
    {
        _windowBytes = HasWindow ? Math.Min(_windowBytes * 2, WindowBytesMax) : WindowBytesMin;
        return BacklogLoad.OfRun(queue, lane, _runs.First!.Value, _windowBytes);
    }

    /// <summary>Takes up what was read of the first run.</summary>
    /// <param name="load">What was read.</param>
    /// <param name="deliveredUpTo">Messages up to that sequence were given to somebody, in an earlier life of the broker.</param>
    public void FinishLoad(BacklogLoad load, ulong deliveredUpTo)
    {
        DiskRun run = load.Run!;
        Invariant.Check(ReferenceEquals(_runs.First?.Value, run), "a queue reads on in its first run");
        foreach (QueueEntry entry in load.Entries)
        {
            if (run.Gone.Contains(entry.Sequence))
            {
                entry.Release();
                continue;
            }
            _window.Add(run.WithCounts(in entry, deliveredUpTo));
            run.CountOut(entry.BodySize, entry.IsLogged);
            OnDiskCount--;
        }
        Invariant.Check(run.Count >= 0, "a run holds as many messages as were counted");
        _lowWater = _window.Count / 2;
        run.File.Release(load.GoneBytes);
        run.Next = load.NextOffset;
        if (load.Entries.Count > 0) (run.FirstSequence, run.FirstArrivedAtMs) = (load.Entries[^1].Sequence + 1, load.Entries[^1].ArrivedAtMs);
        // What follows the last message that counts, if anything, was passed over. Its times are kept while messages that were read have some.
        if (run.Count == 0) Retire(run);
    }

    /// <summary>Gives up everything.</summary>
    public void Clear()
    {
        foreach (DiskRun run in _runs) run.Release();
        _runs.Clear();
        OnDiskCount = 0;
        _window.Clear();
    }

    private void Retire(DiskRun run)
    {
        run.Release();
        _runs.RemoveFirst();
    }
}
