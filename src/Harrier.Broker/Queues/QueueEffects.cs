using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// What a queue machine wants done, collected while commands are applied and carried out by the shard. Deliveries are bounded: a machine that
/// finds no room stops and asks to be continued, so that a consumer's output is looked at again before it gets more.
/// </summary>
public sealed class QueueEffects
{
    private const int DeliveriesMax = 128;
    private const int DeliveryBytesMax = 128 << 10;

    private readonly Delivery[] _deliveries = new Delivery[DeliveriesMax];
    private int _deliveryCount;
    private int _deliveryBytes;

    public ReadOnlySpan<Delivery> Deliveries => _deliveries.AsSpan(0, _deliveryCount);

    /// <summary>Consumers that are to be asked for a resume.</summary>
    public List<QueueConsumer> AwaitingRoom { get; } = [];

    /// <summary>Consumers that have lost their queue.</summary>
    public List<QueueConsumer> Orphaned { get; } = [];

    /// <summary>The moment of the commands, in milliseconds since 1970.</summary>
    public long NowMs { get; set; }

    /// <summary>Publishers to be told what became of their message.</summary>
    public List<(PublishReceipt Receipt, Outcome Outcome)> Receipts { get; } = [];

    /// <summary>Messages on their way to where the queue sends them.</summary>
    public List<Departure> Departures { get; } = [];

    /// <summary>Queues that ended of themselves and are to be taken out of the topology.</summary>
    public List<Queue> Ended { get; } = [];

    /// <summary>Deliveries that a consumer has kept for too long: they are not its any more.</summary>
    public List<(QueueConsumer Consumer, DeliveryId Delivery, long TimeoutMs)> Overdue { get; } = [];

    /// <summary>Consumers whose credit has been used up, after their deliveries.</summary>
    public List<QueueConsumer> Drained { get; } = [];

    /// <summary>Consumers for whom there is something that cannot be read.</summary>
    public List<QueueConsumer> Unreadable { get; } = [];

    /// <summary>Who wakes queues up.</summary>
    public ShardAlarms? Alarms { get; init; }

    /// <summary>Where to write what happens to durable queues; null when nothing is kept.</summary>
    public ShardLog? Log { get; init; }

    /// <summary>Messages to be brought back from disk.</summary>
    public List<BacklogLoad> Loads { get; } = [];

    /// <summary>By how much the memory of messages that could leave it has changed.</summary>
    public FreshBytes Fresh { get; set; }

    /// <summary>Queues that have more to deliver than there was room for.</summary>
    public List<Queue> Unfinished { get; } = [];

    /// <summary>The last queue that a message joined although its consumers do not keep up: the publisher should let them work first.</summary>
    public Queue? BackedUp { get; set; }

    /// <summary>The answer to the last command, if it was one that is answered.</summary>
    public QueueAnswer Answer { get; set; }

    /// <summary>Tells the publisher, if it wants to know.</summary>
    public void Settle(in PublishReceipt receipt, Outcome outcome)
    {
        if (receipt.Sink is not null) Receipts.Add((receipt, outcome));
    }

    public bool HasRoomForDelivery => _deliveryCount < DeliveriesMax && _deliveryBytes < DeliveryBytesMax;

    public void Deliver(in Delivery delivery)
    {
        _deliveries[_deliveryCount++] = delivery;
        _deliveryBytes += delivery.Message.Size;
    }

    /// <summary>Forgets everything, after a machine has failed half-way.</summary>
    public void Reset()
    {
        ClearDeliveries();
        AwaitingRoom.Clear();
        Orphaned.Clear();
        Receipts.Clear();
        Overdue.Clear();
        Drained.Clear();
        Unreadable.Clear();
        Unfinished.Clear();
        BackedUp = null;
    }

    /// <summary>Forgets the deliveries, which were made.</summary>
    public void ClearDeliveries()
    {
        Array.Clear(_deliveries, 0, _deliveryCount);
        _deliveryCount = _deliveryBytes = 0;
    }
}
