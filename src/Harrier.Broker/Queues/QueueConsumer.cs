using Harrier.Broker.Filters;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// A consumer as its queue sees it: what the session asked for, and the queue's book-keeping, which only the queue's shard touches.
/// </summary>
public sealed class QueueConsumer
{
    /// <summary>The longest time that a consumer may ask for: ten years.</summary>
    public const long TimeoutMsMax = 315_360_000_000;

    public QueueConsumer(Queue queue, IConsumer output)
    {
        Queue = queue;
        Output = output;
        Turn = new LinkedListNode<QueueConsumer>(this);
    }

    public Queue Queue { get; }

    public IConsumer Output { get; }

    /// <summary>Unacked messages it may have at once; 0 for no limit.</summary>
    public int PrefetchCount { get; init; }

    /// <summary>The number of the terminus that its unsettled deliveries are kept for when it is gone; 0 for none.</summary>
    public long Holder { get; init; }

    /// <summary>Whether it gets no more than it has granted credit for (1.0 part 2, section 2.6.7).</summary>
    public bool UsesLinkCredit { get; init; }

    /// <summary>Whether deliveries are settled as they are sent.</summary>
    public bool NoAck { get; init; }

    public bool IsExclusive { get; init; }

    /// <summary>Which messages it gets; null for all.</summary>
    public IMessageFilter? Filter { get; init; }

    /// <summary>Whether it gets copies and takes nothing (1.0 part 3, section 3.5.7: copy). It is none of those that the queue is used by, then.</summary>
    public bool IsBrowsing { get; init; }

    /// <summary>Higher ones get everything while they have credit (behaviour note 93).</summary>
    public long Priority { get; init; }

    /// <summary>For how long it may keep a delivery; null for as long as the queue says.</summary>
    public long? TimeoutMs { get; init; }

    internal int UnackedCount { get; set; }

    /// <summary>How it looks for its messages; null for one that gets what comes next.</summary>
    internal QueueSearch? Search { get; set; }

    /// <summary>Deliveries that were made to it, and what counts as such after a drain; goes round.</summary>
    internal uint DeliveryCount { get; set; }

    /// <summary>Up to where the delivery count may go.</summary>
    internal uint CreditLimit { get; set; }

    /// <summary>Whether credit that finds no message is to be used up.</summary>
    internal bool IsDraining { get; set; }

    /// <summary>Deliveries that its link credit is still good for.</summary>
    internal int LinkCredit => UsesLinkCredit ? Math.Max(0, (int)(CreditLimit - DeliveryCount)) : int.MaxValue;

    /// <summary>The ends of the chain of what it has unacked (<see cref="UnackedMessages"/>).</summary>
    internal int OldestSlot { get; set; } = -1;

    internal int NewestSlot { get; set; } = -1;

    /// <summary>Whether it is one of the queue's consumers: from its consume to its cancellation or the queue's end.</summary>
    internal bool IsRegistered => Level is not null;

    /// <summary>Its place in the ring of those that can take a message now.</summary>
    internal LinkedListNode<QueueConsumer> Turn { get; }

    /// <summary>The ring's level that it belongs to while it is registered.</summary>
    internal ConsumerRing.Level? Level { get; set; }

    /// <summary>Whether deliveries may be made at all: false before the first resume, while its output is full, and after its cancellation.</summary>
    internal bool IsActive { get; set; }

    /// <summary>Whether it stands in somebody's list of outputs to flush. Cleared by whoever flushes, outside of the shard lock.</summary>
    internal volatile bool IsFlushDue;

    internal bool HasCredit => (PrefetchCount == 0 || UnackedCount < PrefetchCount) && LinkCredit > 0;

    /// <summary>Deliveries that it may get now.</summary>
    internal int Credit => Math.Min(PrefetchCount == 0 ? int.MaxValue : PrefetchCount - UnackedCount, LinkCredit);
}
