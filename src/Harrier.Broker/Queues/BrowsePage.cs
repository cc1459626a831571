using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>Where a browser stands: behind a sequence of a lane. The next page begins there.</summary>
/// <param name="Lane">The priority.</param>
/// <param name="Sequence">The last one that was seen there.</param>
/// <param name="IsBackwards">Whether the newest come first.</param>
internal readonly record struct BrowsePlace(int Lane, ulong Sequence, bool IsBackwards);

/// <summary>
/// What a browser gets to see next: messages that are in memory or stand alone in a file, with a reference to each; or a part of a file that is to be read,
/// which is held on to.
/// </summary>
internal sealed record BrowsePage(BrowsePlace Place, IReadOnlyList<QueueEntry> Entries, RunPart? Part)
{
    /// <summary>Gives up what the page holds on to.</summary>
    public void Release()
    {
        foreach (QueueEntry entry in Entries) entry.Release();
        if (Part is { } part) part.File.Release(part.End - part.From);
    }
}

/// <summary>A part of a segment file with messages of a lane; the file as it was when somebody began to look, for a run may be moved to another.</summary>
/// <param name="File">The file.</param>
/// <param name="From">Where the first record begins.</param>
/// <param name="End">Where the last one ends.</param>
/// <param name="IsRecovered">Whether transient messages in it are from before the start.</param>
/// <param name="Above">Only messages of higher sequences are meant.</param>
/// <param name="Below">Only messages of lower sequences are meant.</param>
/// <param name="Gone">Messages that have left, in order.</param>
internal readonly record struct RunPart(SegmentFile File, long From, long End, bool IsRecovered, ulong Above, ulong Below, (ulong First, ulong Last)[] Gone)
{
    /// <summary>Whether a message that was read was there when somebody began to look.</summary>
    public bool Has(ulong sequence)
    {
        int at = ~Array.BinarySearch(Gone, (sequence, ulong.MaxValue)) - 1; // the last range that begins there or before
        return Above < sequence && sequence < Below && (at < 0 || Gone[at].Last < sequence);
    }
}
