using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>
/// Messages in memory, in the order of their sequence: they join at the end and leave at the front, and any of them may leave from the middle, where it stays as
/// an empty place until the front has come so far. When too many places are empty they are closed, and only the gaps are remembered.
/// </summary>
internal sealed class EntryDeque
{
    // Fewer empty places are not worth a look.
    private const int EmptyMin = 1024;

    private ChunkedDeque<QueueEntry> _places = new();

    // Gaps between messages, where places were closed; null for none.
    private SequenceSet? _closed;

    /// <summary>Messages that are there.</summary>
    public int Count { get; private set; }

    /// <summary>From the front to the back.</summary>
    public IEnumerable<QueueEntry> Entries => _places.Where(place => place.Message is not null);

    /// <summary>What comes after a sequence, in order.</summary>
    public IEnumerable<QueueEntry> After(ulong sequence) => _places.After(sequence).Where(place => place.Message is not null);

    /// <summary>What comes before a sequence, backwards.</summary>
    public IEnumerable<QueueEntry> Before(ulong sequence) => _places.Before(sequence).Where(place => place.Message is not null);

    /// <summary>Ranges of sequences from which messages have left from the middle. No message that is there is in one.</summary>
    public IEnumerable<(ulong First, ulong Last)> Gaps =>
        ClosedGaps.Concat(_places.Where(place => place.Message is null).Select(place => (place.Sequence, place.Sequence)));

    /// <summary>The first message; only when there is one.</summary>
    public ref readonly QueueEntry Peek() => ref _places.Peek(); // the first place is never empty

    public void Add(in QueueEntry entry)
    {
        _places.Enqueue(in entry);
        if (Count++ == 0) _closed = null;
    }

    public QueueEntry Take()
    {
        QueueEntry entry = _places.Dequeue();
        Count--;
        if (_places.Count != Count) SkipEmptyPlaces();
        return entry;
    }

    public bool Contains(ulong sequence) => _places.Find(sequence) is [{ Message: not null }];

    /// <summary>Takes a message out, wherever it stands.</summary>
    public bool TryRemove(ulong sequence, out QueueEntry entry)
    {
        Span<QueueEntry> place = _places.Find(sequence);
        if (place.IsEmpty || place[0].Message is null)
        {
            entry = default;
            return false;
        }
        entry = place[0];
        place[0] = entry with { Message = null };
        Count--;
        SkipEmptyPlaces();
        if (_places.Count > 2 * Count + EmptyMin) CloseEmptyPlaces();
        return true;
    }

    public void Clear()
    {
        while (Count > 0) Take().Release();
    }

    // One message that stays would hold the places of all that expire behind it.
    private void CloseEmptyPlaces()
    {
        var places = new ChunkedDeque<QueueEntry>();
        var closed = new SequenceSet();
        foreach ((ulong first, ulong last) in ClosedGaps) closed.AddRange(first, last);
        (ulong before, ulong? empty) = (0, null);
        foreach (QueueEntry place in _places)
        {
            if (place.Message is null)
            {
                empty = place.Sequence;
                continue;
            }
            if (empty is not null) closed.AddRange(before + 1, place.Sequence - 1); // one range, whatever of it was another lane's
            (before, empty) = (place.Sequence, null);
            places.Enqueue(in place);
        }
        if (empty is { } end) closed.AddRange(before + 1, end);
        (_places, _closed) = (places, closed);
    }

    // What lies before the front is of no concern any more.
    private IEnumerable<(ulong First, ulong Last)> ClosedGaps => _closed is null || Count == 0 ? [] : _closed.Ranges.Where(gap => gap.Last > _places.Peek().Sequence);

    private void SkipEmptyPlaces()
    {
        while (_places.Count > 0 && _places.Peek().Message is null) _places.Dequeue();
    }
}
