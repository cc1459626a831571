using System.Buffers.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>Makes queues: gives each its number, its shard and, when the client leaves it to the broker, its name. Thread-safe.</summary>
public sealed class QueueFactory(ShardSet shards, Random random)
{
    private long _lastId;

    internal Queue Create(string virtualHost, QueueDefinition definition, object? owner)
    {
        var id = new QueueId(Interlocked.Increment(ref _lastId));
        return new Queue(id, virtualHost, definition, owner, shards.Of(id));
    }

    internal Utf8Name NewName() => new("amq.gen-" + NewToken());

    /// <summary>22 characters that nobody guesses: 16 random bytes in URL-safe base64 (behaviour note 30).</summary>
    public string NewToken()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (random) random.NextBytes(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
