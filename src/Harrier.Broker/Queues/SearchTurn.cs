using System.Runtime.ExceptionServices;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>
/// One look of a <see cref="QueueSearch"/> at the next messages of a lane: what stands side by side in memory, or a piece of a run. They are looked at outside of the
/// lock, so that no filter holds others up; what matches is the queue's to give. Holds on to what it looks at.
/// </summary>
/// <param name="search">Whose.</param>
/// <param name="lane">The lane.</param>
/// <param name="page">What to look at.</param>
internal sealed class SearchTurn(QueueSearch search, byte lane, BrowsePage page)
{
    private readonly List<QueueEntry> _matches = [];
    private readonly List<Message> _singles = [];
    private readonly int _bytesMax = search.PieceBytes;
    private BacklogLoad? _piece;
    private bool _isReleased;

    public QueueSearch Search { get; } = search;

    public byte Lane { get; } = lane;

    /// <summary>Whether it looks at what came back.</summary>
    public bool AreReturned { get; init; }

    /// <summary>The run that it looks at, or null.</summary>
    public DiskRun? Run { get; init; }

    /// <summary>Where the run's first message stood, when the turn began.</summary>
    public long RunStart { get; init; }

    /// <summary>How many matches are of use.</summary>
    public int MatchesMax { get; init; }

    /// <summary>What is wanted, in order, each with its message: the turn's still.</summary>
    public IReadOnlyList<QueueEntry> Matches => _matches;

    /// <summary>Everything up to that sequence was looked at.</summary>
    public ulong SeenUpTo { get; private set; }

    /// <summary>Where in the run the next turn goes on, from its start on.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Where a match stands in its run, from its start on.</summary>
    public long OffsetOf(in QueueEntry match) => match.Stored.Offset - RunStart;

    /// <summary>Where the match of that sequence stands in its run.</summary>
    public long OffsetOf(ulong sequence) => OffsetOf(_matches.Find(match => match.Sequence == sequence));

    /// <summary>Looks. Throws when a message on disk is not what was written.</summary>
    public void Read(Queue queue, MessageFormats formats)
    {
        SeenUpTo = page.Place.Sequence;
        if (page.Part is { } part) ReadPart(queue, in part, formats);
        else ReadKnown(queue, formats);
    }

    /// <summary>Gives up what it looked at.</summary>
    public void Release()
    {
        if (_isReleased) return;
        _isReleased = true;
        foreach (Message message in _singles) message.Release();
        _piece?.Discard();
        page.Release();
    }

    private void ReadKnown(Queue queue, MessageFormats formats)
    {
        foreach (QueueEntry known in page.Entries)
        {
            QueueEntry entry = known.Message is null ? ReadSingle(queue, in known, formats) : known;
            if (Search.Filter?.Matches(entry.Message!) != false && !TryAdd(in entry)) return;
            if (known.Message is not null || (_matches.Count > 0 && _matches[^1].Sequence == entry.Sequence)) continue;
            entry.Message!.Release();
            _singles.Remove(entry.Message);
        }
    }

    private QueueEntry ReadSingle(Queue queue, in QueueEntry known, MessageFormats formats)
    {
        QueueEntry entry = Load(BacklogLoad.OfSingle(queue, [known]), formats).TakeScattered().Single();
        _singles.Add(entry.Message!);
        return entry;
    }

    private void ReadPart(Queue queue, in RunPart part, MessageFormats formats)
    {
        NextOffset = part.From - RunStart;
        if (part.From == part.End) return; // what was left of it was not meant
        _piece = Load(BacklogLoad.OfPart(queue, Lane, part, _bytesMax), formats);
        NextOffset = _piece.NextOffset - RunStart;
        foreach (QueueEntry entry in _piece.Entries)
        {
            if (entry.Sequence >= part.Below)
            {
                NextOffset = OffsetOf(in entry);
                return;
            }
            if (part.Has(entry.Sequence) && Search.Filter?.Matches(entry.Message!) != false && !TryAdd(in entry)) return;
        }
        // A piece that is not the last ends before the part does.
        if (_piece.NextOffset < part.End) SeenUpTo = Math.Min(SeenUpTo, _piece.Entries.Count > 0 ? _piece.Entries[^1].Sequence : part.Above);
    }

    private static BacklogLoad Load(BacklogLoad load, MessageFormats formats)
    {
        load.Read(formats);
        if (load.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return load;
    }

    /// <summary>Notes a match; false when the next turn is to begin with it.</summary>
    private bool TryAdd(in QueueEntry entry)
    {
        if (_matches.Count == MatchesMax)
        {
            SeenUpTo = entry.Sequence - 1;
            if (Run is not null) NextOffset = OffsetOf(in entry);
            return false;
        }
        _matches.Add(entry);
        return true;
    }
}
