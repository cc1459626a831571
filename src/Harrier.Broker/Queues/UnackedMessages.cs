namespace Harrier.Broker.Queues;

/// <summary>The messages that were delivered and not settled, in numbered slots that are reused.</summary>
internal sealed class UnackedMessages
{
    private Slot[] _slots = [];
    private int _free = -1;
    private int _used;

    public int Count { get; private set; }

    public DeliveryId Add(in QueueEntry entry, QueueConsumer? consumer)
    {
        int slot = _free;
        if (slot >= 0) _free = _slots[slot].NextFree;
        else
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, Math.Max(4, _slots.Length * 2));
            slot = _used++;
        }
        _slots[slot] = new Slot { Entry = entry, Consumer = consumer, IsUsed = true };
        Count++;
        return new DeliveryId(slot, entry.Sequence);
    }

    /// <summary>Takes the delivery out; who got it, or null when it was got without a consumer.</summary>
    public QueueEntry Remove(DeliveryId id, out QueueConsumer? consumer)
    {
        Invariant.Check((uint)id.Slot < (uint)_used, "a delivery has a slot");
        ref Slot slot = ref _slots[id.Slot];
        Invariant.Check(slot.IsUsed && slot.Entry.Sequence == id.Sequence, "a delivery is settled once");
        QueueEntry entry = slot.Entry;
        consumer = slot.Consumer;
        slot = new Slot { NextFree = _free };
        _free = id.Slot;
        Count--;
        return entry;
    }

    /// <summary>What is there, in no order.</summary>
    public IEnumerable<QueueEntry> Entries => _slots.Take(_used).Where(slot => slot.IsUsed).Select(slot => slot.Entry);

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
        _free = -1;
        _used = Count = 0;
    }

    private struct Slot
    {
        public QueueEntry Entry;
        public QueueConsumer? Consumer;
        public int NextFree;
        public bool IsUsed;
    }
}
