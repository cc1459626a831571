using Harrier.Broker.Messages;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>
/// A message in a queue. The sequence is its place: dense per queue, in the order of arrival. A message that stands in a segment file may be out of memory,
/// and a logged one leaves the log's record of the queue only by another op.
/// </summary>
internal readonly record struct QueueEntry(Message? Message, ulong Sequence, int DeliveryCount = 0, bool IsLogged = false, StoredAt Stored = default)
{
    /// <summary>Whether it was given to somebody before.</summary>
    public bool WasDelivered => DeliveryCount > 0;

    /// <summary>Gives up the message, in memory and on disk.</summary>
    public void Release()
    {
        Message?.Release();
        Stored.Release();
    }
}

/// <summary>Where in a segment file a message stands; nowhere by default.</summary>
internal readonly record struct StoredAt(SegmentFile? File, uint Offset, int Size)
{
    public void Release() => File?.Release(Size);
}
