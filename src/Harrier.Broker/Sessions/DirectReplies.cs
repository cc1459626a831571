using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Sessions;

/// <summary>A client that consumes from the pseudo-queue amq.rabbitmq.reply-to.</summary>
public interface IReplyConsumer
{
    /// <summary>Writes the message to the client at once; false when the client is going away. The message stays the caller's.</summary>
    bool TryDeliver(Message message);
}

/// <summary>
/// Direct reply-to (behaviour note 97): requesters by the opaque name that their requests carry as reply-to. A reply never stands in a queue.
/// Thread-safe.
/// </summary>
public sealed class DirectReplies
{
    /// <summary>The pseudo-queue that requesters consume from and name as reply-to.</summary>
    public static ReadOnlySpan<byte> QueueName => "amq.rabbitmq.reply-to"u8;

    private readonly ConcurrentDictionary<Utf8Name, IReplyConsumer> _consumers = new();

    /// <summary>Whether a name is the pseudo-queue or the opaque name of a requester.</summary>
    public static bool IsReplyName(ReadOnlySpan<byte> name) =>
        name.StartsWith(QueueName) && (name.Length == QueueName.Length || name[QueueName.Length] == '.');

    /// <summary>The opaque name for a token.</summary>
    public static Utf8Name NameOf(string token) => new($"amq.rabbitmq.reply-to.{token}");

    public void Add(Utf8Name name, IReplyConsumer consumer) => _consumers[name] = consumer;

    public void Remove(Utf8Name name) => _consumers.TryRemove(name, out _);

    /// <summary>The requester of that opaque name, or false when it is gone.</summary>
    public bool TryFind(Utf8Name name, [NotNullWhen(true)] out IReplyConsumer? consumer) => _consumers.TryGetValue(name, out consumer);
}
