using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Disk;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// Finds the messages that wait for their retry and stand in runs. The log says of them when they are ready again, but not where they stand; and a run is ready as a
/// whole. So each gets a place of its own.
/// </summary>
internal sealed class PostponedSearch(QueueImage image, long queueId, MessageFormats formats)
{
    private const int BytesMax = 256 << 10;

    /// <summary>Takes them out of their runs. What was read back once stands near the front, so little is read.</summary>
    public void Run()
    {
        foreach ((byte lane, DiskRun run) in image.Runs)
        {
            HashSet<ulong> wanted = [.. (run.Returns ?? []).Keys.Where(sequence => image.Postponed.ContainsKey(sequence) && run.Holds(sequence))];
            try
            {
                for (long from = run.Next; wanted.Count > 0 && from < run.End;) from = TakeOut(lane, run, from, wanted);
            }
            catch (DataDamagedException)
            {
                // Whoever reads the run will meet the damage again and tell of it; the others come back without their delay.
            }
        }
    }

    private long TakeOut(byte lane, DiskRun run, long from, HashSet<ulong> wanted)
    {
        using SegmentRecords records = run.File.Read(from, run.End, BytesMax);
        while (wanted.Count > 0 && records.TryMoveNext())
        {
            if (records.Key.QueueId != queueId) throw run.File.Damaged(records.Offset);
            if (wanted.Remove(records.Key.Sequence)) TakeOut(lane, run, records);
        }
        return records.NextOffset;
    }

    private void TakeOut(byte lane, DiskRun run, SegmentRecords records)
    {
        ulong sequence = records.Key.Sequence;
        ReturnCounts counts = run.Returns![sequence];
        Message message = StoredMessage.Read(records.Payload, formats);
        image.Scattered[sequence] = new QueueEntry(message, sequence, isLogged: true, lane)
        {
            Message = null, AcquiredCount = counts.Acquired, DeliveryCount = counts.Delivery,
            Stored = new StoredAt(run.File, checked((uint)records.Offset), records.Size),
        };
        message.Release();
        run.File.Retain(records.Size); // besides the run, which passes over it
        run.Remove(sequence, image.Scattered[sequence].BodySize, isLogged: true);
    }
}
