using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// The consumers of a queue that can take a message now: the highest priority first, in turn within a priority (behaviour note 93).
/// Consumers without credit or room stand outside, so that finding the next one costs the same however many there are.
/// </summary>
internal sealed class ConsumerRing
{
    // Highest priority first; one for every priority that a member has.
    private readonly List<Level> _levels = [];

    /// <summary>Makes the consumer a member, outside of the ring for now.</summary>
    public void Register(QueueConsumer consumer)
    {
        int at = 0;
        while (at < _levels.Count && _levels[at].Priority > consumer.Priority) at++;
        if (at == _levels.Count || _levels[at].Priority != consumer.Priority) _levels.Insert(at, new Level(consumer.Priority));
        _levels[at].MemberCount++;
        consumer.Level = _levels[at];
    }

    /// <summary>Takes a member out for good.</summary>
    public void Unregister(QueueConsumer consumer)
    {
        if (consumer.Level is not { } level) return;
        if (consumer.Turn.List is not null) level.Turns.Remove(consumer.Turn);
        if (--level.MemberCount == 0) _levels.Remove(level);
        consumer.Level = null;
    }

    /// <summary>Adds a member at the end of its level, unless it stands in the ring already.</summary>
    public void Add(QueueConsumer consumer)
    {
        if (consumer.Turn.List is null) consumer.Level!.Turns.AddLast(consumer.Turn);
    }

    /// <summary>Takes a member out of the ring until it is added again.</summary>
    public void Suspend(QueueConsumer consumer)
    {
        if (consumer.Turn.List is not null) consumer.Level!.Turns.Remove(consumer.Turn);
    }

    /// <summary>Takes the consumer whose turn it is out of the ring; whoever delivers to it adds it again.</summary>
    public bool TryTake([NotNullWhen(true)] out QueueConsumer? consumer)
    {
        foreach (Level level in _levels)
        {
            while (level.Turns.First is { } turn)
            {
                level.Turns.RemoveFirst();
                consumer = turn.Value;
                if (consumer.IsActive && consumer.HasCredit) return true; // else its credit went elsewhere meanwhile
            }
        }
        consumer = null;
        return false;
    }

    /// <summary>The members of one priority.</summary>
    internal sealed class Level(long priority)
    {
        public long Priority { get; } = priority;

        public LinkedList<QueueConsumer> Turns { get; } = new();

        public int MemberCount { get; set; }
    }
}
