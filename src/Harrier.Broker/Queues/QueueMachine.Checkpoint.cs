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
        var snapshot = new QueueSnapshot(queue, index, _nextSequence, sparse) { HasEnded = IsDeleted, IsPaused = IsPaused };
        if (IsDeleted) return snapshot;
        BeginWriting();
        IEnumerable<QueueEntry> inLanes = _ready.Lanes.SelectMany(lane => lane.Returned.Concat(lane.Window));
        foreach (QueueEntry entry in Given().Concat(_aside.Values.Select(aside => aside.Entry)).Concat(inLanes))
        {
            if (!entry.IsLogged) continue;
            if (entry.Stored.File is not null) snapshot.Stored.Add(entry with { Message = null });
            else snapshot.Scattered.Add(entry);
        }
        snapshot.Scattered.Sort(QueueSnapshot.BySequence);
        foreach (QueueEntry entry in snapshot.Scattered) entry.Message!.AddReferences(1);
        foreach (Lane lane in _ready.Lanes) Collect(lane, snapshot);
        foreach (Aside aside in _aside.Values)
            if (aside.IsPostponed) snapshot.Postponed.Add((aside.Entry.Sequence, aside.ReadyAtMs));
        snapshot.Held.AddRange(Holds());
        if (_keys is not null && queue.IsLogged) snapshot.Keys.AddRange(_keys.Keys);
        return snapshot;
    }

    /// <summary>Whether something of the queue stands in one of those files.</summary>
    internal bool StandsIn(IReadOnlySet<SegmentFile> files) =>
        Unready().Concat(_ready.Lanes.SelectMany(lane => lane.Returned)).Any(entry => entry.Stored.File is { } file && files.Contains(file))
        || _ready.Lanes.SelectMany(lane => lane.Runs).Any(run => files.Contains(run.File));

    /// <summary>Lets go of the memory of what was written and is still here.</summary>
    internal void Install(QueueSnapshot snapshot)
    {
        if (IsDeleted) return;
        bool wasTaken = snapshot.Fresh.Exists(fresh => !_ready[fresh.Lane].IsNextFresh(fresh.Entries[0].Sequence))
            || _aside.Count > 0 || _held.Count > 0 || _filteringCount > 0;
        if (wasTaken || snapshot.Scattered.Count > 0 || snapshot.HasMoves)
        {
            _unacked.Update(MoveOut);
            foreach (Lane lane in _ready.Lanes) lane.UpdateReturned(MoveOut);
            foreach ((ulong sequence, Held held) in _held.ToArray()) _held[sequence] = held with { Entry = MoveOut(held.Entry) };
            foreach ((ulong sequence, Aside aside) in _aside.ToArray()) _aside[sequence] = aside with { Entry = aside.ReadyAtMs != 0 ? MoveOut(aside.Entry) : NoteStored(aside.Entry) };
        }
        foreach ((RunState from, RunState to) in snapshot.MovedRuns) Move(from, to);
        foreach (FreshSnapshot fresh in snapshot.Fresh) _ready[fresh.Lane].MoveFreshOut(fresh);
        EndWriting();
        if (snapshot.Fresh.Count > 0) _expiries.Compact(place => _ready[place.Lane].IsInMemory(place.Sequence)); // the timetables have them now

        QueueEntry MoveOut(QueueEntry entry)
        {
            if (entry.Stored.File is not null)
            {
                if (snapshot.FindMoved(entry.Stored) is not { } moved) return entry;
                entry.Stored.Release();
                moved.File!.Retain(moved.Size);
                return entry with { Stored = moved };
            }
            QueueEntry noted = NoteStored(entry);
            if (noted.Stored.File is null) return entry;
            entry.Message!.Release();
            return noted with { Message = null };
        }

        // What is on its way keeps its message: somebody is about to send it on.
        QueueEntry NoteStored(QueueEntry entry)
        {
            if (entry.Stored.File is not null || _replaced?.Contains(entry.Sequence) == true || snapshot.Find(entry.Sequence) is not { } stored) return entry;
            stored.File!.Retain(stored.Size);
            return entry with { Stored = stored };
        }
    }

    /// <summary>Makes the queue what it was before a restart.</summary>
    internal void Restore(QueueImage image, long nowMs)
    {
        // Transient messages have taken numbers that the log does not know.
        _nextSequence = Math.Max(image.NextSequence, image.DeliveredUpTo.Values.DefaultIfEmpty().Max() + 1);
        IsPaused = image.IsPaused;
        foreach ((byte number, ulong deliveredUpTo) in image.DeliveredUpTo) _ready[number].DeliveredUpTo = deliveredUpTo;
        foreach (QueueEntry entry in image.Scattered.Values) RestoreTaken(image.Held.ContainsKey(entry.Sequence) ? entry : WithHint(entry), image);
        foreach ((byte lane, DiskRun run) in image.Runs)
        {
            _mayExpire |= run.Times is not null;
            if (run.Count > 0) _ready.Add(lane, run);
            else run.Release();
        }
        foreach (QueueEntry entry in image.Fresh.Where(entry => entry.Message is not null))
        {
            _ready.Add(WithHint(entry));
            if (entry.ExpiresAtMs != 0) Schedule(in entry);
        }
        foreach ((byte[] key, long forgottenAtMs) in image.Keys) (_keys ??= new KeyWindow()).Add(key, forgottenAtMs, _settings.Deduplication?.SizeMax ?? 0, nowMs);

        QueueEntry WithHint(QueueEntry entry) =>
            entry.Sequence <= _ready[entry.Lane].DeliveredUpTo && entry.AcquiredCount == 0 ? entry with { AcquiredCount = 1 } : entry;
    }

    // Somebody has them, which the number of the last delivery does not tell of those that were taken from the middle. A terminus has them as they are.
    private IEnumerable<QueueEntry> Given() => _unacked.Deliveries
        .Select(d => d.Entry.WasDelivered || d.Consumer is { Holder: not 0 } ? d.Entry : d.Entry with { AcquiredCount = 1 })
        .Concat(_held.Values.Select(held => held.Entry));

    private void RestoreTaken(in QueueEntry entry, QueueImage image)
    {
        if (image.Held.TryGetValue(entry.Sequence, out long holder))
        {
            _held[entry.Sequence] = new Held(entry, holder);
            return;
        }
        if (image.Postponed.TryGetValue(entry.Sequence, out long readyAtMs))
        {
            _aside[entry.Sequence] = new Aside(entry, Reason: null, readyAtMs, IsPostponed: true);
            _asideDue.Enqueue(entry.Sequence, readyAtMs);
            return;
        }
        _ready.Return(in entry);
        if (entry.ExpiresAtMs != 0) Schedule(in entry);
    }

    private static void Collect(Lane lane, QueueSnapshot snapshot)
    {
        if (lane.DeliveredUpTo > 0) snapshot.Delivered.Add((lane.Number, lane.DeliveredUpTo));
        List<QueueEntry> fresh = [.. lane.Fresh];
        if (fresh.Count > 0) snapshot.Fresh.Add(new FreshSnapshot(lane.Number, fresh, [.. lane.FreshGaps]));
        foreach (QueueEntry entry in fresh) entry.Message!.AddReferences(1);
        foreach (DiskRun run in lane.Runs) snapshot.Runs.Add((lane.Number, new RunState(run)));
    }

    private void Move(RunState from, RunState to)
    {
        foreach (Lane lane in _ready.Lanes)
        {
            bool isThere = lane.Runs.Contains(from.Run) && !lane.IsReading(from.Run) && from.Run.Times?.IsLoading != true;
            if (isThere) from.Run.MoveTo(to.File, from.Next, to.Next, from.Times is { } times ? (times.Start, to.Times!.Value.Start) : null);
        }
    }
}
