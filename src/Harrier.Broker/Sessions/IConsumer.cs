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

    /// <summary>The queue is gone: nothing more will be delivered, and nothing that was can be settled any more.</summary>
    void OnQueueDeleted();
}

/// <summary>
/// A message on its way to a consumer. <see cref="IsSettled"/>: no acknowledgement is expected (0-9-1 no-ack, 1.0 settled). <see cref="IsHandedOver"/>: the queue
/// does not keep it in memory, so it is released when it is written.
/// </summary>
public readonly record struct Delivery(
    QueueConsumer Consumer, Messages.Message Message, DeliveryId Id, bool IsRedelivered, bool IsSettled, bool IsHandedOver);
