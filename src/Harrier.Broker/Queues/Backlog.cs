namespace Harrier.Broker.Queues;

/// <summary>
/// The part of a queue that is out of memory: runs in segment files, in the order of their sequence, and a window of messages that were read back from the
/// first of them. Everything in it comes before what arrived later and is still in memory.
/// </summary>
internal sealed class Backlog
{
    private const int WindowBytesMin = 32 << 10;
    private const int WindowBytesMax = 256 << 10;

    private readonly ChunkedDeque<QueueEntry> _window = new();
    private readonly LinkedList<DiskRun> _runs = new();
    private int _windowBytes = WindowBytesMin;
    private int _lowWater;

    /// <summary>Messages in runs and window.</summary>
    public int Count => _window.Count + OnDiskCount;

    /// <summary>Messages that are to be read yet.</summary>
    public int OnDiskCount { get; private set; }

    public IEnumerable<DiskRun> Runs => _runs;

    public IEnumerable<QueueEntry> Window => _window;

    public bool HasWindow => _window.Count > 0;

    /// <summary>Whether reading on now means that nobody has to wait for it later.</summary>
    public bool IsWindowLow => OnDiskCount > 0 && _window.Count <= _lowWater;

    public ref readonly QueueEntry Peek() => ref _window.Peek();

    public QueueEntry Take() => _window.Dequeue();

    /// <summary>Adds a run behind all others.</summary>
    public void Add(DiskRun run)
    {
        Invariant.Check(_runs.Last is not { } last || last.Value.LastSequence < run.FirstSequence, "runs are in the order of their sequence");
        _runs.AddLast(run);
        OnDiskCount += run.Count;
    }

    /// <summary>What to read next. The more is read without a pause, the larger the pieces.</summary>
    public BacklogLoad BeginLoad(Queue queue)
    {
        _windowBytes = HasWindow ? Math.Min(_windowBytes * 2, WindowBytesMax) : WindowBytesMin;
        return BacklogLoad.OfRun(queue, _runs.First!.Value, _windowBytes);
    }

    /// <summary>Takes up what was read of the first run.</summary>
    /// <param name="load">What was read.</param>
    /// <param name="deliveredUpTo">Messages up to that sequence were given to somebody, in an earlier life of the broker.</param>
    public void FinishLoad(BacklogLoad load, ulong deliveredUpTo)
    {
        DiskRun run = load.Run!;
        Invariant.Check(ReferenceEquals(_runs.First?.Value, run), "a queue reads on in its first run");
        Invariant.Check(load.Entries.Count <= run.Count, "a run holds as many messages as were counted");
        foreach (QueueEntry entry in load.Entries)
        {
            int known = run.DeliveryCounts?.GetValueOrDefault(entry.Sequence) ?? 0, least = entry.Sequence <= deliveredUpTo ? 1 : 0;
            _window.Enqueue(entry with { DeliveryCount = Math.Max(Math.Max(entry.DeliveryCount, known), least) });
        }
        _lowWater = _window.Count / 2;
        run.File.Release(load.GoneBytes);
        run.Count -= load.Entries.Count;
        run.LoggedCount -= load.Entries.Count(entry => entry.IsLogged);
        OnDiskCount -= load.Entries.Count;
        run.Next = load.NextOffset;
        if (load.Entries.Count > 0) run.FirstSequence = load.Entries[^1].Sequence + 1;
        if (run.Count > 0) return;
        run.Release(); // what follows the last message that counts, if anything, was passed over
        _runs.RemoveFirst();
    }

    /// <summary>Gives up everything.</summary>
    public void Clear()
    {
        foreach (DiskRun run in _runs) run.Release();
        _runs.Clear();
        OnDiskCount = 0;
        while (_window.Count > 0) _window.Dequeue().Release();
    }
}
