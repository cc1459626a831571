using System.Buffers.Binary;
using System.Buffers.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>Makes queues: gives each its number, its shard and, when the client leaves it to the broker, its name. Thread-safe.</summary>
public sealed class QueueFactory(ShardSet shards, Random random)
{
    private long _lastId;

    /// <summary>The number of the last queue. Numbers are never given again, or what a log says of one queue would be taken for another's.</summary>
    internal long LastId
    {
        get => Volatile.Read(ref _lastId);
        set => _lastId = value;
    }

    internal Queue Create(string virtualHost, QueueDefinition definition, QueueSettings settings, object? owner)
    {
        var id = new QueueId(Interlocked.Increment(ref _lastId));
        return new Queue(id, virtualHost, definition, settings, owner, shards.Of(id));
    }

    /// <summary>A queue that was there before a restart.</summary>
    internal Queue Restore(QueueId id, string virtualHost, QueueDefinition definition)
    {
        _lastId = Math.Max(_lastId, id.Value);
        return new Queue(id, virtualHost, definition, QueueSettings.None, owner: null, shards.Of(id));
    }

    internal Utf8Name NewName() => new("amq.gen-" + NewToken());

    /// <summary>22 characters that nobody guesses: 16 random bytes in URL-safe base64 (behaviour note 30).</summary>
    public string NewToken()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (random) random.NextBytes(bytes);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Where somebody's draws by chance begin.</summary>
    internal ulong NewSeed()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        lock (random) random.NextBytes(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
