using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>Names a delivery of one queue until it is settled.</summary>
public readonly record struct DeliveryId(int Slot, ulong Sequence);

/// <summary>What can be asked of a queue.</summary>
public enum QueueCommandKind : byte
{
    /// <summary>Take a message. Carries one reference to it.</summary>
    Enqueue,

    /// <summary>End a delivery.</summary>
    Settle,

    /// <summary>Add a consumer, without deliveries until <see cref="Resume"/>: its session answers the client first (note 79).</summary>
    Consume,

    /// <summary>Deliver to this consumer again: it has room.</summary>
    Resume,

    /// <summary>Remove a consumer. What it has unacked stays with it.</summary>
    Cancel,

    /// <summary>Take one ready message. The answer carries one reference to it.</summary>
    Get,

    /// <summary>Drop all ready messages.</summary>
    Purge,

    /// <summary>End the queue.</summary>
    Delete,

    /// <summary>Go on with deliveries that did not fit the effects.</summary>
    Continue,

    /// <summary>Take up what was read from disk.</summary>
    Loaded,

    /// <summary>Apply other settings from now on.</summary>
    Configure,
}

/// <summary>Conditions and ways of a command.</summary>
[Flags]
public enum QueueCommandFlags : byte
{
    None = 0,

    /// <summary>Get: no acknowledgement will come.</summary>
    Settled = 1,

    /// <summary>Delete: only without consumers.</summary>
    IfUnused = 2,

    /// <summary>Delete: only without ready messages.</summary>
    IfEmpty = 4,
}

/// <summary>One thing to do in one queue.</summary>
public readonly record struct QueueCommand(
    QueueCommandKind Kind,
    Queue Queue,
    Message? Message = null,
    PublishReceipt Receipt = default,
    QueueConsumer? Consumer = null,
    DeliveryId Delivery = default,
    Outcome Outcome = Outcome.Accepted,
    QueueCommandFlags Flags = QueueCommandFlags.None,
    BacklogLoad? Load = null,
    QueueSettings? Settings = null);

/// <summary>How a command ended that somebody waits for.</summary>
public enum QueueAnswerStatus : byte
{
    Done,

    /// <summary>The queue has ended.</summary>
    Deleted,

    /// <summary>Get: no message is ready.</summary>
    Empty,

    /// <summary>Consume: an exclusive consumer is in the way, or other consumers are in an exclusive one's.</summary>
    ExclusiveUse,

    /// <summary>Delete: there are consumers.</summary>
    InUse,

    /// <summary>Delete: there are ready messages.</summary>
    NotEmpty,

    /// <summary>Get: the message is being brought back from disk; ask again after the load.</summary>
    OnDisk,
}

/// <summary>
/// The answer to a command. <paramref name="MessageCount"/>: messages dropped by purge and delete, left by get. <paramref name="HasEnded"/>: the
/// cancelled consumer was the last of an auto-delete queue, which has ended itself and is to be taken out of the topology.
/// </summary>
public readonly record struct QueueAnswer(
    QueueAnswerStatus Status, int MessageCount = 0, Message? Message = null, DeliveryId Delivery = default, bool IsRedelivered = false,
    bool HasEnded = false, BacklogLoad? Load = null);
