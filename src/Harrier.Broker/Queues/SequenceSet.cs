namespace Harrier.Broker.Queues;

/// <summary>A set of sequences as ranges, in order. Made for sequences that come about in order: adding at the end is cheap, elsewhere it moves what follows.</summary>
internal sealed class SequenceSet
{
    private readonly List<(ulong First, ulong Last)> _ranges = [];

    public IReadOnlyList<(ulong First, ulong Last)> Ranges => _ranges;

    public bool Contains(ulong sequence)
    {
        int at = FindEnd(sequence);
        return at < _ranges.Count && _ranges[at].First <= sequence;
    }

    /// <summary>Adds one sequence; false when it is there already.</summary>
    public bool Add(ulong sequence)
    {
        if (Contains(sequence)) return false;
        AddRange(sequence, sequence);
        return true;
    }

    /// <summary>Adds all sequences from one to another.</summary>
    public void AddRange(ulong first, ulong last)
    {
        if (first > last) return;
        // What touches the new range becomes a part of it.
        int from = first == 0 ? 0 : FindEnd(first - 1), to = from;
        while (to < _ranges.Count && _ranges[to].First <= (last == ulong.MaxValue ? last : last + 1))
        {
            first = Math.Min(first, _ranges[to].First);
            last = Math.Max(last, _ranges[to].Last);
            to++;
        }
        if (to == from) _ranges.Insert(from, (first, last));
        else
        {
            _ranges[from] = (first, last);
            _ranges.RemoveRange(from + 1, to - from - 1);
        }
    }

    /// <summary>The first range that does not end before a sequence.</summary>
    private int FindEnd(ulong sequence)
    {
        if (_ranges.Count > 0 && _ranges[^1].Last < sequence) return _ranges.Count;
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].Last < sequence) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
