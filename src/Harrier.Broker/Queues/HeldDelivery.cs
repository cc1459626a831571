using System.Runtime.ExceptionServices;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>A delivery that was made on a link before the one that has it now.</summary>
/// <param name="Sequence">The message's place in the queue.</param>
/// <param name="Id">Its name until it is settled.</param>
/// <param name="AcquiredCount">How often somebody had it before.</param>
/// <param name="DeliveryCount">How many of these times count as failed.</param>
public readonly record struct HeldDelivery(ulong Sequence, DeliveryId Id, int AcquiredCount, int DeliveryCount)
{
    /// <summary>The message, with one reference, the caller's; null when it has been settled.</summary>
    /// <exception cref="Harrier.Storage.Disk.DataDamagedException">What is on disk is not what was written.</exception>
    public async Task<Message?> ReadAsync(Queue queue)
    {
        QueueEntry entry;
        lock (queue.Shard.Gate)
        {
            if (!queue.Machine.TryGetUnacked(Id, out entry)) return null;
        }
        if (entry.Message is not null) return entry.Message;
        BacklogLoad load = BacklogLoad.OfSingle(queue, [entry]);
        queue.Shard.Load(load);
        await load.WhenApplied;
        if (load.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return load.TakeScattered().Single().Message;
    }
}
