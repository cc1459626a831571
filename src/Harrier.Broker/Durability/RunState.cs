using Harrier.Broker.Queues;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// A run as it was at the moment of a snapshot, and as a manifest describes it: only what outlives a restart is counted.
/// </summary>
internal readonly record struct RunState(
    DiskRun Run, SegmentFile File, long Start, long Next, long End, int LoggedCount, long LoggedBodyBytes, ulong FirstSequence, long FirstArrivedAtMs,
    (ulong First, ulong Last)[] Gone, TimesState? Times)
{
    public RunState(DiskRun run)
        : this(
            run, run.File, run.Start, run.Next, run.End, run.LoggedCount, run.LoggedBodyBytes, run.FirstSequence, run.FirstArrivedAtMs, [.. run.Gone.Ranges],
            run.Times is { } times ? new TimesState(times.Start, times.End, times.StartAtMs) : null)
    {
    }

    /// <summary>The same at another place.</summary>
    public RunState MovedTo(SegmentFile file, long next, long timesStart) => this with
    {
        File = file,
        Start = Start - Next + next,
        Next = next,
        End = End - Next + next,
        Times = Times is { } times ? times with { Start = timesStart, End = times.End - times.Start + timesStart } : null,
    };

    public void Write(OpWriter writer)
    {
        writer.Number(File.Number);
        writer.Fixed(Start); // may be negative: a run that was moved has left its beginning behind
        writer.Number(Next);
        writer.Number(End);
        writer.Number(LoggedCount);
        writer.Number(LoggedBodyBytes);
        writer.Number(FirstSequence);
        writer.Number(Run.LastSequence);
        writer.Number(FirstArrivedAtMs);
        writer.Number(Run.LastArrivedAtMs);
        writer.Number(Times is { } times ? times.End - times.Start : 0);
        if (Times is { } at)
        {
            writer.Number(at.Start);
            writer.Number(at.NextAtMs);
        }
        writer.Number(Gone.Length);
        foreach ((ulong first, ulong last) in Gone)
        {
            writer.Number(first);
            writer.Number(last);
        }
        Dictionary<ulong, ReturnCounts> returns = Run.Returns ?? [];
        writer.Number(returns.Count);
        foreach ((ulong sequence, ReturnCounts counts) in returns)
        {
            writer.Number(sequence);
            writer.Number(counts.Acquired);
            writer.Number(counts.Delivery);
        }
    }

    /// <summary>The run that <see cref="Write"/> has described; it holds on to its part of the file.</summary>
    public static DiskRun Read(ref OpReader reader, Func<ulong, SegmentFile> findSegment)
    {
        SegmentFile file = findSegment(reader.Number());
        long start = reader.Fixed(), next = (long)reader.Number(), end = (long)reader.Number();
        int count = (int)reader.Number();
        long bodyBytes = (long)reader.Number();
        (ulong first, ulong last) = (reader.Number(), reader.Number());
        (long firstArrivedAtMs, long lastArrivedAtMs) = ((long)reader.Number(), (long)reader.Number());
        Timetable? times = ReadTimes(ref reader, file);
        if (next < 0 || next > end || end > file.Length || start > next) throw QueueImage.NoSuchPart();
        var run = new DiskRun(file, start, next, end, first, last)
        {
            IsRecovered = true, Times = times, Count = count, LoggedCount = count, BodyBytes = bodyBytes, LoggedBodyBytes = bodyBytes,
            FirstArrivedAtMs = firstArrivedAtMs, LastArrivedAtMs = lastArrivedAtMs,
        };
        for (int left = reader.Count(); left > 0; left--) run.Gone.AddRange(reader.Number(), reader.Number());
        for (int left = reader.Count(); left > 0; left--)
            (run.Returns ??= []).Add(reader.Number(), new ReturnCounts((int)reader.Number(), (int)reader.Number()));
        file.Retain(end - next);
        return run;
    }

    private static Timetable? ReadTimes(ref OpReader reader, SegmentFile file)
    {
        long size = (long)reader.Number();
        if (size == 0) return null;
        long start = (long)reader.Number(), nextAtMs = (long)reader.Number();
        if (start < 0 || size < 0 || size > file.Length - start) throw QueueImage.NoSuchPart();
        file.Retain(size);
        return new Timetable(file, start, start + size, nextAtMs);
    }
}

/// <summary>The part of a timetable that has not been read to its end.</summary>
internal readonly record struct TimesState(long Start, long End, long NextAtMs);
