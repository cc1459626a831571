namespace Harrier.Broker.Queues;

/// <summary>When the queues of a shard want to be woken. Under the shard's lock but for <see cref="NextAtMs"/>.</summary>
public sealed class ShardAlarms(QueueClock clock)
{
    // Fewer alarms are not worth a look for those that nobody waits for any more.
    private const int CompactedMin = 64;

    private readonly PriorityQueue<Queue, long> _alarms = new();
    private long _nextAtMs = long.MaxValue;
    private int _compactedAt = CompactedMin;

    /// <summary>The earliest time, or <see cref="long.MaxValue"/>. May be a moment old.</summary>
    public long NextAtMs => Volatile.Read(ref _nextAtMs);

    /// <summary>Wakes the queue at that time, if nothing wakes it before.</summary>
    internal void Set(Queue queue, long atMs)
    {
        if (atMs >= queue.WakeAtMs) return;
        queue.WakeAtMs = atMs;
        if (_alarms.Count >= _compactedAt) Compact();
        _alarms.Enqueue(queue, atMs);
        if (atMs >= _nextAtMs) return;
        Volatile.Write(ref _nextAtMs, atMs);
        clock.WakeAt(atMs);
    }

    /// <summary>Takes a queue whose time has come.</summary>
    internal bool TryTakeDue(long nowMs, out Queue queue)
    {
        while (_alarms.TryPeek(out queue!, out long atMs) && atMs <= nowMs)
        {
            _alarms.Dequeue();
            if (queue.WakeAtMs != atMs) continue; // it was woken earlier, or is to be
            queue.WakeAtMs = long.MaxValue;
            return true;
        }
        Volatile.Write(ref _nextAtMs, _alarms.TryPeek(out _, out long nextAtMs) ? nextAtMs : long.MaxValue);
        return false;
    }

    private void Compact()
    {
        (Queue, long)[] current = [.. _alarms.UnorderedItems.Where(alarm => !alarm.Element.IsDeleted && alarm.Element.WakeAtMs == alarm.Priority)];
        _alarms.Clear();
        _alarms.EnqueueRange(current);
        _compactedAt = Math.Max(CompactedMin, current.Length * 2);
    }
}
