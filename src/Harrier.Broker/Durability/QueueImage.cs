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

    public bool IsPaused { get; private set; }

    public ulong NextSequence { get; private set; } = 1;

    /// <summary>Up to where messages of each lane were given to somebody.</summary>
    public Dictionary<byte, ulong> DeliveredUpTo { get; } = [];

    /// <summary>Messages that stand in segments one by one, by their sequence.</summary>
    public Dictionary<ulong, QueueEntry> Scattered { get; } = [];

    public List<(byte Lane, DiskRun Run)> Runs { get; } = [];

    /// <summary>Messages of the log, in order. Those without a message have left the queue again.</summary>
    public List<QueueEntry> Fresh { get; } = [];

    /// <summary>When messages that came back may be delivered again.</summary>
    public Dictionary<ulong, long> Postponed { get; } = [];

    /// <summary>The termini that messages are held for.</summary>
    public Dictionary<ulong, long> Held { get; } = [];

    /// <summary>The keys of messages that are not to be taken again, in the order in which they came.</summary>
    public List<(byte[] Key, long ForgottenAtMs)> Keys { get; } = [];

    /// <summary>Reads what <see cref="QueueSnapshot.WriteSection"/> has written, without the queue's number.</summary>
    public static QueueImage ReadSection(ref OpReader reader, Func<ulong, SegmentFile> findSegment)
    {
        ulong index = reader.Number();
        byte flags = reader.Byte();
        var image = new QueueImage { Index = index, HasEnded = (flags & 1) != 0, IsPaused = (flags & 2) != 0, NextSequence = reader.Number() };
        for (int left = reader.Count(); left > 0; left--) image.DeliveredUpTo[reader.Byte()] = reader.Number();
        for (int left = reader.Count(); left > 0; left--)
        {
            QueueEntry entry = ReadEntry(ref reader, findSegment);
            image.Scattered.Add(entry.Sequence, entry);
        }
        for (int left = reader.Count(); left > 0; left--) image.Runs.Add((reader.Byte(), RunState.Read(ref reader, findSegment)));
        for (int left = reader.Count(); left > 0; left--) image.Postponed.Add(reader.Number(), (long)reader.Number());
        for (int left = reader.Count(); left > 0; left--) image.Held.Add(reader.Number(), (long)reader.Number());
        for (int left = reader.Count(); left > 0; left--) image.Keys.Add((reader.Bytes().ToArray(), reader.Fixed()));
        return image;
    }

    /// <summary>Applies one op of the log, of which the kind and the queue have been read.</summary>
    /// <param name="op">The kind.</param>
    /// <param name="sequence">The sequence that it names.</param>
    /// <param name="lane">The lane that it names, if it does.</param>
    /// <param name="reader">At the rest of it.</param>
    /// <param name="message">The message, for one that has joined or come in place of another.</param>
    public void Apply(QueueOp op, ulong sequence, byte lane, ref OpReader reader, Message? message)
    {
        switch (op)
        {
            case QueueOp.Enqueued or QueueOp.EnqueuedToo or QueueOp.EnqueuedInLane or QueueOp.EnqueuedTooInLane:
                Fresh.Add(new QueueEntry(message!, sequence, isLogged: true, lane));
                NextSequence = Math.Max(NextSequence, sequence + 1);
                break;
            case QueueOp.Settled: Remove(sequence, lane, (int)reader.Number()); break;
            case QueueOp.Returned: Return(sequence, lane, ref reader); break;
            case QueueOp.Delivered: DeliveredUpTo[lane] = Math.Max(DeliveredUpTo.GetValueOrDefault(lane), sequence); break;
            case QueueOp.Purged: Purge(sequence, ref reader); break;
            case QueueOp.Ended: End(); break;
            case QueueOp.Remembered: Keys.Add((reader.Bytes().ToArray(), reader.Fixed())); break;
            case QueueOp.Replaced: Replace(sequence, lane, message!, (int)reader.Number()); break;
            case QueueOp.Held: Held[sequence] = (long)reader.Number(); break;
            case QueueOp.Paused: IsPaused = sequence != 0; break;
            default: throw new DataDamagedException($"the log holds an op {(byte)op} that this Harrier does not know");
        }
    }

    /// <summary>Passes over the rest of an op, of which the kind, the queue, the sequence and the lane have been read.</summary>
    public static void Skip(QueueOp op, ref OpReader reader)
    {
        switch (op)
        {
            case QueueOp.Settled or QueueOp.Held or QueueOp.Replaced: reader.Number(); break;
            case QueueOp.Returned:
                for (int i = 0; i < 3; i++) reader.Number();
                break;
            case QueueOp.Remembered:
                reader.Bytes();
                reader.Fixed();
                break;
            case QueueOp.Purged:
                reader.Number();
                for (int left = reader.Count(); left > 0; left--) ReadKept(ref reader);
                break;
        }
    }

    /// <summary>Whether the message stays out of the ready ones for now.</summary>
    public bool IsOut(ulong sequence) => Postponed.ContainsKey(sequence) || Held.ContainsKey(sequence);

    /// <summary>Forgets holds for termini that are no more: these messages, which have places of their own, are ready.</summary>
    public void ForgetHolds(Predicate<long> isGone)
    {
        foreach ((ulong sequence, long holder) in Held)
        {
            if (!isGone(holder)) continue;
            Held.Remove(sequence);
            if (Scattered.TryGetValue(sequence, out QueueEntry entry)) Scattered[sequence] = entry with { AcquiredCount = entry.AcquiredCount + 1 };
        }
    }

    /// <summary>Gives up everything that it holds on to.</summary>
    public void End()
    {
        HasEnded = true;
        foreach (QueueEntry entry in Scattered.Values) entry.Release();
        foreach (QueueEntry entry in Fresh) entry.Release();
        foreach ((_, DiskRun run) in Runs) run.Release();
        Scattered.Clear();
        Fresh.Clear();
        Runs.Clear();
        Keys.Clear();
    }

    internal static DataDamagedException NoSuchPart() => new("the manifest names a part of a segment that does not exist");

    private static QueueEntry ReadEntry(ref OpReader reader, Func<ulong, SegmentFile> findSegment)
    {
        var entry = new QueueEntry
        {
            Sequence = reader.Number(), AcquiredCount = (int)reader.Number(), DeliveryCount = (int)reader.Number(), Lane = reader.Byte(),
            ArrivedAtMs = (long)reader.Number(), ExpiresAtMs = (long)reader.Number(), BodySize = (int)reader.Number(), IsLogged = true,
        };
        SegmentFile file = findSegment(reader.Number());
        var stored = new StoredAt(file, (uint)reader.Number(), (int)reader.Number());
        file.Retain(stored.Size);
        return entry with { Stored = stored };
    }

    private void Remove(ulong sequence, byte lane, int bodySize)
    {
        Postponed.Remove(sequence);
        Held.Remove(sequence);
        if (Scattered.Remove(sequence, out QueueEntry scattered)) scattered.Release();
        else if (FindFresh(sequence) is { } at)
        {
            Fresh[at].Release();
            Fresh[at] = Fresh[at] with { Message = null };
        }
        else if (FindRun(sequence, lane) is { } run && !run.Gone.Contains(sequence)) run.Remove(sequence, bodySize, isLogged: true);
    }

    // What stood in a run gets a place of its own.
    private void Replace(ulong sequence, byte lane, Message message, int bodySizeBefore)
    {
        if (Scattered.TryGetValue(sequence, out QueueEntry scattered))
        {
            scattered.Release();
            Scattered[sequence] = scattered with { Message = message, BodySize = message.BodySize, Stored = default };
        }
        else if (FindFresh(sequence) is { } at && Fresh[at].Message is { } replaced)
        {
            replaced.Release();
            Fresh[at] = Fresh[at] with { Message = message, BodySize = message.BodySize };
        }
        else if (FindRun(sequence, lane) is { } run && !run.Gone.Contains(sequence))
        {
            Scattered.Add(sequence, run.WithCounts(new QueueEntry(message, sequence, isLogged: true, lane), DeliveredUpTo.GetValueOrDefault(lane)));
            run.Remove(sequence, bodySizeBefore, isLogged: true);
        }
        else message.Release();
    }

    private void Return(ulong sequence, byte lane, ref OpReader reader)
    {
        var counts = new ReturnCounts((int)reader.Number(), (int)reader.Number());
        long readyAtMs = (long)reader.Number();
        Held.Remove(sequence);
        if (readyAtMs != 0) Postponed[sequence] = readyAtMs;
        else Postponed.Remove(sequence);
        if (Scattered.TryGetValue(sequence, out QueueEntry scattered)) Scattered[sequence] = With(scattered);
        else if (FindFresh(sequence) is { } at) Fresh[at] = With(Fresh[at]);
        else if (FindRun(sequence, lane) is { } run) (run.Returns ??= [])[sequence] = counts;

        QueueEntry With(QueueEntry entry) => entry with { AcquiredCount = counts.Acquired, DeliveryCount = counts.Delivery };
    }

    private void Purge(ulong below, ref OpReader reader)
    {
        int lane = (int)reader.Number() - 1;
        var kept = new SortedDictionary<ulong, (byte Lane, int BodySize)>();
        for (int left = reader.Count(); left > 0; left--)
        {
            (ulong sequence, byte keptLane, int bodySize) = ReadKept(ref reader);
            kept[sequence] = (keptLane, bodySize);
        }
        QueueEntry[] gone = [.. Scattered.Values.Concat(Fresh).Where(e => e.Sequence < below && IsMeant(e.Lane) && !kept.ContainsKey(e.Sequence))];
        foreach (QueueEntry entry in gone) Remove(entry.Sequence, entry.Lane, entry.BodySize);
        foreach ((byte number, DiskRun run) in Runs.Where(r => IsMeant(r.Lane) && r.Run.FirstSequence < below))
        {
            (ulong Sequence, int BodySize)[] left =
                [.. kept.Where(k => k.Value.Lane == number && run.Holds(k.Key) && !Scattered.ContainsKey(k.Key)).Select(k => (k.Key, k.Value.BodySize))];
            KeepOnly(run, left);
        }

        bool IsMeant(byte number) => lane < 0 || lane == number;
    }

    private static void KeepOnly(DiskRun run, (ulong Sequence, int BodySize)[] left)
    {
        ulong from = run.FirstSequence;
        foreach ((ulong sequence, _) in left)
        {
            if (sequence > from) run.Gone.AddRange(from, sequence - 1);
            from = sequence + 1;
        }
        run.Gone.AddRange(from, run.LastSequence);
        run.Count = run.LoggedCount = left.Length;
        run.BodyBytes = run.LoggedBodyBytes = left.Sum(kept => (long)kept.BodySize);
    }

    private static (ulong Sequence, byte Lane, int BodySize) ReadKept(ref OpReader reader) => (reader.Number(), reader.Byte(), (int)reader.Number());

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

    private DiskRun? FindRun(ulong sequence, byte lane) =>
        Runs.Find(r => r.Lane == lane && r.Run.FirstSequence <= sequence && sequence <= r.Run.LastSequence).Run;
}
