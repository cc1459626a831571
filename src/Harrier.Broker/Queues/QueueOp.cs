namespace Harrier.Broker.Queues;

/// <summary>What can happen to a durable queue, as the log numbers it. Each names the queue and a sequence first.</summary>
internal enum QueueOp : byte
{
    /// <summary>Message: it has joined lane 0.</summary>
    Enqueued = 1,

    /// <summary>Likewise; the message is that of the op before it in the unit.</summary>
    EnqueuedToo = 2,

    /// <summary>Lane, bytes of the body: the message has left the queue.</summary>
    Settled = 3,

    /// <summary>Lane, times given out, times failed, when it is ready again (0 for at once): the message came back.</summary>
    Returned = 4,

    /// <summary>Lane: messages of it up to the sequence were given to somebody.</summary>
    Delivered = 5,

    /// <summary>Lane + 1 or 0 for all, count, so many sequences with lane and bytes of their bodies: all below the first sequence are gone but these, which are not ready.</summary>
    Purged = 6,

    /// <summary>The queue has ended, with all that was in it.</summary>
    Ended = 7,

    /// <summary>Lane, message: it has joined another lane than 0.</summary>
    EnqueuedInLane = 8,

    /// <summary>Lane; the message is that of the op before it in the unit.</summary>
    EnqueuedTooInLane = 9,

    /// <summary>Key, when it is forgotten: a message with that key was taken.</summary>
    Remembered = 10,

    /// <summary>The sequence is 1 for a pause that begins, 0 for one that ends.</summary>
    Paused = 11,

    /// <summary>Lane, terminus: the message was given to that terminus, which alone may have it until it came back.</summary>
    Held = 12,

    /// <summary>Lane, message, bytes of the body before: it has come in place of the one that the queue had. (13 was the same without the bytes, in no release.)</summary>
    Replaced = 14,
}
