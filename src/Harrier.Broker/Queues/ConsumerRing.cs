using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// The consumers of a queue that can take a message now: the highest priority first, in turn within a priority (behaviour note 93).
/// Consumers without credit or room stand outside, so that finding the next one costs the same however many there are.
/// </summary>
internal sealed class ConsumerRing
{
    private readonly List<Level> _levels = [];

    /// <summary>Adds at the end of its level, unless it stands in the ring already.</summary>
    public void Add(QueueConsumer consumer)
    {
        if (consumer.IsInRing) return;
        consumer.IsInRing = true;
        LevelOf(consumer.Priority).Turn.Enqueue(consumer);
    }

    /// <summary>Takes the consumer whose turn it is out of the ring; whoever delivers to it adds it again.</summary>
    public bool TryTake([NotNullWhen(true)] out QueueConsumer? consumer)
    {
        foreach (Level level in _levels)
        {
            while (level.Turn.TryDequeue(out consumer))
            {
                consumer.IsInRing = false;
                if (consumer.IsActive && consumer.HasCredit) return true; // else cancelled meanwhile
            }
        }
        consumer = null;
        return false;
    }

    private Level LevelOf(long priority)
    {
        int at = 0;
        while (at < _levels.Count && _levels[at].Priority > priority) at++;
        if (at == _levels.Count || _levels[at].Priority != priority) _levels.Insert(at, new Level(priority, new Queue<QueueConsumer>()));
        return _levels[at];
    }

    private sealed record Level(long Priority, Queue<QueueConsumer> Turn);
}
