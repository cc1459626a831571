namespace Harrier.Broker.Queues;

/// <summary>
/// A set of sequences, in blocks of 4096: those that are all in take no memory of their own, others take a bit per sequence. So it is small whether its
/// sequences come in order and leave no gaps, or at random and leave many.
/// </summary>
internal sealed class SequenceSet
{
    private const int BlockBits = 12;
    private const int IndexMax = SequenceBlock.Size - 1;

    // In order, apart, and full ones never side by side.
    private readonly List<Stretch> _stretches = [];

    /// <summary>How many there are, of at most <see cref="long.MaxValue"/>.</summary>
    public long Count { get; private set; }

    /// <summary>The ranges that it consists of, in order; between two of them something is missing. It must not change meanwhile.</summary>
    public IEnumerable<(ulong First, ulong Last)> Ranges
    {
        get
        {
            (ulong First, ulong Last)? open = null;
            foreach ((ulong first, ulong last) in Pieces())
            {
                if (open is { } before && before.Last + 1 == first)
                {
                    open = (before.First, last);
                    continue;
                }
                if (open is { } ended) yield return ended;
                open = (first, last);
            }
            if (open is { } end) yield return end;
        }
    }

    public bool Contains(ulong sequence)
    {
        ulong block = BlockOf(sequence);
        int at = FindEnd(block);
        return at < _stretches.Count && _stretches[at] is var stretch && stretch.First <= block && stretch.Part?.Contains(IndexOf(sequence)) != false;
    }

    /// <summary>Adds one sequence; false when it is there already.</summary>
    public bool Add(ulong sequence)
    {
        ulong block = BlockOf(sequence);
        if (FindPart(block) is not { } part || !part.Add(IndexOf(sequence))) return false;
        Count++;
        if (part.Count == SequenceBlock.Size) Fill(block, block);
        return true;
    }

    /// <summary>Adds all sequences from one to another.</summary>
    public void AddRange(ulong first, ulong last)
    {
        if (first > last) return;
        ulong from = BlockOf(first), to = BlockOf(last);
        if (from == to)
        {
            AddPart(from, IndexOf(first), IndexOf(last));
            return;
        }
        AddPart(from, IndexOf(first), IndexMax);
        if (to - from > 1) Fill(from + 1, to - 1);
        AddPart(to, 0, IndexOf(last));
    }

    /// <summary>How many there are from one sequence to another.</summary>
    public long CountIn(ulong first, ulong last)
    {
        long count = 0;
        if (first > last) return count;
        ulong from = BlockOf(first), to = BlockOf(last);
        for (int at = FindEnd(from); at < _stretches.Count && _stretches[at].First <= to; at++)
        {
            Stretch stretch = _stretches[at];
            ulong begin = Math.Max(first, stretch.FirstSequence), end = Math.Min(last, stretch.LastSequence);
            count += stretch.Part?.CountIn(IndexOf(begin), IndexOf(end)) ?? (long)(end - begin + 1);
        }
        return count;
    }

    private static ulong BlockOf(ulong sequence) => sequence >> BlockBits;

    private static int IndexOf(ulong sequence) => (int)(sequence & IndexMax);

    /// <summary>The ranges as the blocks have them: one may go on in the next.</summary>
    private IEnumerable<(ulong First, ulong Last)> Pieces()
    {
        foreach (Stretch stretch in _stretches)
        {
            if (stretch.Part is not { } part)
            {
                yield return (stretch.FirstSequence, stretch.LastSequence);
                continue;
            }
            int end;
            for (int index = part.FindIn(0); index < SequenceBlock.Size; index = part.FindIn(end))
            {
                end = part.FindOut(index);
                yield return (stretch.FirstSequence + (ulong)index, stretch.FirstSequence + (ulong)end - 1);
            }
        }
    }

    private void AddPart(ulong block, int first, int last)
    {
        if (FindPart(block) is not { } part) return;
        Count += part.AddRange(first, last);
        if (part.Count == SequenceBlock.Size) Fill(block, block);
    }

    /// <summary>The block's bits, which are made when there are none; null when the block is full.</summary>
    private SequenceBlock? FindPart(ulong block)
    {
        int at = FindEnd(block);
        if (at == _stretches.Count || _stretches[at].First > block) _stretches.Insert(at, new Stretch(block, block, new SequenceBlock()));
        return _stretches[at].Part;
    }

    /// <summary>Has all sequences of the blocks in.</summary>
    private void Fill(ulong first, ulong last)
    {
        int from = FindEnd(first);
        if (from > 0 && _stretches[from - 1].IsFull && _stretches[from - 1].Last + 1 == first) from--;
        int to = from;
        for (; to < _stretches.Count && _stretches[to] is var stretch && (stretch.First <= last || (stretch.IsFull && stretch.First == last + 1)); to++)
        {
            Count -= stretch.Count;
            first = Math.Min(first, stretch.First);
            last = Math.Max(last, stretch.Last);
        }
        var filled = new Stretch(first, last, Part: null);
        Count += filled.Count;
        if (to == from) _stretches.Insert(from, filled);
        else
        {
            _stretches[from] = filled;
            _stretches.RemoveRange(from + 1, to - from - 1);
        }
    }

    /// <summary>The first stretch that does not end before a block.</summary>
    private int FindEnd(ulong block)
    {
        if (_stretches.Count == 0 || _stretches[^1].Last < block) return _stretches.Count;
        if (_stretches[^1].First <= block) return _stretches.Count - 1; // what comes about in order is always there
        int low = 0, high = _stretches.Count - 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_stretches[middle].Last < block) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Blocks side by side that are full, or one block of which a part is in.</summary>
    private readonly record struct Stretch(ulong First, ulong Last, SequenceBlock? Part)
    {
        public bool IsFull => Part is null;

        public ulong FirstSequence => First << BlockBits;

        public ulong LastSequence => (Last << BlockBits) + IndexMax;

        public long Count => Part?.Count ?? (long)((Last - First + 1) << BlockBits);
    }
}
