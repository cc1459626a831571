using System.Diagnostics.CodeAnalysis;
using Harrier.Broker.Queues;

namespace Harrier.Amqp.Transport;

/// <summary>A delivery that waits for its acknowledgement, or is being settled.</summary>
internal readonly record struct Settling<TOwner>(ulong Tag, TOwner Owner, DeliveryId Id);

/// <summary>
/// The delivery tags of one channel, or the delivery ids of one session, and what they stand for, in their order. Its size follows what is outstanding, not the
/// distance from the oldest to the newest: one delivery may wait while millions pass it. Guarded by the output's gate, for tags must go out in the order in which they are
/// given.
/// </summary>
internal sealed class UnackedDeliveries<TOwner> where TOwner : class
{
    // Below this, holes are not worth closing.
    private const int CompactedMin = 64;

    // Sorted by tag from _head to _end; what was taken out of the middle is a hole until the next compaction.
    private Entry[] _entries = [];
    private int _head;
    private int _end;
    private ulong _lastTag;

    /// <summary>Deliveries that are outstanding.</summary>
    public int Count { get; private set; }

    /// <summary>The last tag that was given.</summary>
    public ulong LastTag => _lastTag;

    /// <summary>The tag of a delivery that nobody will acknowledge.</summary>
    public ulong AddSettled() => ++_lastTag;

    /// <summary>The tag of a delivery that is to be acknowledged.</summary>
    public ulong Add(TOwner owner, DeliveryId id)
    {
        if (_end == _entries.Length) MakeRoom();
        _entries[_end++] = new Entry(++_lastTag, owner, id);
        Count++;
        return _lastTag;
    }

    /// <summary>Whether that tag is outstanding.</summary>
    public bool Contains(ulong tag) => Find(tag) >= 0;

    /// <summary>Takes one delivery out; false when the tag is not outstanding.</summary>
    public bool TryTake(ulong tag, [NotNullWhen(true)] out TOwner? owner, out DeliveryId id)
    {
        int at = Find(tag);
        (owner, id) = at < 0 ? (null, default) : (_entries[at].Owner, _entries[at].Id);
        if (at < 0) return false;
        _entries[at] = new Entry(tag, null, default);
        Count--;
        SkipHoles();
        return owner is not null;
    }

    /// <summary>Takes out all that are outstanding up to the tag, in order; 0 for all there are (behaviour note 84).</summary>
    public void TakeUpTo(ulong tag, List<Settling<TOwner>> taken)
    {
        while (_head < _end && (tag == 0 || _entries[_head].Tag <= tag))
        {
            Entry entry = _entries[_head];
            _entries[_head++] = default;
            if (entry.Owner is null) continue;
            taken.Add(new Settling<TOwner>(entry.Tag, entry.Owner, entry.Id));
            Count--;
        }
        SkipHoles();
    }

    /// <summary>Takes out all that are outstanding from one tag to another, in order.</summary>
    public void TakeBetween(ulong first, ulong last, List<Settling<TOwner>> taken)
    {
        for (int i = IndexFrom(first); i < _end && _entries[i].Tag <= last; i++) TakeAt(i, taken);
        SkipHoles();
    }

    /// <summary>Takes out all that one owner has outstanding, in order.</summary>
    public void TakeOf(TOwner owner, List<Settling<TOwner>> taken)
    {
        for (int i = _head; i < _end; i++)
            if (ReferenceEquals(_entries[i].Owner, owner)) TakeAt(i, taken);
        SkipHoles();
    }

    /// <summary>Puts deliveries back under their tags: their acknowledgement was rolled back (note 73).</summary>
    public void Restore(IEnumerable<Settling<TOwner>> settled)
    {
        Entry[] outstanding =
        [
            .. _entries.AsSpan(_head, _end - _head).ToArray().Where(e => e.Owner is not null)
                .Concat(settled.Select(s => new Entry(s.Tag, s.Owner, s.Id)))
                .OrderBy(e => e.Tag),
        ];
        (_entries, _head, _end, Count) = (outstanding, 0, outstanding.Length, outstanding.Length);
    }

    private void TakeAt(int at, List<Settling<TOwner>> taken)
    {
        Entry entry = _entries[at];
        if (entry.Owner is null) return;
        taken.Add(new Settling<TOwner>(entry.Tag, entry.Owner, entry.Id));
        _entries[at] = new Entry(entry.Tag, null, default);
        Count--;
    }

    /// <summary>Where the first entry stands whose tag is not lower.</summary>
    private int IndexFrom(ulong tag)
    {
        if (_head == _end || _entries[_head].Tag >= tag) return _head; // most come in order
        int low = _head, high = _end;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_entries[middle].Tag < tag) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private int Find(ulong tag)
    {
        if (_head == _end) return -1;
        if (_entries[_head].Tag == tag) return _head; // most acknowledgements come in order
        int low = _head, high = _end - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (_entries[middle].Tag == tag) return _entries[middle].Owner is null ? -1 : middle;
            if (_entries[middle].Tag < tag) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }

    private void SkipHoles()
    {
        while (_head < _end && _entries[_head].Owner is null) _entries[_head++] = default;
        if (_head == _end) _head = _end = 0;
    }

    /// <summary>Closes the holes when half of the space is gone to them, and grows otherwise.</summary>
    private void MakeRoom()
    {
        bool isSparse = _entries.Length >= CompactedMin && Count <= _entries.Length / 2;
        Entry[] target = isSparse ? _entries : new Entry[Math.Max(8, _entries.Length * 2)];
        int count = 0;
        for (int i = _head; i < _end; i++)
            if (_entries[i].Owner is not null) target[count++] = _entries[i];
        if (isSparse) Array.Clear(target, count, _end - count);
        (_entries, _head, _end) = (target, 0, count);
    }

    private readonly record struct Entry(ulong Tag, TOwner? Owner, DeliveryId Id);
}
