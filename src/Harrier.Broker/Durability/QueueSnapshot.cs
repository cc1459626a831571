using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>A run as it was at the moment of a snapshot.</summary>
internal readonly record struct RunState(DiskRun Run, SegmentFile File, long Next, long End, int LoggedCount, ulong FirstSequence)
{
    public RunState(DiskRun run) : this(run, run.File, run.Next, run.End, run.LoggedCount, run.FirstSequence)
    {
    }
}

/// <summary>A queue at one moment: what of it is on disk already, and what is to be written there. Holds a reference to every message that it names.</summary>
internal sealed class QueueSnapshot(Queue queue, ulong index, ulong nextSequence, ulong deliveredUpTo, IReadOnlySet<SegmentFile> sparse)
{
    private readonly List<StoredAt> _scatteredAt = [];
    private readonly List<StoredAt> _freshAt = [];
    private readonly Dictionary<StoredAt, StoredAt> _moved = [];
    private readonly Dictionary<DiskRun, StoredAt> _movedRuns = [];

    public Queue Queue { get; } = queue;

    /// <summary>The shard's last unit that it reflects.</summary>
    public ulong Index { get; } = index;

    public ulong NextSequence { get; } = nextSequence;

    public ulong DeliveredUpTo { get; } = deliveredUpTo;

    public bool HasEnded { get; init; }

    /// <summary>Messages that are on disk, outside of the runs' rest.</summary>
    public List<QueueEntry> Stored { get; } = [];

    /// <summary>Messages that are to be written, one by one: they were taken out once and have not been settled. In order.</summary>
    public List<QueueEntry> Scattered { get; } = [];

    /// <summary>Messages that are to be written as a run, in order.</summary>
    public List<QueueEntry> Fresh { get; } = [];

    public List<RunState> Runs { get; } = [];

    /// <summary>Whether there is something to write.</summary>
    public bool HasMessages => Scattered.Count > 0 || Fresh.Count > 0 || HasMoves;

    /// <summary>Whether something is to leave its file for another.</summary>
    public bool HasMoves => Stored.Any(entry => sparse.Contains(entry.Stored.File!)) || Runs.Any(state => sparse.Contains(state.File));

    /// <summary>Runs that were written once more, and where.</summary>
    public IEnumerable<(RunState State, StoredAt Moved)> MovedRuns =>
        Runs.Where(state => _movedRuns.ContainsKey(state.Run)).Select(state => (state, _movedRuns[state.Run]));

    /// <summary>Where a message was written once more, or null.</summary>
    public StoredAt? FindMoved(StoredAt at) => _moved.TryGetValue(at, out StoredAt moved) ? moved : null;

    /// <summary>Where a message of the snapshot was written, or null when it is none of it.</summary>
    public StoredAt? Find(ulong sequence) => Find(Fresh, _freshAt, sequence) ?? Find(Scattered, _scatteredAt, sequence);

    /// <summary>Writes the messages and gives up the references to them.</summary>
    public void WriteMessages(SegmentWriter segment)
    {
        Write(segment, Scattered, _scatteredAt);
        Write(segment, Fresh, _freshAt);
        foreach (StoredAt at in Stored.Select(entry => entry.Stored).Where(at => sparse.Contains(at.File!)))
        {
            _moved[at] = at with { File = segment.File, Offset = checked((uint)segment.Offset) };
            segment.Copy(at.File!, at.Offset, (long)at.Offset + at.Size);
        }
        foreach (RunState state in Runs.Where(state => sparse.Contains(state.File)))
        {
            _movedRuns[state.Run] = new StoredAt(segment.File, checked((uint)segment.Offset), 0);
            segment.Copy(state.File, state.Next, state.End);
        }
    }

    /// <summary>Gives up the references to messages that could not be written.</summary>
    public void Abandon()
    {
        foreach (QueueEntry entry in Scattered.Skip(_scatteredAt.Count).Concat(Fresh.Skip(_freshAt.Count))) entry.Message!.Release();
    }

