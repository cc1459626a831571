using Harrier.Broker.Queues;

namespace Harrier.Amqp.Transport;

/// <summary>
/// Lets deliveries go first while messages pile up in front of consumers that are working: publishers would otherwise take the time that these need. First to
/// the end of the thread pool's queue, which costs nothing when nobody else has work, then in naps. Consumers that stand still are not waited for. Owned by the
/// connection's task.
/// </summary>
internal sealed class ConsumerPace(TimeProvider time)
{
    private const int TurnsMax = 200;
    private const int NapsMax = 10;

    // Messages behind which a queue is worth a nap; consumers have enough to do with fewer.
    private const int NapCount = 5_000;

    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    private Queue? _queue;
    private long _delivered;

    /// <summary>Waits a little when the batch has filled a queue faster than it is emptied.</summary>
    public async ValueTask LetCatchUpAsync(CommandBatch commands)
    {
        if (commands.BackedUp is not { } queue) return;
        commands.BackedUp = null;
        // Since the last look, for a consumer whose credit is on its way gets nothing for a moment and works all the same.
        bool isEmptied = !ReferenceEquals(queue, _queue) || queue.DeliveredCount != _delivered;
        for (int turn = 0; turn < TurnsMax && queue.IsBackedUp; turn++) await Task.Yield();
        for (int nap = 0; nap < NapsMax && queue.ReadyCount > NapCount && isEmptied; nap++)
        {
            long before = queue.DeliveredCount;
            await Task.Delay(Nap, time);
            isEmptied = queue.DeliveredCount != before;
        }
        (_queue, _delivered) = (queue, queue.DeliveredCount);
    }
}
