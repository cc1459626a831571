using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Disk;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>What a manifest and the log behind it say of one queue. A queue machine is made of it when all has been read.</summary>
internal sealed class QueueImage
{
    /// <summary>The last unit of the shard that it reflects: earlier ones are passed over.</summary>
    public ulong Index { get; private set; }

    public bool HasEnded { get; private set; }

    public ulong NextSequence { get; private set; } = 1;

    public ulong DeliveredUpTo { get; private set; }

    /// <summary>Messages that stand in segments one by one, by their sequence.</summary>
    public Dictionary<ulong, QueueEntry> Scattered { get; } = [];

    public List<DiskRun> Runs { get; } = [];

    /// <summary>Messages of the log, in order. Those without a message have left the queue again.</summary>
    public List<QueueEntry> Fresh { get; } = [];

    /// <summary>Reads what <see cref="QueueSnapshot.WriteSection"/> has written, without the queue's number.</summary>
    public static QueueImage ReadSection(ref OpReader reader, Func<ulong, SegmentFile> findSegment)
    {
        var image = new QueueImage { Index = reader.Number(), HasEnded = reader.Byte() != 0, NextSequence = reader.Number(), DeliveredUpTo = reader.Number() };
        for (int left = reader.Count(); left > 0; left--)
        {
            ulong sequence = reader.Number();
            int deliveryCount = (int)reader.Number();
            SegmentFile file = findSegment(reader.Number());
            var stored = new StoredAt(file, (uint)reader.Number(), (int)reader.Number());
            file.Retain(stored.Size);
            image.Scattered.Add(sequence, new QueueEntry(null, sequence, deliveryCount, IsLogged: true, stored));
        }
        for (int left = reader.Count(); left > 0; left--) image.Runs.Add(ReadRun(ref reader, findSegment));
        return image;
    }

    /// <summary>Applies one op of the log, of which the kind and the queue have been read.</summary>
    public void Apply(QueueOp op, ulong sequence, ref OpReader reader, Message? message)
    {
        switch (op)
        {
            case QueueOp.Enqueued or QueueOp.EnqueuedToo:
                Fresh.Add(new QueueEntry(message, sequence, IsLogged: true));
                NextSequence = Math.Max(NextSequence, sequence + 1);
                break;
            case QueueOp.Settled: Remove(sequence); break;
            case QueueOp.Returned: CountDelivery(sequence, (int)reader.Number()); break;
            case QueueOp.Delivered: DeliveredUpTo = Math.Max(DeliveredUpTo, sequence); break;
            case QueueOp.Purged: Purge(sequence, ref reader); break;
            case QueueOp.Ended: End(); break;
            default: throw new DataDamagedException($"the log holds an op {(byte)op} that this Harrier does not know");
        }
    }

    /// <summary>Passes over the rest of an op, of which the kind, the queue and the sequence have been read.</summary>
    public static void Skip(QueueOp op, ref OpReader reader)
    {
        if (op == QueueOp.Returned) reader.Number();
        if (op != QueueOp.Purged) return;
        for (int left = reader.Count(); left > 0; left--) reader.Number();
    }

    /// <summary>Gives up everything that it holds on to.</summary>
    public void End()
    {
        HasEnded = true;
        foreach (QueueEntry entry in Scattered.Values) entry.Release();
        foreach (QueueEntry entry in Fresh) entry.Release();
        foreach (DiskRun run in Runs) run.Release();
        Scattered.Clear();
        Fresh.Clear();
        Runs.Clear();
    }

    private static DiskRun ReadRun(ref OpReader reader, Func<ulong, SegmentFile> findSegment)
    {
        SegmentFile file = findSegment(reader.Number());
        long next = (long)reader.Number(), end = (long)reader.Number();
        int count = (int)reader.Number();
        if (next < 0 || next > end || end > file.Length) throw new DataDamagedException("the manifest names a part of a segment that does not exist");
        var run = new DiskRun(file, next, end, count, reader.Number(), reader.Number()) { Gone = new SequenceSet(), LoggedCount = count };
        for (int left = reader.Count(); left > 0; left--) run.Gone.AddRange(reader.Number(), reader.Number());
        for (int left = reader.Count(); left > 0; left--) (run.DeliveryCounts ??= []).Add(reader.Number(), (int)reader.Number());
        file.Retain(end - next);
        return run;
    }

    private void Remove(ulong sequence)
    {
        if (Scattered.Remove(sequence, out QueueEntry scattered)) scattered.Release();
        else if (FindFresh(sequence) is { } at)
        {
            Fresh[at].Release();
            Fresh[at] = Fresh[at] with { Message = null };
        }
        else if (FindRun(sequence) is { } run && run.Gone!.Add(sequence))
        {
            run.Count--;
            run.LoggedCount--;
        }
    }

    private void CountDelivery(ulong sequence, int deliveryCount)
    {
        if (Scattered.TryGetValue(sequence, out QueueEntry scattered)) Scattered[sequence] = scattered with { DeliveryCount = deliveryCount };
        else if (FindFresh(sequence) is { } at) Fresh[at] = Fresh[at] with { DeliveryCount = deliveryCount };
        else if (FindRun(sequence) is { } run) (run.DeliveryCounts ??= [])[sequence] = deliveryCount;
    }

    private void Purge(ulong below, ref OpReader reader)
    {
        var kept = new SortedSet<ulong>();
        for (int left = reader.Count(); left > 0; left--) kept.Add(reader.Number());
        foreach (ulong sequence in Scattered.Keys.Where(s => s < below && !kept.Contains(s)).ToArray()) Remove(sequence);
        foreach (ulong sequence in Fresh.Select(entry => entry.Sequence).Where(s => s < below && !kept.Contains(s)).ToArray()) Remove(sequence);
        foreach (DiskRun run in Runs)
        {
            ulong[] left = [.. kept.GetViewBetween(run.FirstSequence, run.LastSequence).Where(s => !Scattered.ContainsKey(s) && !run.Gone!.Contains(s))];
            ulong from = run.FirstSequence;
            foreach (ulong sequence in left)
            {
                if (sequence > from) run.Gone!.AddRange(from, sequence - 1);
                from = sequence + 1;
            }
            run.Gone!.AddRange(from, run.LastSequence);
            run.Count = run.LoggedCount = left.Length;
        }
    }

    private int? FindFresh(ulong sequence)
    {
        int low = 0, high = Fresh.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (Fresh[middle].Sequence == sequence) return middle;
            if (Fresh[middle].Sequence < sequence) low = middle + 1;
            else high = middle - 1;
        }
        return null;
    }

    private DiskRun? FindRun(ulong sequence) => Runs.Find(run => run.FirstSequence <= sequence && sequence <= run.LastSequence);
}
