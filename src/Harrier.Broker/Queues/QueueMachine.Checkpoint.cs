using Harrier.Broker.Durability;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>How a queue is put down on disk and taken up again. Under the shard's lock, like commands.</summary>
public sealed partial class QueueMachine
{
    /// <summary>Memory of messages that a checkpoint could move out of it.</summary>
    internal FreshBytes FreshBytes => _ready.FreshBytes;

    /// <summary>
    /// What the queue is at this moment, with a reference to every message that is to be written: those of the log that no segment has yet, and
    /// everything that never left the queue, in its order.
    /// </summary>
    /// <param name="queue">The queue.</param>
    /// <param name="index">The shard's last unit.</param>
    /// <param name="sparse">Files that what stands in them is to leave.</param>
    internal QueueSnapshot Collect(Queue queue, ulong index, IReadOnlySet<SegmentFile> sparse)
    {
        var snapshot = new QueueSnapshot(queue, index, _nextSequence, DeliveredUpTo, sparse) { HasEnded = IsDeleted };
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

    /// <summary>Whether something of the queue stands in one of those files.</summary>
    internal bool StandsIn(IReadOnlySet<SegmentFile> files) =>
        _unacked.Entries.Concat(_ready.Returned).Any(entry => entry.Stored.File is { } file && files.Contains(file))
        || _ready.Backlog?.Runs.Any(run => files.Contains(run.File)) == true;

    /// <summary>Lets go of the memory of what was written and is still here.</summary>
    internal void Install(QueueSnapshot snapshot)
    {
        if (IsDeleted) return;
        bool wasTaken = snapshot.Fresh.Count > 0 && !_ready.IsNextFresh(snapshot.Fresh[0].Sequence);
        if (wasTaken || snapshot.Scattered.Count > 0 || snapshot.HasMoves)
        {
            _unacked.Update(MoveOut);
            _ready.UpdateReturned(MoveOut);
        }
        foreach ((RunState state, StoredAt moved) in snapshot.MovedRuns)
        {
            bool isThere = _ready.Backlog?.Runs.Contains(state.Run) == true && !_ready.IsReading(state.Run);
            if (isThere) state.Run.MoveTo(moved.File!, state.Next, moved.Offset);
        }
        if (snapshot.Fresh.Count > 0) _ready.MoveFreshOut(snapshot.Fresh[^1].Sequence, sequence => snapshot.Find(sequence) ?? default);

        QueueEntry MoveOut(QueueEntry entry)
        {
            if (entry.Stored.File is not null)
            {
                if (snapshot.FindMoved(entry.Stored) is not { } moved) return entry;
                entry.Stored.Release();
                moved.File!.Retain(moved.Size);
                return entry with { Stored = moved };
            }
            if (snapshot.Find(entry.Sequence) is not { } stored) return entry;
            stored.File!.Retain(stored.Size);
            entry.Message!.Release();
            return entry with { Message = null, Stored = stored };
        }
    }

    /// <summary>Becomes what the log and the manifest have told.</summary>
    internal void Restore(QueueImage image)
    {
        _nextSequence = Math.Max(image.NextSequence, image.DeliveredUpTo + 1); // transient messages have taken numbers that the log does not know
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
