using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Storage.Log;

namespace Harrier.Broker.Queues;

/// <summary>What can happen to a durable queue, as the log numbers it.</summary>
internal enum QueueOp : byte
{
    /// <summary>Queue, sequence, message.</summary>
    Enqueued = 1,

    /// <summary>Queue, sequence; the message is that of the op before it in the unit.</summary>
    EnqueuedToo = 2,

    /// <summary>Queue, sequence: the message has left the queue.</summary>
    Settled = 3,

    /// <summary>Queue, sequence, deliveries in vain: the message is back in its place.</summary>
    Returned = 4,

    /// <summary>Queue, sequence: messages up to that one were given to somebody.</summary>
    Delivered = 5,

    /// <summary>Queue, sequence, count, so many sequences: all below the first are gone but these, which are unacked.</summary>
    Purged = 6,

    /// <summary>Queue: it has ended, with all that was in it.</summary>
    Ended = 7,
}

/// <summary>
/// The log of one shard: its machines write what happens to durable queues, and the shard appends it as one unit. Under the shard's lock. Only facts are
/// written, so that reading them again needs no policy.
/// </summary>
public sealed class ShardLog
{
    // Beyond this a unit is appended before more is added, so that units stay small enough to be written together.
    private const int UnitBytesMax = 112 << 10;

    private readonly WriteAheadLog _log;
    private readonly int _stream;
    private readonly List<Queue> _delivering = [];
    private LogUnit _unit;
    private Message? _lastMessage;

    internal ShardLog(WriteAheadLog log, int stream)
    {
        _log = log;
        _stream = stream;
        _unit = log.RentUnit();
    }

    /// <summary>The number of the last unit.</summary>
    public ulong Index { get; set; }

    /// <summary>Queues of which something was written since they were last put down in a manifest.</summary>
    internal List<Queue> Changed { get; } = [];

    internal bool IsFull => _unit.Size > UnitBytesMax;

    private OpWriter Writer => new(_unit);

    internal void Enqueued(Queue queue, ulong sequence, Message message)
    {
        bool isSame = ReferenceEquals(message, _lastMessage);
        Begin(isSame ? QueueOp.EnqueuedToo : QueueOp.Enqueued, queue, sequence);
        if (!isSame) Writer.Message(message);
        _lastMessage = message;
        _unit.IsAwaited = true;
    }

    internal void Settled(Queue queue, ulong sequence) => Begin(QueueOp.Settled, queue, sequence);

    internal void Returned(Queue queue, ulong sequence, int deliveryCount)
    {
        Begin(QueueOp.Returned, queue, sequence);
        Writer.Number(deliveryCount);
    }

    /// <summary>How far the queue's messages were given out is written once per unit, whatever their number.</summary>
    internal void Delivered(Queue queue)
    {
        if (queue.IsDeliveryNew) return;
        queue.IsDeliveryNew = true;
        _delivering.Add(queue);
    }

    internal void Purged(Queue queue, ulong below, IReadOnlyCollection<ulong> kept)
    {
        Begin(QueueOp.Purged, queue, below);
        Writer.Number(kept.Count);
        foreach (ulong sequence in kept) Writer.Number(sequence);
        _unit.IsAwaited = true;
    }

    internal void Ended(Queue queue)
    {
        Begin(QueueOp.Ended, queue, sequence: 0);
        _unit.IsAwaited = true;
    }

    /// <summary>Appends what was written; the ticket to wait for, or 0 when nobody needs to.</summary>
    internal long Append()
    {
        if (Take() is not { } unit) return 0;
        bool isAwaited = unit.IsAwaited;
        long ticket = _log.Append(unit);
        return isAwaited ? ticket : 0;
    }

    /// <summary>Closes what was written, for the caller to append; null when there is nothing.</summary>
    internal LogUnit? Take()
    {
        foreach (Queue queue in _delivering)
        {
            queue.IsDeliveryNew = false;
            Begin(QueueOp.Delivered, queue, queue.Machine.DeliveredUpTo);
        }
        _delivering.Clear();
        if (_unit.IsEmpty) return null;
        LogUnit unit = _unit;
        unit.Seal(_stream, ++Index);
        _unit = _log.RentUnit();
        _lastMessage = null;
        return unit;
    }

    internal long Append(LogUnit group) => _log.Append(group);

    private void Begin(QueueOp op, Queue queue, ulong sequence)
    {
        if (!queue.IsChanged)
        {
            queue.IsChanged = true;
            Changed.Add(queue);
        }
        OpWriter writer = Writer;
        writer.Byte((byte)op);
        writer.Number(queue.Id.Value);
        writer.Number(sequence);
    }
}
