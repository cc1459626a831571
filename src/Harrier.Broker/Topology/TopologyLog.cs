using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Storage.Log;

namespace Harrier.Broker.Topology;

/// <summary>
/// The order of all topology changes of a broker, and their way into the log: a stream of its own behind those of the shards. What is not durable is left out.
/// </summary>
public sealed class TopologyLog(WriteAheadLog? log)
{
    /// <summary>The stream's number.</summary>
    internal const int Stream = ShardSet.Count;

    /// <summary>Held while topology changes. A change is in the log before anybody can see it, so whatever builds on it comes later in the log.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>The number of the last unit.</summary>
    internal ulong Index { get; set; }

    /// <summary>The last ticket. Whoever is told of a change waits for it.</summary>
    internal long Ticket { get; private set; }

    /// <summary>Writes the durable ones of some ops. Under <see cref="Gate"/>.</summary>
    /// <param name="topology">The virtual host before the ops.</param>
    /// <param name="ops">What is going to be true.</param>
    internal void Append(VirtualHostTopology topology, TopologyOp[] ops)
    {
        if (log is null || !ops.Any(op => TopologyOpCodec.IsDurable(op, topology))) return;
        LogUnit unit = log.RentUnit();
        foreach (TopologyOp op in ops)
            if (TopologyOpCodec.IsDurable(op, topology)) TopologyOpCodec.Write(new OpWriter(unit), topology.Name, op);
        unit.IsAwaited = true;
        unit.Seal(Stream, ++Index);
        Ticket = log.Append(unit);
    }
}
