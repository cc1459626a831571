namespace Harrier.Broker.Queues;

/// <summary>How the messages of a lane are looked at where they stand.</summary>
internal sealed partial class Lane
{
    /// <summary>Whether messages that came back are being read, and are in no place meanwhile. Those that could not be read stay where they are.</summary>
    public bool IsReadingReturned => ScatteredCount > 0 && _load?.Failure is null;

    /// <summary>Whether anything that came back stands before the end of a run, and so before some of its messages or among them.</summary>
    public bool HasReturnedUpTo(ulong sequence) => ReturnedCount > 0 && _returned!.Min.Sequence <= sequence;

    /// <summary>The next messages after a sequence, or backwards before it, as far as they stand together: in memory, or in a run that is to be read.</summary>
    public LanePage Browse(ulong sequence, bool backwards, int count)
    {
        return backwards
            ? BrowseBackwards(sequence, [.. ReturnedBetween(0, sequence - 1, backwards, count)], count)
            : BrowseForwards(sequence, [.. sequence == ulong.MaxValue ? [] : ReturnedBetween(sequence + 1, ulong.MaxValue, backwards, count)], count);
    }

    // Only as many as are asked for are looked at: there may be very many, and the shard is locked.
    private IEnumerable<QueueEntry> ReturnedBetween(ulong first, ulong last, bool backwards, int count)
    {
        SortedSet<QueueEntry>? there = first > last ? null : _returned?.GetViewBetween(Probe(first), Probe(last));
        IEnumerable<QueueEntry> onTheWay = ReadReturned.Where(entry => first <= entry.Sequence && entry.Sequence <= last);
        return backwards
            ? (there?.Reverse() ?? []).Take(count).Concat(onTheWay).OrderDescending(BySequence).Take(count)
            : (there ?? []).Take(count).Concat(onTheWay).Order(BySequence).Take(count);
    }

    /// <summary>Likewise forwards, without what is being read; what came back has a place of its own from which on it is looked at.</summary>
    public LanePage Search(ulong sequence, ulong returnedSequence, int count)
    {
        bool anyReturned = ReturnedCount > 0 && returnedSequence < _returned!.Max.Sequence;
        return BrowseForwards(sequence, anyReturned ? [.. _returned!.GetViewBetween(Probe(returnedSequence + 1), Probe(ulong.MaxValue)).Take(count)] : [], count);
    }

    private LanePage BrowseForwards(ulong sequence, QueueEntry[] returned, int count)
    {
        IEnumerable<QueueEntry> known = _backlog?.Loaded.After(sequence) ?? [];
        DiskRun? run = null;
        if (!known.Any()) run = Runs.FirstOrDefault(r => r.LastSequence > sequence);
        if (run is null && !known.Any()) known = _fresh.After(sequence);
        ulong next = run is not null ? Math.Max(run.FirstSequence, sequence + 1) : FirstOf(known, ulong.MaxValue);
        ulong firstReturned = FirstOf(returned, ulong.MaxValue);
        if (firstReturned <= next) return LanePage.Of([.. returned.TakeWhile(entry => entry.Sequence <= next)], areReturned: true);
        return run is not null
            ? new LanePage([], run, sequence, firstReturned)
            : LanePage.Of([.. known.TakeWhile(entry => entry.Sequence < firstReturned).Take(count)]);
    }

    private LanePage BrowseBackwards(ulong sequence, QueueEntry[] returned, int count)
    {
        IEnumerable<QueueEntry> known = _fresh.Before(sequence);
        DiskRun? run = null;
        if (!known.Any()) run = Runs.LastOrDefault(r => r.FirstSequence < sequence);
        if (run is null && !known.Any()) known = _backlog?.Loaded.Before(sequence) ?? [];
        ulong next = run is not null ? Math.Min(run.LastSequence, sequence - 1) : FirstOf(known, 0);
        ulong firstReturned = FirstOf(returned, 0);
        if (firstReturned >= next) return LanePage.Of([.. returned.TakeWhile(entry => entry.Sequence >= next)], areReturned: true);
        return run is not null
            ? new LanePage([], run, firstReturned, sequence)
            : LanePage.Of([.. known.TakeWhile(entry => entry.Sequence > firstReturned).Take(count)]);
    }

    private static ulong FirstOf(IEnumerable<QueueEntry> entries, ulong none)
    {
        foreach (QueueEntry entry in entries) return entry.Sequence;
        return none;
    }
}

/// <summary>Messages of a lane side by side: known ones, or those of a run that lie between two sequences.</summary>
internal readonly record struct LanePage(QueueEntry[]? Entries, DiskRun? Run, ulong Above = 0, ulong Below = ulong.MaxValue, bool AreReturned = false)
{
    public bool IsEmpty => Run is null && Entries is not { Length: > 0 };

    public static LanePage Of(QueueEntry[] entries, bool areReturned = false) => new(entries, Run: null, AreReturned: areReturned);
}