    /// <summary>Writes what a manifest says of the queue: <see cref="QueueImage"/> reads it.</summary>
    public void WriteSection(OpWriter writer)
    {
        writer.Number(Queue.Id.Value);
        writer.Number(Index);
        writer.Byte(HasEnded ? (byte)1 : (byte)0);
        writer.Number(NextSequence);
        writer.Number(DeliveredUpTo);
        writer.Number(Stored.Count + Scattered.Count);
        foreach (QueueEntry entry in Stored) WriteEntry(writer, in entry, FindMoved(entry.Stored) ?? entry.Stored);
        for (int i = 0; i < Scattered.Count; i++) WriteEntry(writer, Scattered[i], _scatteredAt[i]);

        int logged = Fresh.Count(entry => entry.IsLogged);
        writer.Number(Runs.Count(run => run.LoggedCount > 0) + (logged > 0 ? 1 : 0));
        foreach (RunState state in Runs)
        {
            DiskRun run = state.Run;
            if (state.LoggedCount == 0) continue;
            bool isMoved = _movedRuns.TryGetValue(run, out StoredAt moved);
            (SegmentFile file, long next) = isMoved ? (moved.File!, moved.Offset) : (state.File, state.Next);
            WriteRun(writer, file, next, next + (state.End - state.Next), state.LoggedCount, (state.FirstSequence, run.LastSequence), run);
        }
        if (logged == 0) return;
        StoredAt first = _freshAt[0], last = _freshAt[^1];
        WriteRun(writer, first.File!, first.Offset, (long)last.Offset + last.Size, logged, (Fresh[0].Sequence, Fresh[^1].Sequence), run: null);
    }

    private static void WriteEntry(OpWriter writer, in QueueEntry entry, StoredAt at)
    {
        writer.Number(entry.Sequence);
        writer.Number(entry.DeliveryCount);
        writer.Number(at.File!.Number);
        writer.Number(at.Offset);
        writer.Number(at.Size);
    }

    private static void WriteRun(
        OpWriter writer, SegmentFile file, long next, long end, int count, (ulong First, ulong Last) sequences, DiskRun? run)
    {
        writer.Number(file.Number);
        writer.Number(next);
        writer.Number(end);
        writer.Number(count);
        writer.Number(sequences.First);
        writer.Number(sequences.Last);
        IEnumerable<(ulong First, ulong Last)> gone = run?.Gone?.Ranges ?? [];
        writer.Number(gone.Count());
        foreach ((ulong first, ulong last) in gone)
        {
            writer.Number(first);
            writer.Number(last);
        }
        Dictionary<ulong, int> counts = run?.DeliveryCounts ?? [];
        writer.Number(counts.Count);
        foreach ((ulong sequence, int deliveries) in counts)
        {
            writer.Number(sequence);
            writer.Number(deliveries);
        }
    }

    private void Write(SegmentWriter segment, List<QueueEntry> entries, List<StoredAt> at)
    {
        foreach (QueueEntry entry in entries)
        {
            Message message = entry.Message!;
            int size = StoredMessage.SizeOf(message);
            long offset = segment.Offset;
            StoredMessage.Write(segment.GetPayload(size), message);
            SegmentFlags flags = entry.IsLogged ? SegmentFlags.None : SegmentFlags.Transient;
            var key = new SegmentKey(Queue.Id.Value, entry.Sequence, flags, (ushort)Math.Min(entry.DeliveryCount, ushort.MaxValue));
            at.Add(new StoredAt(segment.File, checked((uint)offset), segment.Add(in key, size)));
            message.Release();
        }
    }

    private static StoredAt? Find(List<QueueEntry> entries, List<StoredAt> at, ulong sequence)
    {
        int low = 0, high = entries.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (entries[middle].Sequence == sequence) return at[middle];
            if (entries[middle].Sequence < sequence) low = middle + 1;
            else high = middle - 1;
        }
        return null;
    }
}
