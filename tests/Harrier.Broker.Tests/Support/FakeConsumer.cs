using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Tests.Support;

/// <summary>A consumer that remembers. Its room is what the test says, less what is delivered.</summary>
internal sealed class FakeConsumer : IConsumer
{
    /// <summary>Deliveries until it is full; null for no limit.</summary>
    public int? RoomLeft { get; set; }

    public bool HasRoom => RoomLeft is not 0;

    /// <summary>Whether it has asked to be resumed.</summary>
    public bool AwaitsResume { get; set; }

    public bool LostItsQueue { get; private set; }

    public int UnflushedCount { get; private set; }

    public int FlushCount { get; private set; }

    public List<Delivery> Deliveries { get; } = [];

    /// <summary>What the bodies of the deliveries begin with: a message is there only while it is delivered.</summary>
    public List<int> Numbers { get; } = [];

    /// <summary>Called for each delivery before anything is remembered.</summary>
    public Action<Delivery>? OnDelivery { get; init; }

    /// <summary>Called at the end of each flush, when nothing that comes now is part of it.</summary>
    public Action? OnFlush { get; init; }

    public void Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        foreach (Delivery delivery in deliveries)
        {
            if (LostItsQueue) throw new InvalidOperationException("a delivery after the end of the queue");
            OnDelivery?.Invoke(delivery);
            Deliveries.Add(delivery);
            if (delivery.Message.BodySize >= sizeof(int)) Numbers.Add(BitConverter.ToInt32(delivery.Message.Body));
            UnflushedCount++;
            if (RoomLeft > 0) RoomLeft--;
        }
    }

    public void Flush()
    {
        UnflushedCount = 0;
        FlushCount++;
        OnFlush?.Invoke();
    }

    public bool AwaitRoom()
    {
        AwaitsResume = !HasRoom;
        return AwaitsResume;
    }

    /// <summary>Deliveries that were taken back.</summary>
    public List<DeliveryId> Overdue { get; } = [];

    public void OnOverdue(DeliveryId delivery, long timeoutMs) => Overdue.Add(delivery);

    /// <summary>Where its delivery count stood after the last drain.</summary>
    public uint? DrainedAt { get; private set; }

    public void OnDrained(uint deliveryCount) => DrainedAt = deliveryCount;

    /// <summary>How often it was told that what comes next cannot be read.</summary>
    public int UnreadableCount { get; private set; }

    public void OnUnreadable() => UnreadableCount++;

    public void OnQueueDeleted()
    {
        if (LostItsQueue) throw new InvalidOperationException("a queue ends once");
        LostItsQueue = true;
    }
}

/// <summary>A publisher that remembers what it was told.</summary>
internal sealed class FakeSink : IPublishSink
{
    public List<(ulong Number, Outcome Outcome)> Settled { get; } = [];

    public void OnSettled(ulong number, Outcome outcome) => Settled.Add((number, outcome));
}
