using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>Names a delivery of one queue until it is settled: a slot, and the how-manieth delivery in it.</summary>
public readonly record struct DeliveryId(int Slot, int Turn);

/// <summary>What can be asked of a queue.</summary>
public enum QueueCommandKind : byte
{
    /// <summary>Take a message. Carries one reference to it.</summary>
    Enqueue,

    /// <summary>End a delivery. A message, and one reference to it, comes back in its place when there is one.</summary>
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

    /// <summary>Do what is due by now.</summary>
    Tick,

    /// <summary>Somebody has asked for the queue: its time without use begins anew.</summary>
    Touch,

    /// <summary>Let go of a message that has left: where it went is in the same group of commands.</summary>
    Depart,

    /// <summary>Keep a message that could not leave, and try again later.</summary>
    Retain,

    /// <summary>Take one ready message aside, wherever it stands, until it departs. Comes with the reading that has shown it.</summary>
    Detach,

    /// <summary>Deliver nothing from now on.</summary>
    Pause,

    /// <summary>End a pause.</summary>
    Unpause,

    /// <summary>End the queue once nothing is in it any more, which may be now.</summary>
    EndWhenEmpty,

    /// <summary>Do not, after all.</summary>
    StayWhenEmpty,

    /// <summary>Remove a consumer. What it has unacked is held for its terminus.</summary>
    Suspend,

    /// <summary>Give a consumer what is held for its terminus.</summary>
    Adopt,

    /// <summary>Put back what is held for a terminus, whose number is the command's sequence.</summary>
    Abandon,

    /// <summary>Let a consumer's delivery count go up to a number, the command's sequence.</summary>
    Credit,
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

    /// <summary>Enqueue: also when the queue is full.</summary>
    Unconditional = 8,

    /// <summary>Credit: what finds no message now is used up.</summary>
    Drain = 16,

    /// <summary>Settle, in an atomic group: only while the delivery is whom it was made to; else nothing of the group is done.</summary>
    IfUnacked = 32,
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
    QueueSettings? Settings = null,
    ulong Sequence = 0);

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

/// <summary>The answer to a command.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="MessageCount">Messages dropped by purge and delete, left by get.</param>
/// <param name="Message">What get has got.</param>
/// <param name="Delivery">Its name until it is settled.</param>
/// <param name="AcquiredCount">How often somebody had it before.</param>
/// <param name="DeliveryCount">How many of these times count as failed.</param>
/// <param name="HasEnded">The cancelled consumer was the last of an auto-delete queue, which has ended itself and is to be taken out of the topology.</param>
/// <param name="Load">What to wait for before asking again.</param>
/// <param name="Sequence">The place of the message in the queue.</param>
/// <param name="Held">What a consumer has adopted.</param>
public readonly record struct QueueAnswer(
    QueueAnswerStatus Status, int MessageCount = 0, Message? Message = null, DeliveryId Delivery = default, int AcquiredCount = 0, int DeliveryCount = 0,
    bool HasEnded = false, BacklogLoad? Load = null, ulong Sequence = 0, IReadOnlyList<HeldDelivery>? Held = null)
{
    /// <summary>Whether somebody had the message before.</summary>
    public bool IsRedelivered => AcquiredCount > 0;
}
