using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>A queue at one moment: what of it is on disk already, and what is to be written there. Holds a reference to every message that it names.</summary>
internal sealed class QueueSnapshot(Queue queue, ulong index, ulong nextSequence, IReadOnlySet<SegmentFile> sparse)
{
    private readonly List<StoredAt> _scatteredAt = [];
    private readonly Dictionary<StoredAt, StoredAt> _moved = [];
    private readonly Dictionary<DiskRun, RunState> _movedRuns = [];

    public Queue Queue { get; } = queue;

    /// <summary>The shard's last unit that it reflects.</summary>
    public ulong Index { get; } = index;

    public ulong NextSequence { get; } = nextSequence;

    public bool HasEnded { get; init; }

    public bool IsPaused { get; init; }

    /// <summary>Up to where messages of each lane were given to somebody.</summary>
    public List<(byte Lane, ulong DeliveredUpTo)> Delivered { get; } = [];

    /// <summary>Messages that are on disk, outside of the runs' rest.</summary>
    public List<QueueEntry> Stored { get; } = [];

    /// <summary>Messages that are to be written, one by one: they were taken out once and have not been settled. In order.</summary>
    public List<QueueEntry> Scattered { get; } = [];

    /// <summary>Messages that are to be written as runs, lane by lane.</summary>
    public List<FreshSnapshot> Fresh { get; } = [];

    public List<(byte Lane, RunState State)> Runs { get; } = [];

    /// <summary>When messages that came back may be delivered again.</summary>
    public List<(ulong Sequence, long ReadyAtMs)> Postponed { get; } = [];

    /// <summary>The termini that messages are held for.</summary>
    public List<(ulong Sequence, long Holder)> Held { get; } = [];

    /// <summary>The keys of messages that are not to be taken again.</summary>
    public List<(byte[] Key, long ForgottenAtMs)> Keys { get; } = [];

    /// <summary>Whether there is something to write.</summary>
    public bool HasMessages => Scattered.Count > 0 || Fresh.Count > 0 || HasMoves;

    /// <summary>Whether something is to leave its file for another.</summary>
    public bool HasMoves => Stored.Any(entry => sparse.Contains(entry.Stored.File!)) || Runs.Any(run => sparse.Contains(run.State.File));

    /// <summary>Runs that were written once more, and as what.</summary>
    public IEnumerable<(RunState From, RunState To)> MovedRuns =>
        Runs.Where(run => _movedRuns.ContainsKey(run.State.Run)).Select(run => (run.State, _movedRuns[run.State.Run]));

    /// <summary>Where a message was written once more, or null.</summary>
    public StoredAt? FindMoved(StoredAt at) => _moved.TryGetValue(at, out StoredAt moved) ? moved : null;

    /// <summary>Where a message of the snapshot was written, or null when it is none of it.</summary>
    public StoredAt? Find(ulong sequence)
    {
        foreach (FreshSnapshot fresh in Fresh)
            if (fresh.Find(sequence) is { } at) return at;
        int scattered = Scattered.BinarySearch(new QueueEntry { Sequence = sequence }, BySequence);
        return scattered >= 0 ? _scatteredAt[scattered] : null;
    }

    /// <summary>The order of <see cref="Scattered"/>.</summary>
    public static Comparer<QueueEntry> BySequence { get; } = Comparer<QueueEntry>.Create(static (a, b) => a.Sequence.CompareTo(b.Sequence));

    /// <summary>Writes the messages and gives up the references to them.</summary>
    public void WriteMessages(SegmentWriter segment)
    {
        Write(segment, Queue.Id.Value, Scattered, _scatteredAt);
        foreach (FreshSnapshot fresh in Fresh) fresh.Write(segment, Queue.Id.Value);
        foreach (StoredAt at in Stored.Select(entry => entry.Stored).Where(at => sparse.Contains(at.File!)))
        {
            _moved[at] = at with { File = segment.File, Offset = checked((uint)segment.Offset) };
            segment.Copy(at.File!, at.Offset, (long)at.Offset + at.Size);
        }
        foreach ((_, RunState state) in Runs.Where(run => sparse.Contains(run.State.File)))
        {
            long next = segment.Offset;
            segment.Copy(state.File, state.Next, state.End);
            long times = segment.Offset;
            if (state.Times is { } at) segment.Copy(state.File, at.Start, at.End);
            _movedRuns[state.Run] = state.MovedTo(segment.File, next, times);
        }
    }

