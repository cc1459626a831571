namespace Harrier.Broker.Queues;

/// <summary>
/// When messages of a queue that are in memory run out of time, the earliest first. What has left the queue meanwhile stays until its time comes, or until it is
/// more than half: then all of it goes.
/// </summary>
internal sealed class ExpiryHeap
{
    // Fewer are not worth a look.
    private const int CompactedMin = 1024;

    private readonly PriorityQueue<Place, long> _heap = new();
    private int _countAfterCompaction;

    /// <summary>The earliest time, or <see cref="long.MaxValue"/>.</summary>
    public long NextAtMs => _heap.TryPeek(out _, out long atMs) ? atMs : long.MaxValue;

    /// <summary>Whether so much was added since the last <see cref="Compact"/> that another pays.</summary>
    public bool IsOvergrown => _heap.Count > CompactedMin && _heap.Count > 2 * _countAfterCompaction;

    public void Add(in QueueEntry entry) => _heap.Enqueue(new Place(entry.Sequence, entry.Lane), entry.ExpiresAtMs);

    /// <summary>Takes the earliest out when its time has come.</summary>
    public bool TryTakeDue(long nowMs, out Place place)
    {
        bool isDue = _heap.TryPeek(out place, out long atMs) && atMs <= nowMs;
        if (isDue) _heap.Dequeue();
        return isDue;
    }

    /// <summary>Keeps those that are still where they were.</summary>
    public void Compact(Func<Place, bool> isThere)
    {
        (Place, long)[] kept = [.. _heap.UnorderedItems.Where(item => isThere(item.Element))];
        _heap.Clear();
        _heap.EnqueueRange(kept);
        _countAfterCompaction = kept.Length;
    }

    public void Clear()
    {
        _heap.Clear();
        _countAfterCompaction = 0;
    }

    /// <summary>Where a message stands.</summary>
    public readonly record struct Place(ulong Sequence, byte Lane);
}
