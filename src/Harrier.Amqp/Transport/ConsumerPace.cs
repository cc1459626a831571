using Harrier.Broker.Queues;

namespace Harrier.Amqp.Transport;

/// <summary>
/// Lets deliveries go first while messages pile up in front of consumers that are working: publishers would otherwise take the time that these need. First to
/// the end of the thread pool's queue, which costs nothing when nobody else has work, then in naps. Consumers that stand still are not waited for.
/// </summary>
internal static class ConsumerPace
{
    private const int TurnsMax = 200;
    private const int NapsMax = 10;

    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    /// <summary>Waits a little when the batch has filled a queue faster than it is emptied.</summary>
    public static async ValueTask LetCatchUpAsync(CommandBatch commands, TimeProvider time)
    {
        if (commands.BackedUp is not { } queue) return;
        commands.BackedUp = null;
        long delivered = queue.DeliveredCount;
        for (int turn = 0; turn < TurnsMax && queue.IsBackedUp; turn++) await Task.Yield();
        for (int nap = 0; nap < NapsMax && queue.IsBackedUp && queue.DeliveredCount != delivered; nap++)
        {
            delivered = queue.DeliveredCount;
            await Task.Delay(Nap, time);
        }
    }
}
