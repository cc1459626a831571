using Harrier.Broker.Messages;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>
/// A message in a queue. The sequence is its place: it grows in the order of arrival. A message that stands in a segment file may be out of memory, so everything
/// that the queue decides by is here; and a logged one leaves the log's record of the queue only by another op.
/// </summary>
internal readonly record struct QueueEntry : ISequenced
{
    private readonly ushort _acquiredCount;
    private readonly ushort _deliveryCount;

    /// <summary>An entry for a message that joins a queue.</summary>
    public QueueEntry(Message message, ulong sequence, bool isLogged = false, byte lane = 0)
    {
        Message = message;
        Sequence = sequence;
        IsLogged = isLogged;
        Lane = lane;
        ArrivedAtMs = message.ArrivedAtMs;
        ExpiresAtMs = message.DueAtMs != 0 ? message.DueAtMs : message.ExpiresAtMs;
        BodySize = message.BodySize;
    }

    /// <summary>The message, or null when it is to be read from disk.</summary>
    public Message? Message { get; init; }

    public ulong Sequence { get; init; }

    public long ArrivedAtMs { get; init; }

    /// <summary>When the message's own time ends: its time to live, or the delay that it waits for; 0 for never.</summary>
    public long ExpiresAtMs { get; init; }

    public StoredAt Stored { get; init; }

    public int BodySize { get; init; }

    /// <summary>How often it was given to somebody and came back. It stops counting at 65 535.</summary>
    public int AcquiredCount
    {
        get => _acquiredCount;
        init => _acquiredCount = (ushort)Math.Min(value, ushort.MaxValue);
    }

    /// <summary>How many of these times count as failed (behaviour note 88).</summary>
    public int DeliveryCount
    {
        get => _deliveryCount;
        init => _deliveryCount = (ushort)Math.Min(value, ushort.MaxValue);
    }

    /// <summary>The priority that it has in this queue.</summary>
    public byte Lane { get; init; }

    public bool IsLogged { get; init; }

    /// <summary>Whether it was given to somebody before.</summary>
    public bool WasDelivered => AcquiredCount > 0;

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