    /// <summary>Gives up the references to messages that could not be written.</summary>
    public void Abandon()
    {
        foreach (QueueEntry entry in Scattered.Skip(_scatteredAt.Count)) entry.Message!.Release();
        foreach (FreshSnapshot fresh in Fresh) fresh.Abandon();
    }

    /// <summary>Writes what a manifest says of the queue: <see cref="QueueImage"/> reads it.</summary>
    public void WriteSection(OpWriter writer)
    {
        writer.Number(Queue.Id.Value);
        writer.Number(Index);
        writer.Byte((byte)((HasEnded ? 1 : 0) | (IsPaused ? 2 : 0)));
        writer.Number(NextSequence);
        writer.Number(Delivered.Count);
        foreach ((byte lane, ulong deliveredUpTo) in Delivered)
        {
            writer.Byte(lane);
            writer.Number(deliveredUpTo);
        }
        writer.Number(Stored.Count + Scattered.Count);
        foreach (QueueEntry entry in Stored) WriteEntry(writer, in entry, FindMoved(entry.Stored) ?? entry.Stored);
        for (int i = 0; i < Scattered.Count; i++) WriteEntry(writer, Scattered[i], _scatteredAt[i]);
        WriteRuns(writer);
        WriteTimes(writer);
    }

    private void WriteRuns(OpWriter writer)
    {
        (byte Lane, RunState State)[] runs =
        [
            .. Runs.Where(run => run.State.LoggedCount > 0).Select(run => (run.Lane, _movedRuns.GetValueOrDefault(run.State.Run, run.State))),
            .. Fresh.Where(fresh => fresh.HasLogged).Select(fresh => (fresh.Lane, fresh.State())),
        ];
        writer.Number(runs.Length);
        foreach ((byte lane, RunState state) in runs)
        {
            writer.Byte(lane);
            state.Write(writer);
        }
    }

    private void WriteTimes(OpWriter writer)
    {
        writer.Number(Postponed.Count);
        foreach ((ulong sequence, long readyAtMs) in Postponed)
        {
            writer.Number(sequence);
            writer.Number(readyAtMs);
        }
        writer.Number(Held.Count);
        foreach ((ulong sequence, long holder) in Held)
        {
            writer.Number(sequence);
            writer.Number(holder);
        }
        writer.Number(Keys.Count);
        foreach ((byte[] key, long forgottenAtMs) in Keys)
        {
            writer.Bytes(key);
            writer.Fixed(forgottenAtMs);
        }
    }

    private static void WriteEntry(OpWriter writer, in QueueEntry entry, StoredAt at)
    {
        writer.Number(entry.Sequence);
        writer.Number(entry.AcquiredCount);
        writer.Number(entry.DeliveryCount);
        writer.Byte(entry.Lane);
        writer.Number(entry.ArrivedAtMs);
        writer.Number(entry.ExpiresAtMs);
        writer.Number(entry.BodySize);
        writer.Number(at.File!.Number);
        writer.Number(at.Offset);
        writer.Number(at.Size);
    }

    internal static void Write(SegmentWriter segment, long queueId, List<QueueEntry> entries, List<StoredAt> at)
    {
        foreach (QueueEntry entry in entries)
        {
            Message message = entry.Message!;
            int size = StoredMessage.SizeOf(message);
            long offset = segment.Offset;
            StoredMessage.Write(segment.GetPayload(size), message);
            SegmentFlags flags = entry.IsLogged ? SegmentFlags.None : SegmentFlags.Transient;
            var key = new SegmentKey(queueId, entry.Sequence, flags, (ushort)entry.DeliveryCount, (ushort)entry.AcquiredCount);
            at.Add(new StoredAt(segment.File, checked((uint)offset), segment.Add(in key, size)));
            message.Release();
        }
    }
}
