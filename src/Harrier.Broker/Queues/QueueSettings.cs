using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>What a full queue does with the next message.</summary>
public enum Overflow : byte
{
    /// <summary>Takes it and drops the one that would be delivered next.</summary>
    DropHead,

    /// <summary>Refuses it.</summary>
    RejectPublish,

    /// <summary>Refuses it, and dead-letters it.</summary>
    RejectPublishDeadLetter,
}

/// <summary>Which returned messages wait before they are delivered again.</summary>
public enum DelayedRetry : byte
{
    Disabled,
    All,

    /// <summary>Those whose delivery failed: rejected with requeue, or lost with their channel.</summary>
    Failed,

    /// <summary>Those that were given back unharmed (nack with requeue, released).</summary>
    Returned,
}

/// <summary>A window of keys that a queue or exchange remembers, so that it takes a message once only.</summary>
/// <param name="Header">The message header that holds the key.</param>
/// <param name="SizeMax">Keys that are remembered at most; the oldest is forgotten first.</param>
/// <param name="TimeMs">For how long a key is remembered; null for as long as there is room.</param>
public sealed record DeduplicationWindow(string Header, int SizeMax, long? TimeMs)
{
    internal ReadOnlyMemory<byte> HeaderBytes { get; } = System.Text.Encoding.UTF8.GetBytes(Header);

    /// <summary>Equal by what it says: the bytes of two headers are two arrays, and a policy that changes nothing must not look like a change.</summary>
    public bool Equals(DeduplicationWindow? other) => other is not null && (Header, SizeMax, TimeMs) == (other.Header, other.SizeMax, other.TimeMs);

    public override int GetHashCode() => HashCode.Combine(Header, SizeMax, TimeMs);
}

/// <summary>
/// What applies to a queue now: its arguments and the policies that match it, merged (behaviour section 1.5). Immutable; a changed policy gives the queue another.
/// Times are in milliseconds; null means that nothing is asked for.
/// </summary>
public sealed record QueueSettings
{
    /// <summary>Nothing is asked for.</summary>
    public static QueueSettings None { get; } = new();

    /// <summary>For how long a message may be ready.</summary>
    public long? MessageTtlMs { get; init; }

    /// <summary>For how long the queue may be unused.</summary>
    public long? ExpiresMs { get; init; }

    /// <summary>Where messages go that die; null for nowhere.</summary>
    public Utf8Name? DeadLetterExchange { get; init; }

    /// <summary>Under which key; null for the key that they were published with.</summary>
    public Utf8Name? DeadLetterRoutingKey { get; init; }

    /// <summary>Whether a message stays until its dead letter was taken by a queue (x-dead-letter-strategy: at-least-once).</summary>
    public bool KeepsUndeliveredDeadLetters { get; init; }

    /// <summary>Ready messages at most.</summary>
    public long? LengthMax { get; init; }

    /// <summary>Bytes of the bodies of ready messages at most.</summary>
    public long? BytesMax { get; init; }

    public Overflow Overflow { get; init; }

    /// <summary>The highest priority; messages that ask for more get this one. 0 for none. Never changes: it is an argument only.</summary>
    public int PriorityMax { get; init; }

    /// <summary>The priority of messages that do not say.</summary>
    public int PriorityDefault { get; init; }

    public bool HasSingleActiveConsumer { get; init; }

    /// <summary>How often a message may be delivered in vain before it is dropped or dead-lettered.</summary>
    public int? DeliveryLimit { get; init; }

    /// <summary>For how long a consumer may keep a delivery.</summary>
    public long? ConsumerTimeoutMs { get; init; }

    public DelayedRetry DelayedRetry { get; init; }

    /// <summary>Delay after the first failure; each further one adds as much.</summary>
    public long DelayedRetryMinMs { get; init; }

    /// <summary>The longest delay.</summary>
    public long DelayedRetryMaxMs { get; init; }

    /// <summary>Which messages count as the same; null for none.</summary>
    public DeduplicationWindow? Deduplication { get; init; }
}
