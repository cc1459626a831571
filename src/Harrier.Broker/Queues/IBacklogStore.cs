using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>What stands behind the shards: the log, and the disk that messages go to when memory is short. Called under shard locks, so nothing here waits.</summary>
public interface IBacklogStore
{
    /// <summary>The log of a shard, or null when nothing is kept.</summary>
    ShardLog? OpenLog(int shard);

    /// <summary>Brings messages back from disk, and gives them to their queue with <see cref="QueueCommandKind.Loaded"/>.</summary>
    void Load(BacklogLoad load);

    /// <summary>Messages that could leave memory take so many bytes of it more, or less.</summary>
    void OnFresh(FreshBytes change);
}

/// <summary>Keeps nothing: queues live and end in memory.</summary>
public sealed class NoStore : IBacklogStore
{
    public static readonly NoStore Instance = new();

    private static readonly MessageFormats Formats = new(); // nothing is stored

    public ShardLog? OpenLog(int shard) => null;

    public void Load(BacklogLoad load)
    {
        Invariant.Check(load.Kind == BacklogLoadKind.Search, "nothing is on disk");
        ThreadPool.UnsafeQueueUserWorkItem(Carry, load, preferLocal: false);
    }

    public void OnFresh(FreshBytes change)
    {
    }

    private static void Carry(BacklogLoad load)
    {
        if (load.Carry(Formats) is { } failure) load.Queue.Shard.OnFailure(failure);
    }
}
