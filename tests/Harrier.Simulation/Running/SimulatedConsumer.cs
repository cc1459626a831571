using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Simulation.Running;

/// <summary>A consumer that tells at once what it is given, and has as much room as it was told.</summary>
internal sealed class SimulatedConsumer(Action<Delivery> onDelivery, Action<SimulatedConsumer, DeliveryId>? onOverdue = null) : IConsumer
{
    /// <summary>Deliveries until it is full; negative for no limit.</summary>
    public int RoomLeft { get; set; } = -1;

    public bool HasRoom => RoomLeft != 0;

    public bool AwaitsResume { get; set; }

    public bool HasLostQueue { get; private set; }

    public void Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        foreach (Delivery delivery in deliveries)
        {
            if (RoomLeft > 0) RoomLeft--;
            onDelivery(delivery);
        }
    }

    public void Flush()
    {
    }

    public bool AwaitRoom()
    {
        AwaitsResume = !HasRoom;
        return AwaitsResume;
    }

    public void OnOverdue(DeliveryId delivery, long timeoutMs) => onOverdue?.Invoke(this, delivery);

    public void OnQueueDeleted() => HasLostQueue = true;
}
