using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// Reads a data directory: the manifest, then the log behind it. Every op is a fact that was decided before, so applying it decides nothing. Used once.
/// </summary>
internal sealed class BrokerRecovery(Manifest manifest, SegmentSet segments, MessageFormats formats, TopologyImage topology)
{
    private readonly Dictionary<ulong, SegmentFile> _segments = [];
    private readonly Dictionary<long, QueueImage> _images = [];

    /// <summary>The last unit of every stream.</summary>
    public ulong[] Indexes { get; private set; } = [];

    /// <summary>The number of the last queue that was ever made.</summary>
    public long LastQueueId { get; private set; }

    /// <summary>Messages that the log held and no segment.</summary>
    public long LoggedMessageCount { get; private set; }

    /// <summary>What was read of each queue, by its number.</summary>
    public IReadOnlyDictionary<long, QueueImage> Images => _images;

    /// <summary>Reads everything. Throws <see cref="DataDamagedException"/> when it is not what was written.</summary>
    public LogEnd Read(LogReader log)
    {
        foreach (SegmentEntry entry in manifest.Segments) _segments.Add(entry.Number, segments.Open(entry));
        BrokerState state = BrokerState.Read(manifest.State, ShardSet.Count + 1);
        (Indexes, LastQueueId) = (state.Indexes, state.LastQueueId);
        var ops = new OpReader(state.TopologyOps.Span);
        topology.Apply(ref ops);
        foreach (ReadOnlyMemory<byte> section in state.Sections) ReadSection(section.Span);
        // Before the first checkpoint nothing is appended, and the log may not even exist.
        return manifest.State.IsEmpty ? default : log.Read(manifest.LogFrom, Apply);
    }

    /// <summary>Fills the queues with what was read. Queues that had ended are taken out; what was told of queues that are not there is given up.</summary>
    public void Restore(Action<FreshBytes> onFresh)
    {
        topology.Configure();
        foreach ((long id, QueueImage image) in _images)
            if (image.HasEnded && topology.Queues.TryGetValue(id, out Queue? ended)) topology.Remove(ended);
        foreach ((long id, QueueImage image) in _images)
        {
            topology.Queues.TryGetValue(id, out Queue? queue);
            if (queue is null || image.HasEnded)
            {
                image.End();
                continue;
            }
            new PostponedPlaces(image, id, formats).Separate();
            image.ForgetHolds(holder => !topology.Queues.ContainsKey(holder));
            lock (queue.Shard.Gate)
            {
                queue.Machine.Restore(image, queue.Shard.NowMs);
                queue.IsChanged = true;
                queue.Shard.Log!.Changed.Add(queue);
                onFresh(queue.Machine.FreshBytes);
            }
        }
        foreach (Queue terminus in topology.Queues.Values.Where(queue => queue.Definition.Role == QueueRole.Terminus))
            Terminus.Restore(terminus, topology.VirtualHosts[terminus.VirtualHost]);
    }

    private void ReadSection(ReadOnlySpan<byte> section)
    {
        var reader = new OpReader(section);
        long id = (long)reader.Number();
        _images[id] = QueueImage.ReadSection(ref reader, FindSegment);
    }

    private SegmentFile FindSegment(ulong number) =>
        _segments.TryGetValue(number, out SegmentFile? file) ? file : throw new DataDamagedException($"the manifest refers to a segment {number:x16} that it does not name");

    private void Apply(in LoggedUnit unit)
    {
        if (unit.Stream >= Indexes.Length) throw new DataDamagedException($"the log holds a unit of stream {unit.Stream}, which does not exist");
        // What the manifest reflects may stand in the log once more; behind it, units follow each other without a gap.
        bool isNew = unit.Index > Indexes[unit.Stream];
        if (isNew && unit.Index != Indexes[unit.Stream] + 1)
            throw new DataDamagedException($"the log jumps from unit {Indexes[unit.Stream]} of stream {unit.Stream} to {unit.Index}");
        Indexes[unit.Stream] = Math.Max(Indexes[unit.Stream], unit.Index);
        var reader = new OpReader(unit.Ops);
        if (unit.Stream != TopologyLog.Stream) ApplyQueueOps(ref reader, unit.Index);
        else if (isNew) topology.Apply(ref reader);
    }

    private void ApplyQueueOps(ref OpReader reader, ulong index)
    {
        ReadOnlySpan<byte> lastMessage = default;
        while (!reader.IsAtEnd)
        {
            var op = (QueueOp)reader.Byte();
            long id = (long)reader.Number();
            ulong sequence = reader.Number();
            byte lane = NamesLane(op) ? reader.Byte() : (byte)0;
            if (op is QueueOp.Enqueued or QueueOp.EnqueuedInLane) lastMessage = reader.Bytes();
            ReadOnlySpan<byte> replacement = op == QueueOp.Replaced ? reader.Bytes() : default;
            if (!_images.TryGetValue(id, out QueueImage? image)) _images.Add(id, image = new QueueImage());
            bool isKnown = index <= image.Index || image.HasEnded;
            bool joins = op is QueueOp.Enqueued or QueueOp.EnqueuedToo or QueueOp.EnqueuedInLane or QueueOp.EnqueuedTooInLane;
            Message? message = null;
            if (joins && !isKnown)
            {
                message = StoredMessage.Read(lastMessage, formats);
                LoggedMessageCount++;
            }
            else if (op == QueueOp.Replaced && !isKnown) message = StoredMessage.Read(replacement, formats);
            if (isKnown) QueueImage.Skip(op, ref reader);
            else image.Apply(op, sequence, lane, ref reader, message);
        }
    }

    private static bool NamesLane(QueueOp op) =>
        op is QueueOp.Settled or QueueOp.Returned or QueueOp.Delivered or QueueOp.Held or QueueOp.Replaced or QueueOp.EnqueuedInLane or QueueOp.EnqueuedTooInLane;
}
