using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// Puts the broker's state down so that the log before it is not needed any more, and lets go of the memory of what is on disk. Only survivors are
/// written: a message that was acknowledged by now never leaves the log. One thread at a time.
/// </summary>
/// <param name="disk">The data directory.</param>
/// <param name="log">The log.</param>
/// <param name="segments">Where survivors go.</param>
/// <param name="shards">Whose queues are put down.</param>
/// <param name="topology">Guards the topologies.</param>
/// <param name="virtualHosts">The topologies now.</param>
/// <param name="queues">Numbers queues.</param>
/// <param name="waitUntilDurable">Returns once the log is on disk up to a ticket.</param>
/// <param name="onFresh">Is told by how much the memory of messages has changed.</param>
internal sealed class Checkpointer(
    IDisk disk, WriteAheadLog log, SegmentSet segments, ShardSet shards, TopologyLog topology, Func<IEnumerable<VirtualHostTopology>> virtualHosts,
    QueueFactory queues, Action<long> waitUntilDurable, Action<FreshBytes> onFresh)
{
    // A segment is not added to beyond this; offsets in it have 32 bits.
    private const long SegmentBytesMax = 1L << 30;

    private readonly Dictionary<long, byte[]> _sections = [];
    private static readonly IReadOnlySet<SegmentFile> Nothing = new HashSet<SegmentFile>();

    private readonly HashSet<long> _ended = [];
    private CapturedTopology? _captured;

    /// <summary>Puts everything down that has changed since the last time.</summary>
    /// <exception cref="DiskFullException">There is no space. Nothing is lost: the log holds it all, and the next attempt begins anew.</exception>
    public void Run()
    {
        LogFilePoint cut = log.CurrentFile;
        IReadOnlyList<SegmentFile> dead = segments.FindDead();
        IReadOnlySet<SegmentFile> sparse = FindSparse();
        CapturedTopology captured = CaptureTopology();
        var indexes = new ulong[ShardSet.Count + 1];
        indexes[TopologyLog.Stream] = captured.Index;
        List<QueueSnapshot> snapshots = Collect(indexes, sparse);
        List<SegmentFile> written = [];
        try
        {
            WriteSegments(snapshots, written, isTemporary: false);
            foreach (QueueSnapshot snapshot in snapshots) PutSection(snapshot);
            waitUntilDurable(log.Appended); // else a crash could keep what the manifest reflects and lose the rest of the transaction it belongs to
            WriteManifest(cut, captured, indexes, dead);
        }
        catch
        {
            foreach (QueueSnapshot snapshot in snapshots) MarkChanged(snapshot.Queue);
            throw;
        }
        finally
        {
            Install(snapshots, written);
        }
        segments.Delete(dead);
        log.Retire(cut.Number);
    }

    /// <summary>Moves messages that no restart will miss out of memory, to files without a name.</summary>
    public void Spill()
    {
        List<QueueSnapshot> snapshots = [];
        foreach (Queue queue in virtualHosts().SelectMany(host => host.Queues.Values).Where(q => q.Machine.FreshBytes != default))
        {
            if (queue.IsLogged) MarkChanged(queue); // the next checkpoint takes it along
            else lock (queue.Shard.Gate) snapshots.Add(queue.Machine.Collect(queue, index: 0, Nothing));
        }
        List<SegmentFile> written = [];
        try
        {
            WriteSegments(snapshots, written, isTemporary: true);
        }
        finally
        {
            Install(snapshots, written);
        }
        segments.Delete([.. segments.FindDead().Where(file => file.IsTemporary)]);
    }

    /// <summary>The files to be put together, if there are any. Queues that stand in them are put down as if something had happened to them.</summary>
    private IReadOnlySet<SegmentFile> FindSparse()
    {
        IReadOnlySet<SegmentFile> sparse = segments.FindSparse();
        if (sparse.Count == 0) return sparse;
        foreach (Queue queue in virtualHosts().SelectMany(host => host.Queues.Values).Where(queue => queue.IsLogged))
        {
            lock (queue.Shard.Gate)
            {
                if (!queue.Machine.StandsIn(sparse)) continue;
            }
            MarkChanged(queue);
        }
        return sparse;
    }

    private CapturedTopology CaptureTopology()
    {
        lock (topology.Gate)
        {
            if (_captured is { } last && last.Index == topology.Index) return last; // nothing durable has changed
            var unit = new LogUnit();
            HashSet<long> ids = [];
            foreach (VirtualHostTopology host in virtualHosts())
            {
                TopologyOpCodec.WriteAll(new OpWriter(unit), host);
                foreach (Queue queue in host.Queues.Values.Where(queue => queue.Definition.IsDurable)) ids.Add(queue.Id.Value);
            }
            _captured = new CapturedTopology(unit.Ops.ToArray(), ids, topology.Index);
            return _captured.Value;
        }
    }

    /// <summary>What has changed, shard by shard, so that no shard is held up for longer than its own queues take.</summary>
    private List<QueueSnapshot> Collect(ulong[] indexes, IReadOnlySet<SegmentFile> sparse)
    {
        List<QueueSnapshot> snapshots = [];
        foreach (Shard shard in shards.All)
        {
            lock (shard.Gate)
            {
                ShardLog shardLog = shard.Log!;
                foreach (Queue queue in shardLog.Changed)
                {
                    queue.IsChanged = false;
                    snapshots.Add(queue.Machine.Collect(queue, shardLog.Index, sparse));
                }
                shardLog.Changed.Clear();
                indexes[shard.Index] = shardLog.Index;
            }
        }
        return snapshots;
    }

    private void WriteSegments(List<QueueSnapshot> snapshots, List<SegmentFile> written, bool isTemporary)
    {
        SegmentWriter? writer = null;
        try
        {
            foreach (QueueSnapshot snapshot in snapshots.Where(s => s.HasMessages))
            {
                if (writer?.Offset > SegmentBytesMax) Finish(ref writer, written);
                writer ??= segments.Create(isTemporary);
                snapshot.WriteMessages(writer);
            }
            Finish(ref writer, written);
        }
        catch
        {
            foreach (QueueSnapshot snapshot in snapshots) snapshot.Abandon();
            if (writer is not null) segments.Abandon(writer.File);
            segments.Delete(written);
            written.Clear();
            throw;
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private void Finish(ref SegmentWriter? writer, List<SegmentFile> written)
    {
        if (writer is null) return;
        writer.Finish();
        segments.Add(writer.File);
        written.Add(writer.File);
        writer.Dispose();
        writer = null;
    }

    private void PutSection(QueueSnapshot snapshot)
    {
        var unit = new LogUnit();
        snapshot.WriteSection(new OpWriter(unit));
        _sections[snapshot.Queue.Id.Value] = unit.Ops.ToArray();
        if (snapshot.HasEnded) _ended.Add(snapshot.Queue.Id.Value);
    }

    private void WriteManifest(LogFilePoint cut, CapturedTopology captured, ulong[] indexes, IReadOnlyList<SegmentFile> dead)
    {
        var unit = new LogUnit();
        new BrokerState(indexes, queues.LastId, captured.Ops, [.. _sections.Values.Select(s => (ReadOnlyMemory<byte>)s)]).Write(new OpWriter(unit));
        SegmentEntry[] entries = [.. segments.Entries.Where(entry => dead.All(file => file.Number != entry.Number))];
        new Manifest(cut, segments.NextNumber, entries, unit.Ops.ToArray()).Write(disk);
        // A queue that was declared after the capture is not among those captured, and has its section only since now.
        foreach (long gone in _sections.Keys.Where(id => !captured.QueueIds.Contains(id) && _ended.Remove(id)).ToArray()) _sections.Remove(gone);
    }

    private void Install(List<QueueSnapshot> snapshots, List<SegmentFile> written)
    {
        if (written.Count == 0) return;
        foreach (QueueSnapshot snapshot in snapshots.Where(s => s.HasMessages))
        {
            QueueMachine machine = snapshot.Queue.Machine;
            lock (snapshot.Queue.Shard.Gate)
            {
                FreshBytes before = machine.FreshBytes;
                machine.Install(snapshot);
                onFresh(machine.FreshBytes - before);
            }
            if (snapshot.HasMoves) MarkChanged(snapshot.Queue); // what could not be moved after all is where it was, and the next manifest says so
        }
        foreach (SegmentFile file in written) file.Release(SegmentSet.Hold);
    }

    private static void MarkChanged(Queue queue)
    {
        lock (queue.Shard.Gate) queue.Shard.Log!.MarkChanged(queue);
    }

    /// <summary>The durable topologies at one moment, as ops; the queues in them; and the last unit of the log that they reflect.</summary>
    private readonly record struct CapturedTopology(byte[] Ops, HashSet<long> QueueIds, ulong Index);
}
