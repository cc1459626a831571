using Harrier.Broker.Queues;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// The messages of one lane that are to be written side by side, as a run, and where they were written. Holds a reference to each message until then.
/// </summary>
/// <param name="lane">The lane.</param>
/// <param name="entries">The messages, in order; at least one.</param>
/// <param name="gaps">Ranges of sequences between theirs that have left: nobody is to find them in the run.</param>
internal sealed class FreshSnapshot(byte lane, List<QueueEntry> entries, List<(ulong First, ulong Last)> gaps)
{
    private readonly List<StoredAt> _at = [];
    private (long Start, long End, long NextAtMs)? _times;

    public byte Lane { get; } = lane;

    /// <summary>In order; at least one.</summary>
    public List<QueueEntry> Entries { get; } = entries;

    /// <summary>Whether any of it is to outlive a restart.</summary>
    public bool HasLogged => Entries.Exists(entry => entry.IsLogged);

    /// <summary>Writes the messages and gives up the references to them; then the times of those that have one.</summary>
    public void Write(SegmentWriter segment, long queueId)
    {
        QueueSnapshot.Write(segment, queueId, Entries, _at);
        TimetableRow[] rows = [.. Entries.Select(Row).Where(row => row.AtMs != 0).OrderBy(row => row.AtMs).ThenBy(row => row.Sequence)];
        if (rows.Length == 0) return;
        long start = segment.Offset;
        Timetable.Write(segment, queueId, rows);
        _times = (start, segment.Offset, rows[0].AtMs);
    }

    /// <summary>Gives up the references to messages that could not be written.</summary>
    public void Abandon()
    {
        foreach (QueueEntry entry in Entries.Skip(_at.Count)) entry.Message!.Release();
    }

    /// <summary>Where a message was written, or null when it is none of these.</summary>
    public StoredAt? Find(ulong sequence) => IndexOf(sequence) is >= 0 and int at ? _at[at] : null;

    /// <summary>The place of a message among these, or -1.</summary>
    public int IndexOf(ulong sequence)
    {
        int low = 0, high = Entries.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (Entries[middle].Sequence == sequence) return middle;
            if (Entries[middle].Sequence < sequence) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    /// <summary>The run that begins with a message, and holds on to its part of the file.</summary>
    public DiskRun MakeRun(ulong first)
    {
        int from = IndexOf(first);
        StoredAt start = _at[from], last = _at[^1];
        long end = (long)last.Offset + last.Size;
        start.File!.Retain(end - start.Offset);
        Timetable? times = null;
        if (_times is { } at)
        {
            times = new Timetable(start.File, at.Start, at.End, at.NextAtMs);
            start.File.Retain(at.End - at.Start);
        }
        var run = new DiskRun(start.File, _at[0].Offset, start.Offset, end, first, Entries[^1].Sequence)
        {
            Times = times,
            // Not always the first and the last: clocks are set, and publishers note the time before they come to the queue.
            FirstArrivedAtMs = Entries.Skip(from).Min(entry => entry.ArrivedAtMs),
            LastArrivedAtMs = Entries.Skip(from).Max(entry => entry.ArrivedAtMs),
        };
        foreach ((ulong gapFirst, ulong gapLast) in gaps) run.Gone.AddRange(gapFirst, gapLast);
        for (int i = from; i < Entries.Count; i++) run.CountIn(Entries[i].BodySize, Entries[i].IsLogged);
        return run;
    }

    /// <summary>What a manifest says of it: the run as it stands right after it was written.</summary>
    public RunState State()
    {
        DiskRun run = MakeRun(Entries[0].Sequence);
        run.Release(); // the file is held on to by whoever made the snapshot
        return new RunState(run);
    }

    private TimetableRow Row(QueueEntry entry, int index) => new(
        entry.ExpiresAtMs, entry.Sequence, _at[index].Offset - _at[0].Offset, _at[index].Size, entry.BodySize, entry.IsLogged);
}
