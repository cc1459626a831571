using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Disk;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// Gives the messages that wait for their retry or their terminus a place of their own. The log says of them when they are ready again, but some stand in runs, which
/// are ready as a whole.
/// </summary>
internal sealed class PostponedPlaces(QueueImage image, long queueId, MessageFormats formats)
{
    private const int BytesMax = 256 << 10;

    // The last one that waits, of each lane.
    private readonly Dictionary<byte, ulong> _last = [];

    /// <summary>Takes them out of runs, and of what arrived since the manifest.</summary>
    public void Separate()
    {
        if (image.Postponed.Count == 0 && image.Held.Count == 0) return;
        foreach (QueueEntry entry in image.Scattered.Values.Concat(image.Fresh)) Note(entry.Sequence, entry.Lane);
        foreach ((byte lane, DiskRun run) in image.Runs)
            foreach (ulong sequence in (run.Returns?.Keys ?? Enumerable.Empty<ulong>()).Concat(image.Held.Keys.Where(run.Holds))) Note(sequence, lane);
        for (int i = 0; i < image.Fresh.Count; i++)
        {
            if (image.Fresh[i] is not { Message: not null } entry || !image.IsOut(entry.Sequence)) continue;
            image.Scattered.Add(entry.Sequence, entry);
            image.Fresh[i] = entry with { Message = null };
        }
        foreach ((byte lane, DiskRun run) in image.Runs) Separate(lane, run);
    }

    private void Note(ulong sequence, byte lane)
    {
        if (image.IsOut(sequence)) _last[lane] = Math.Max(_last.GetValueOrDefault(lane), sequence);
    }

    private bool HasMore(byte lane, ulong sequence) => sequence <= _last.GetValueOrDefault(lane);

    private void Separate(byte lane, DiskRun run)
    {
        try
        {
            bool isMore = true;
            for (long from = run.Next; isMore && run.Count > 0 && HasMore(lane, run.FirstSequence);) isMore = TakeOut(lane, run, ref from);
        }
        catch (DataDamagedException)
        {
            // Whoever reads the run will meet the damage again and tell of it; what stands behind it comes back without a delay.
        }
    }

    private bool TakeOut(byte lane, DiskRun run, ref long from)
    {
        using SegmentRecords records = run.File.Read(from, run.End, BytesMax);
        while (records.TryMoveNext())
        {
            if (records.Key.QueueId != queueId) throw run.File.Damaged(records.Offset);
            if (!HasMore(lane, records.Key.Sequence)) return false;
            bool isTransient = (records.Key.Flags & SegmentFlags.Transient) != SegmentFlags.None;
            if (!isTransient && image.IsOut(records.Key.Sequence) && run.Holds(records.Key.Sequence)) TakeOut(lane, run, records);
        }
        from = records.NextOffset;
        return from < run.End;
    }

    private void TakeOut(byte lane, DiskRun run, SegmentRecords records)
    {
        ulong sequence = records.Key.Sequence;
        ReturnCounts counts = run.Returns?.GetValueOrDefault(sequence) ?? default;
        Message message = StoredMessage.Read(records.Payload, formats);
        var entry = new QueueEntry(message, sequence, isLogged: true, lane)
        {
            Message = null,
            AcquiredCount = Math.Max(counts.Acquired, records.Key.AcquiredCount),
            DeliveryCount = Math.Max(counts.Delivery, records.Key.DeliveryCount),
            Stored = new StoredAt(run.File, checked((uint)records.Offset), records.Size),
        };
        message.Release();
        image.Scattered.Add(sequence, entry);
        run.File.Retain(records.Size); // besides the run, which passes over it
        run.Remove(sequence, entry.BodySize, isLogged: true);
    }
}
