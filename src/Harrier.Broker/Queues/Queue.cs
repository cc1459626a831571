using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>Numbers queues for as long as the data lives.</summary>
public readonly record struct QueueId(long Value);

/// <summary>The queue types that clients can ask for. Both are the one queue of Harrier; they differ in what a declaration may say.</summary>
public enum QueueType
{
    Classic,
    Quorum,
}

/// <summary>What a queue is for.</summary>
public enum QueueRole : byte
{
    Ordinary,

    /// <summary>Messages wait in it until their time has come, and go on through their exchange then.</summary>
    Staging,

    /// <summary>It keeps the last messages of its exchange for queues that are bound later.</summary>
    History,

    /// <summary>It stands for the end of a 1.0 link that outlives the link, and keeps what that end knows of deliveries.</summary>
    Terminus,
}

/// <summary>A queue as it was declared. An exclusive queue is never durable, whatever the client asked for (behaviour note 31).</summary>
/// <param name="Role">What it is for.</param>
/// <param name="ServedExchange">The exchange that it works for, when it is not an ordinary queue.</param>
public sealed record QueueDefinition(
    Utf8Name Name, QueueType Type, bool IsDurable, bool IsExclusive, bool IsAutoDelete, ArgumentTable Arguments,
    QueueRole Role = QueueRole.Ordinary, Utf8Name ServedExchange = default)
{
    /// <summary>Whether messages wait in it for their time, and go to their exchange then.</summary>
    public bool IsStaging => Role == QueueRole.Staging;

    /// <summary>Whether it works for an exchange.</summary>
    public bool IsServant => Role is QueueRole.Staging or QueueRole.History;

    /// <summary>Whether clients may use it: not when the broker made it for itself.</summary>
    public bool IsOrdinary => Role == QueueRole.Ordinary;
}

/// <summary>A queue that exists: its declaration, the shard that it lives in for good, and its machine, which only that shard may touch.</summary>
public sealed class Queue
{
    internal Queue(QueueId id, string virtualHost, QueueDefinition definition, QueueSettings settings, object? owner, Shard shard)
    {
        Id = id;
        VirtualHost = virtualHost;
        Definition = definition;
        Machine = new QueueMachine(settings);
        Owner = owner;
        Shard = shard;
        NameText = definition.Name.ToString();
    }

    public QueueId Id { get; }

    public string VirtualHost { get; }

    /// <summary>What it was declared as. Only that of a terminus may change.</summary>
    public QueueDefinition Definition { get; internal set; }

    /// <summary>What applies to it now. Changed by <see cref="QueueCommandKind.Configure"/> only.</summary>
    public QueueSettings Settings
    {
        get => Machine.Settings;
        internal set => Machine.Settings = value;
    }

    public Utf8Name Name => Definition.Name;

    /// <summary>The name for messages and logs.</summary>
    public string NameText { get; }

    /// <summary>The connection that alone may use an exclusive queue; null for others.</summary>
    public object? Owner { get; }

    /// <summary>Messages that are ready to be delivered. May be a moment old.</summary>
    public int ReadyCount => Machine.ReadyCount;

    /// <summary>Bytes of the bodies of ready messages. May be a moment old.</summary>
    public long ReadyBytes => Machine.ReadyBytes;

    /// <summary>Messages that wait to be delivered again or to leave for another queue. May be a moment old.</summary>
    public int AsideCount => Machine.AsideCount;

    /// <summary>Whether deliveries are paused. May be a moment old.</summary>
    public bool IsPaused => Machine.IsPaused;

    /// <summary>Messages that were delivered and not settled. May be a moment old.</summary>
    public int UnackedCount => Machine.UnackedCount;

    /// <summary>Consumers, paused ones included. May be a moment old.</summary>
    public int ConsumerCount => Machine.ConsumerCount;

    /// <summary>Whether the queue has ended; it may still stand in a topology for a moment.</summary>
    public bool IsDeleted => Machine.IsDeleted;

    /// <summary>Deliveries to consumers since the queue exists. May be a moment old.</summary>
    public long DeliveredCount => Machine.DeliveredCount;

    /// <summary>The ticket of the log that stands for all that has happened in the queue, also what nobody waits for. Takes the shard's lock.</summary>
    public long Ticket
    {
        get
        {
            lock (Shard.Gate) return Shard.Log?.Appended ?? 0;
        }
    }

    /// <summary>Whether it refuses messages now for want of room. May be a moment old.</summary>
    internal bool IsFull => Machine.IsFull;

    /// <summary>Whether there are consumers who do not keep up. May be a moment old.</summary>
    public bool IsBackedUp => Machine.IsBackedUp;

    /// <summary>Whether what happens to its persistent messages is logged.</summary>
    internal bool IsLogged => Definition.IsDurable && Shard.Log is not null;

    /// <summary>Whether it was written to the log since it was last put down in a manifest. Its shard's.</summary>
    internal bool IsChanged { get; set; }

    /// <summary>When it wants to be woken; <see cref="long.MaxValue"/> for never. Its shard's.</summary>
    internal long WakeAtMs { get; set; } = long.MaxValue;

    internal Shard Shard { get; }

    internal QueueMachine Machine { get; }
}
