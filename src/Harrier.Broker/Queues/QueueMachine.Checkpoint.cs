using Harrier.Broker.Durability;

namespace Harrier.Broker.Queues;

/// <summary>How a queue is put down on disk and taken up again. Under the shard's lock, like commands.</summary>
public sealed partial class QueueMachine
{
    /// <summary>Memory that the messages in the queue take.</summary>
    internal long ResidentBytes => _ready.ResidentBytes + _unacked.Entries.Sum(entry => entry.Message?.Footprint ?? 0L);

    /// <summary>
    /// What the queue is at this moment, with a reference to every message that is to be written: those of the log that no segment has yet, and
    /// everything that never left the queue, in its order.
    /// </summary>
    internal QueueSnapshot Collect(Queue queue, ulong index)
    {
        var snapshot = new QueueSnapshot(queue, index, _nextSequence, DeliveredUpTo) { HasEnded = IsDeleted };
        if (IsDeleted) return snapshot;
        foreach (QueueEntry entry in _unacked.Entries.Concat(_ready.Returned).Concat(_ready.Backlog?.Window ?? []))
        {
            if (!entry.IsLogged) continue;
            if (entry.Stored.File is not null) snapshot.Stored.Add(entry with { Message = null });
            else snapshot.Scattered.Add(entry);
        }
        snapshot.Scattered.Sort(static (a, b) => a.Sequence.CompareTo(b.Sequence));
        snapshot.Fresh.AddRange(_ready.Fresh);
        foreach (QueueEntry entry in snapshot.Scattered.Concat(snapshot.Fresh)) entry.Message!.AddReferences(1);
        foreach (DiskRun run in _ready.Backlog?.Runs ?? []) snapshot.Runs.Add(new RunState(run));
        return snapshot;
    }

    /// <summary>Lets go of the memory of what was written and is still here; how many bytes that was.</summary>
    internal long Install(QueueSnapshot snapshot)
    {
        if (IsDeleted) return 0;
        long freed = 0;
        _unacked.Update(MoveOut);
        _ready.UpdateReturned(MoveOut);
        if (snapshot.Fresh.Count > 0) freed += _ready.MoveFreshOut(snapshot.Fresh[^1].Sequence, sequence => snapshot.Find(sequence) ?? default);
        return freed;

        QueueEntry MoveOut(QueueEntry entry)
        {
            if (entry.Stored.File is not null || snapshot.Find(entry.Sequence) is not { } stored) return entry;
            stored.File!.Retain(stored.Size);
            freed += entry.Message!.Footprint;
            entry.Message.Release();
            return entry with { Message = null, Stored = stored };
        }
    }

    /// <summary>Becomes what the log and the manifest have told.</summary>
    internal void Restore(QueueImage image)
    {
        _nextSequence = image.NextSequence;
        DeliveredUpTo = image.DeliveredUpTo;
        foreach (QueueEntry entry in image.Scattered.Values) _ready.Return(WithHint(entry));
        foreach (DiskRun run in image.Runs)
        {
            if (run.Count > 0) _ready.Add(run);
            else run.Release();
        }
        foreach (QueueEntry entry in image.Fresh)
            if (entry.Message is not null) _ready.Restore(WithHint(entry));

        QueueEntry WithHint(QueueEntry entry) =>
            entry.Sequence <= DeliveredUpTo && entry.DeliveryCount == 0 ? entry with { DeliveryCount = 1 } : entry;
    }
}
