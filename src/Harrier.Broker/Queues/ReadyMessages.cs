using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>A message in a queue. The sequence is its place: dense per queue, in the order of arrival.</summary>
internal readonly record struct QueueEntry(Message Message, ulong Sequence, bool WasDelivered);

/// <summary>
/// The messages that can be delivered, in the order of their sequence. Messages leave at the front only, so everything that was ever taken out comes
/// before everything that never was: what returns goes to a heap of its own, which is served first, and is back in its place.
/// </summary>
internal sealed class ReadyMessages
{
    private readonly ChunkedDeque<QueueEntry> _fresh = new();
    private readonly PriorityQueue<QueueEntry, ulong> _returned = new();

    public int Count => _fresh.Count + _returned.Count;

    public void Add(in QueueEntry entry)
    {
        Invariant.Check(!entry.WasDelivered, "only a message that was never delivered joins the end of its queue");
        _fresh.Enqueue(in entry);
    }

    /// <summary>Puts a message back in its place.</summary>
    public void Return(in QueueEntry entry) => _returned.Enqueue(entry with { WasDelivered = true }, entry.Sequence);

    /// <summary>Takes the first message; there must be one.</summary>
    public QueueEntry Take()
    {
        if (_returned.Count == 0) return _fresh.Dequeue();
        QueueEntry entry = _returned.Dequeue();
        Invariant.Check(_fresh.Count == 0 || entry.Sequence < _fresh.Peek().Sequence, "a returned message comes before every fresh one");
        return entry;
    }
}
