namespace Harrier.Broker.Queues;

/// <summary>
/// The messages that were delivered and not settled, in numbered slots that are reused; those of a consumer hang together in the order in which it got them.
/// </summary>
internal sealed class UnackedMessages
{
    private Slot[] _slots = [];
    private int _free = Slot.None;
    private int _used;

    public int Count { get; private set; }

    /// <summary>What is there, in no order.</summary>
    public IEnumerable<QueueEntry> Entries => _slots.Take(_used).Where(slot => slot.IsUsed).Select(slot => slot.Entry);

    /// <summary>What is there and who has it, in no order.</summary>
    public IEnumerable<(QueueEntry Entry, QueueConsumer? Consumer)> Deliveries => _slots.Take(_used).Where(slot => slot.IsUsed).Select(slot => (slot.Entry, slot.Consumer));

    /// <summary>Adds a message that somebody gets now; without a consumer when it was got.</summary>
    public DeliveryId Add(in QueueEntry entry, QueueConsumer? consumer, long nowMs)
    {
        int at = _free;
        if (at != Slot.None) _free = _slots[at].Next;
        else
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, Math.Max(4, _slots.Length * 2));
            at = _used++;
        }
        ref Slot slot = ref _slots[at];
        (slot.Entry, slot.Consumer, slot.GivenAtMs, slot.IsUsed) = (entry, consumer, nowMs, true);
        slot.Turn++;
        (slot.Next, slot.Previous) = (Slot.None, Slot.None);
        if (consumer is not null) Append(ref slot, at, consumer);
        Count++;
        return new DeliveryId(at, slot.Turn);
    }

    /// <summary>Looks at a delivery; false when it is no more.</summary>
    public bool TryGet(DeliveryId id, out QueueEntry entry)
    {
        bool isThere = (uint)id.Slot < (uint)_used && _slots[id.Slot].IsUsed && _slots[id.Slot].Turn == id.Turn;
        entry = isThere ? _slots[id.Slot].Entry : default;
        return isThere;
    }

    /// <summary>Takes a delivery out, with who got it; false when it is no more: its lease has ended.</summary>
    public bool TryRemove(DeliveryId id, out QueueEntry entry, out QueueConsumer? consumer)
    {
        Invariant.Check((uint)id.Slot < (uint)_used, "a delivery has a slot");
        ref Slot slot = ref _slots[id.Slot];
        (entry, consumer) = (slot.Entry, slot.Consumer);
        if (!slot.IsUsed || slot.Turn != id.Turn) return false;
        if (consumer is not null) Unlink(in slot, consumer);
        slot = new Slot { Next = _free, Turn = slot.Turn };
        _free = id.Slot;
        Count--;
        return true;
    }

    /// <summary>What a consumer has had for the longest time; false when it has nothing.</summary>
    public bool TryGetOldest(QueueConsumer consumer, out DeliveryId id, out long givenAtMs)
    {
        bool any = consumer.OldestSlot != Slot.None;
        (id, givenAtMs) = any ? (new DeliveryId(consumer.OldestSlot, _slots[consumer.OldestSlot].Turn), _slots[consumer.OldestSlot].GivenAtMs) : default;
        return any;
    }

    /// <summary>Changes every message in its place.</summary>
    public void Update(Func<QueueEntry, QueueEntry> update)
    {
        foreach (ref Slot slot in _slots.AsSpan(0, _used))
            if (slot.IsUsed) slot.Entry = update(slot.Entry);
    }

    /// <summary>Forgets all, releasing the messages.</summary>
    public void Clear()
    {
        foreach (ref Slot slot in _slots.AsSpan(0, _used))
            if (slot.IsUsed) slot.Entry.Release();
        _slots = [];
        _free = Slot.None;
        _used = Count = 0;
    }

    private void Append(ref Slot slot, int at, QueueConsumer consumer)
    {
        slot.Previous = consumer.NewestSlot;
        if (consumer.NewestSlot != Slot.None) _slots[consumer.NewestSlot].Next = at;
        else consumer.OldestSlot = at;
        consumer.NewestSlot = at;
    }

    private void Unlink(in Slot slot, QueueConsumer consumer)
    {
        if (slot.Previous != Slot.None) _slots[slot.Previous].Next = slot.Next;
        else consumer.OldestSlot = slot.Next;
        if (slot.Next != Slot.None) _slots[slot.Next].Previous = slot.Previous;
        else consumer.NewestSlot = slot.Previous;
    }

    private struct Slot
    {
        public const int None = -1;

        public QueueEntry Entry;
        public QueueConsumer? Consumer;
        public long GivenAtMs;

        /// <summary>The consumer's next one, or the next free slot.</summary>
        public int Next;
        public int Previous;

        /// <summary>How often the slot was used: an identity that ends with the delivery.</summary>
        public int Turn;
        public bool IsUsed;
    }
}
