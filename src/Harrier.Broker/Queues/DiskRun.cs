using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>
/// Messages of a queue that stand side by side in a segment file and not in memory, in the order of their sequence. Read from the front; what is read is the
/// queue's again.
/// </summary>
internal sealed class DiskRun(SegmentFile file, long next, long end, int count, ulong firstSequence, ulong lastSequence)
{
    public SegmentFile File { get; private set; } = file;

    /// <summary>Where the first message begins that was not read yet.</summary>
    public long Next { get; set; } = next;

    /// <summary>Where the last message ends.</summary>
    public long End { get; private set; } = end;

    /// <summary>Messages that are to be read.</summary>
    public int Count { get; set; } = count;

    /// <summary>How many of them outlive a restart.</summary>
    public int LoggedCount { get; set; }

    /// <summary>How often messages of it were delivered in vain, where replaying the log has told; null for none.</summary>
    public Dictionary<ulong, int>? DeliveryCounts { get; set; }

    /// <summary>No message of the run has a lower sequence.</summary>
    public ulong FirstSequence { get; set; } = firstSequence;

    /// <summary>No message of the run has a higher sequence.</summary>
    public ulong LastSequence { get; } = lastSequence;

    /// <summary>
    /// Messages to pass over when they are met: what replaying the log took out of the run. Null for none, as in every run that was written since the start.
    /// </summary>
    public SequenceSet? Gone { get; init; }

    /// <summary>Whether transient messages in it are to be passed over: it was written before the start.</summary>
    public bool IsRecovered => Gone is not null;

    /// <summary>What stood in the file from an offset on stands elsewhere now, unchanged.</summary>
    public void MoveTo(SegmentFile file, long from, long to)
    {
        Release();
        (File, Next, End) = (file, Next - from + to, End - from + to);
        File.Retain(End - Next);
    }

    /// <summary>Gives up what was not read.</summary>
    public void Release() => File.Release(End - Next);
}
