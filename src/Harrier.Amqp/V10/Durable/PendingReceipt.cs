using Harrier.Broker.Queues;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// A delivery that a durable link has received in a transaction: its tag is remembered as one with what the transaction does, or not at all (1.0 part 4, section
/// 4.4.4). Owned by the connection's task.
/// </summary>
internal sealed class PendingReceipt(DurableIncomingLink10 link, Transaction10 transaction, uint deliveryId, byte[] tag)
{
    /// <summary>About what it takes until the discharge, and its note with it.</summary>
    public const int Bytes = 256;

    public uint DeliveryId => deliveryId;

    public byte[] Tag => tag;

    /// <summary>Whether the sender will not ask what became of it.</summary>
    public bool IsForgotten { get; private set; }

    /// <summary>What remembers it.</summary>
    public QueueCommand Note() => link.Note(tag);

    /// <summary>The sender has settled it, or closed the link.</summary>
    public void Forget() => IsForgotten = true;

    /// <summary>
    /// The link has ended, and may come back before the discharge, elsewhere too: the sender is told then that the delivery was not received, so it must not be.
    /// </summary>
    public void Lose()
    {
        IsForgotten = true;
        transaction.HasFailed = true;
    }

    /// <summary>The transaction is over, and so is the wait for it.</summary>
    public void End(bool isCommitted)
    {
        if (!IsForgotten) link.EndPending(this, isCommitted);
    }

    /// <summary>What it has cost is given back, once all of its transaction have ended: else there would be a flow for each.</summary>
    public void GiveBack()
    {
        if (!IsForgotten) link.GrantAgain();
    }
}
