using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Storage.Log;

namespace Harrier.Broker.Queues;

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
    private readonly List<(Queue Queue, Lane Lane)> _delivering = [];
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

    /// <summary>Queues that have changed since they were last put down in a manifest.</summary>
    internal List<Queue> Changed { get; } = [];

    /// <summary>The ticket of the last unit that any shard has appended.</summary>
    internal long Appended => _log.Appended;

    internal bool IsFull => _unit.Size > UnitBytesMax;

    private OpWriter Writer => new(_unit);

    internal void Enqueued(Queue queue, in QueueEntry entry)
    {
        bool isSame = ReferenceEquals(entry.Message, _lastMessage);
        if (entry.Lane == 0) Begin(isSame ? QueueOp.EnqueuedToo : QueueOp.Enqueued, queue, entry.Sequence);
        else
        {
            Begin(isSame ? QueueOp.EnqueuedTooInLane : QueueOp.EnqueuedInLane, queue, entry.Sequence);
            Writer.Byte(entry.Lane);
        }
        if (!isSame) Writer.Message(entry.Message!);
        _lastMessage = entry.Message;
        _unit.IsAwaited = true;
    }

    internal void Settled(Queue queue, in QueueEntry entry)
    {
        Begin(QueueOp.Settled, queue, entry.Sequence);
        Writer.Byte(entry.Lane);
        Writer.Number(entry.BodySize);
    }

    internal void Returned(Queue queue, in QueueEntry entry, long readyAtMs)
    {
        Begin(QueueOp.Returned, queue, entry.Sequence);
        Writer.Byte(entry.Lane);
        Writer.Number(entry.AcquiredCount);
        Writer.Number(entry.DeliveryCount);
        Writer.Number(readyAtMs);
    }

    /// <summary>How far a lane's messages were given out is written once per unit, whatever their number.</summary>
    internal void Delivered(Queue queue, Lane lane)
    {
        if (lane.IsDeliveryNew) return;
        lane.IsDeliveryNew = true;
        _delivering.Add((queue, lane));
    }

    /// <param name="queue">The queue.</param>
    /// <param name="below">Everything below that sequence is gone.</param>
    /// <param name="lane">Of that lane only, or of all.</param>
    /// <param name="kept">What is not ready and stays.</param>
    internal void Purged(Queue queue, ulong below, byte? lane, IEnumerable<QueueEntry> kept)
    {
        QueueEntry[] logged = [.. kept.Where(entry => entry.IsLogged)];
        Begin(QueueOp.Purged, queue, below);
        Writer.Number(lane is { } number ? number + 1 : 0);
        Writer.Number(logged.Length);
        foreach (QueueEntry entry in logged)
        {
            Writer.Number(entry.Sequence);
            Writer.Byte(entry.Lane);
            Writer.Number(entry.BodySize);
        }
        _unit.IsAwaited = true;
    }

    internal void Remembered(Queue queue, ReadOnlySpan<byte> key, long forgottenAtMs)
    {
        Begin(QueueOp.Remembered, queue, sequence: 0);
        Writer.Bytes(key);
        Writer.Fixed(forgottenAtMs);
    }

    /// <param name="queue">The queue.</param>
    /// <param name="entry">What has come.</param>
    /// <param name="bodySizeBefore">What the queue counted for the message that had its place.</param>
    internal void Replaced(Queue queue, in QueueEntry entry, int bodySizeBefore)
    {
        Begin(QueueOp.Replaced, queue, entry.Sequence);
        Writer.Byte(entry.Lane);
        Writer.Message(entry.Message!);
        Writer.Number(bodySizeBefore);
    }

    internal void Held(Queue queue, in QueueEntry entry, long holder)
    {
        Begin(QueueOp.Held, queue, entry.Sequence);
        Writer.Byte(entry.Lane);
        Writer.Number(holder);
        _unit.IsAwaited = true;
    }

    internal void Paused(Queue queue, bool isPaused)
    {
        Begin(QueueOp.Paused, queue, isPaused ? 1UL : 0UL);
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
        foreach ((Queue queue, Lane lane) in _delivering)
        {
            lane.IsDeliveryNew = false;
            Begin(QueueOp.Delivered, queue, lane.DeliveredUpTo);
            Writer.Byte(lane.Number);
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

    /// <summary>Has the next manifest tell anew what the queue holds.</summary>
    internal void MarkChanged(Queue queue)
    {
        if (queue.IsChanged) return;
        queue.IsChanged = true;
        Changed.Add(queue);
    }

    private void Begin(QueueOp op, Queue queue, ulong sequence)
    {
        MarkChanged(queue);
        OpWriter writer = Writer;
        writer.Byte((byte)op);
        writer.Number(queue.Id.Value);
        writer.Number(sequence);
    }
}
