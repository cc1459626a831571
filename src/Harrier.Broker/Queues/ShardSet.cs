namespace Harrier.Broker.Queues;

/// <summary>The shards of a broker. Their number is fixed for the life of the data, so that a queue can stay in its shard for good.</summary>
public sealed class ShardSet(IBacklogStore store)
{
    /// <summary>Enough that two queues seldom share a lock, few enough to be replicated one by one.</summary>
    public const int Count = 64;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, Count).Select(i => new Shard(i, store))];

    /// <summary>All of them, in the order of their locks.</summary>
    public IReadOnlyList<Shard> All => _shards;

    /// <summary>The shard of a queue.</summary>
    public Shard Of(QueueId id) => _shards[id.Value % Count];
}
