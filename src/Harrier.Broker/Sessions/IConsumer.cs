using Harrier.Broker.Queues;

namespace Harrier.Broker.Sessions;

/// <summary>
/// Where a queue's deliveries go: a 0-9-1 consumer, an outgoing 1.0 link. All but <see cref="Flush"/> are called under the queue's shard lock,
/// so none of them may wait, block or call back into a queue.
/// </summary>
public interface IConsumer
{
    /// <summary>False while the peer does not read what was written to it. Then it is given nothing more.</summary>
    bool HasRoom { get; }

    /// <summary>Writes the deliveries to the peer's output, in order. All of them are this consumer's.</summary>
    void Deliver(ReadOnlySpan<Delivery> deliveries);

    /// <summary>Sends what <see cref="Deliver"/> wrote. Called outside of any lock.</summary>
    void Flush();

    /// <summary>
    /// Asks for a <see cref="QueueCommandKind.Resume"/> once there is room; false when there is room again already and none will come.
    /// </summary>
    bool AwaitRoom();

    /// <summary>
    /// A delivery was kept for too long and has been taken back (behaviour note 95). Settling it has no effect any more.
    /// </summary>
    void OnOverdue(DeliveryId delivery, long timeoutMs);

    /// <summary>
    /// What was left of its link credit has been used up, for there is nothing more to deliver; comes after the deliveries. Only of concern to those who grant it.
    /// </summary>
    /// <param name="deliveryCount">Where the delivery count stands now.</param>
    void OnDrained(uint deliveryCount)
    {
    }

    /// <summary>What the queue has for it next, or what it looks through, cannot be read from disk: nothing will be delivered. May come again.</summary>
    void OnUnreadable()
    {
    }

    /// <summary>The queue is gone: nothing more will be delivered, and nothing that was can be settled any more.</summary>
    void OnQueueDeleted();
}

/// <summary>A message on its way to a consumer.</summary>
/// <param name="Consumer">Who gets it.</param>
/// <param name="Message">The message.</param>
/// <param name="Id">Its name until it is settled.</param>
/// <param name="AcquiredCount">How often somebody had it before.</param>
/// <param name="DeliveryCount">How many of these times count as failed.</param>
/// <param name="IsSettled">No acknowledgement is expected (0-9-1 no-ack, 1.0 settled).</param>
/// <param name="IsHandedOver">The queue does not keep it in memory, so it is released when it is written.</param>
/// <param name="Sequence">Its place in the queue.</param>
public readonly record struct Delivery(
    QueueConsumer Consumer, Messages.Message Message, DeliveryId Id, int AcquiredCount, int DeliveryCount, bool IsSettled, bool IsHandedOver,
    ulong Sequence = 0)
{
    /// <summary>Whether somebody had it before.</summary>
    public bool IsRedelivered => AcquiredCount > 0;
}
