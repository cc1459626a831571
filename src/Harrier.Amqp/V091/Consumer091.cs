using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// A consumer of one channel: writes deliveries into the connection's output from whatever thread has them, and asks its queue for more when a full output
/// has drained.
/// </summary>
internal sealed class Consumer091(Connection091 connection, Channel091 channel, byte[] tag) : IConsumer
{
    private ConsumerResume? _resume;
    private volatile bool _isOrphaned;

    public byte[] Tag { get; } = tag;

    /// <summary>The queue's side of it.</summary>
    public QueueConsumer Registration { get; set; } = null!;

    /// <summary>Whether its queue has been deleted.</summary>
    public bool IsOrphaned => _isOrphaned;

    public bool HasRoom => connection.Output.HasRoom;

    public void Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        FrameOutput output = connection.Output;
        lock (output.Gate)
        {
            long before = output.UnflushedBytes;
            foreach (ref readonly Delivery delivery in deliveries)
            {
                ulong deliveryTag = delivery.IsSettled ? channel.Unacked.AddSettled() : channel.Unacked.Add(Registration.Queue, delivery.Id);
                using var outgoing = new Outgoing091(delivery.Message);
                ReadOnlySpan<byte> properties = DeliveryCounts.Of(outgoing.Message, Registration.Queue, delivery.DeliveryCount, delivery.AcquiredCount);
                DeliverWriter.Write(connection, channel.Number, Tag, deliveryTag, delivery.IsRedelivered, outgoing.Message, properties);
            }
            output.CountAsDeliveries(output.UnflushedBytes - before);
        }
    }

    public void Flush() => connection.Output.Flush();

    public bool AwaitRoom() => connection.Output.TryAwaitRoom(_resume ??= new ConsumerResume(Registration));

    // The channel lives: what was taken back is settled by its client in vain, if ever. RabbitMQ up to 4.2 closes the channel, and who depends on it can have that.
    public void OnOverdue(DeliveryId delivery, long timeoutMs)
    {
        if (!connection.Limits.ConsumerTimeoutClosesChannel) return;
        connection.Posted.Post(() => channel.End(ErrorCatalogue.DeliveryTimedOut(channel.Number, timeoutMs)));
    }

    public void OnQueueDeleted()
    {
        _isOrphaned = true;
        if (connection.Client.WantsCancelNotifications)
            connection.Output.WriteMethod(channel.Number, new BasicCancel { ConsumerTag = Tag, Nowait = true });
    }
}
