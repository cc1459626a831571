using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>
/// Messages of one lane that stand side by side in a segment file and not in memory, in the order of their sequence. Read from the front; what is read is the
/// lane's again. Any of them may leave the queue without being read.
/// </summary>
internal sealed class DiskRun(SegmentFile file, long start, long next, long end, ulong firstSequence, ulong lastSequence)
{
    public SegmentFile File { get; private set; } = file;

    /// <summary>Where the run's first message stood, from which its timetable counts.</summary>
    public long Start { get; private set; } = start;

    /// <summary>Where the first message begins that was not read yet.</summary>
    public long Next { get; set; } = next;

    /// <summary>Where the last message ends.</summary>
    public long End { get; private set; } = end;

    /// <summary>Messages that are to be read.</summary>
    public int Count { get; set; }

    /// <summary>Bytes of their bodies.</summary>
    public long BodyBytes { get; set; }

    /// <summary>How many of them outlive a restart.</summary>
    public int LoggedCount { get; set; }

    /// <summary>Bytes of the bodies of those.</summary>
    public long LoggedBodyBytes { get; set; }

    /// <summary>How often messages of it came back, where replaying the log has told; null for none.</summary>
    public Dictionary<ulong, ReturnCounts>? Returns { get; set; }

    /// <summary>No message of the run has a lower sequence.</summary>
    public ulong FirstSequence { get; set; } = firstSequence;

    /// <summary>No message of the run has a higher sequence.</summary>
    public ulong LastSequence { get; } = lastSequence;

    /// <summary>No message that is to be read arrived earlier.</summary>
    public long FirstArrivedAtMs { get; set; }

    /// <summary>No message of the run arrived later.</summary>
    public long LastArrivedAtMs { get; init; }

    /// <summary>The messages that have a time of their own; null for none.</summary>
    public Timetable? Times { get; init; }

    /// <summary>Messages to pass over when they are met: they have left the queue.</summary>
    public SequenceSet Gone { get; } = new();

    /// <summary>Whether it was written before the start. Transient messages in it are to be passed over then.</summary>
    public bool IsRecovered { get; init; }

    /// <summary>Whether a message of that sequence is to be read yet, if it is one of this lane at all.</summary>
    public bool Holds(ulong sequence) => FirstSequence <= sequence && sequence <= LastSequence && !Gone.Contains(sequence);

    /// <summary>A message as it was read, with all that is known of how often somebody had it.</summary>
    /// <param name="read">What was read.</param>
    /// <param name="deliveredUpTo">Messages up to that sequence were given to somebody, in an earlier life of the broker.</param>
    public QueueEntry WithCounts(in QueueEntry read, ulong deliveredUpTo)
    {
        ReturnCounts known = Returns?.GetValueOrDefault(read.Sequence) ?? default;
        int least = read.Sequence <= deliveredUpTo ? 1 : 0;
        return read with
        {
            AcquiredCount = Math.Max(Math.Max(read.AcquiredCount, known.Acquired), least), DeliveryCount = Math.Max(read.DeliveryCount, known.Delivery),
        };
    }

    /// <summary>Strikes a message out that was not read.</summary>
    public void Remove(ulong sequence, int bodySize, bool isLogged)
    {
        Gone.Add(sequence);
        CountOut(bodySize, isLogged);
    }

    public void CountIn(int bodySize, bool isLogged)
    {
        Count++;
        BodyBytes += bodySize;
        if (!isLogged) return;
        LoggedCount++;
        LoggedBodyBytes += bodySize;
    }

    /// <summary>Counts a message as read, or as gone.</summary>
    public void CountOut(int bodySize, bool isLogged)
    {
        Count--;
        BodyBytes -= bodySize;
        if (!isLogged) return;
        LoggedCount--;
        LoggedBodyBytes -= bodySize;
    }

    /// <summary>What stood in the file from an offset on stands elsewhere now, unchanged; the timetable likewise.</summary>
    public void MoveTo(SegmentFile file, long from, long to, (long From, long To)? times)
    {
        File.Release(End - Next);
        (File, Start, Next, End) = (file, Start - from + to, Next - from + to, End - from + to);
        File.Retain(End - Next);
        if (times is { } moved) Times!.MoveTo(file, moved.From, moved.To);
    }

    /// <summary>Gives up what was not read.</summary>
    public void Release()
    {
        File.Release(End - Next);
        Times?.Release();
    }
}

/// <summary>How often a message came back, and how many of these times count as failed.</summary>
internal readonly record struct ReturnCounts(int Acquired, int Delivery);
