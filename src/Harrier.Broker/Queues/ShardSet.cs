namespace Harrier.Broker.Queues;

/// <summary>The shards of a broker. Their number is fixed for the life of the data, so that a queue can stay in its shard for good.</summary>
public sealed class ShardSet
{
    /// <summary>Enough that two queues seldom share a lock, few enough to be replicated one by one.</summary>
    public const int Count = 64;

    private readonly Shard[] _shards;

    public ShardSet(IBacklogStore store, TimeProvider time)
    {
        Clock = new QueueClock(time);
        _shards = [.. Enumerable.Range(0, Count).Select(i => new Shard(i, this, store))];
        Clock.Shards = _shards;
    }

    /// <summary>Wakes queues.</summary>
    public QueueClock Clock { get; }

    /// <summary>The broker around the queues; null while there is none.</summary>
    internal IQueueHost? Host { get; set; }

    /// <summary>All of them, in the order of their locks.</summary>
    public IReadOnlyList<Shard> All => _shards;

    /// <summary>The shard of a queue.</summary>
    public Shard Of(QueueId id) => _shards[id.Value % Count];
}
