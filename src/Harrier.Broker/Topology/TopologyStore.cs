using Harrier.Broker.Policies;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>What a decision about the topology came to: the ops that make it true, and the answer for whoever asked.</summary>
public readonly record struct TopologyDecision<TAnswer>(TAnswer Answer, params TopologyOp[] Ops);

/// <summary>
/// Where the topology of a virtual host is read and changed. In a cluster the same ops will come from a shared store, so nothing else
/// may change what exists.
/// </summary>
public interface ITopologyStore
{
    /// <summary>The topology now. Never waits.</summary>
    VirtualHostTopology Current { get; }

    /// <summary>The ticket of the last change that is to be durable before anybody is told of it.</summary>
    long Ticket { get; }

    /// <summary>
    /// Decides on the current topology and applies the decision's ops, with no other change between the two. The decision may be asked again
    /// when another change came first, so it must have no effect of its own; it may throw <see cref="BrokerException"/> to refuse.
    /// </summary>
    TAnswer Change<TAnswer>(Func<VirtualHostTopology, TopologyDecision<TAnswer>> decide);
}

/// <summary>A topology that lives in memory, and in the log as far as it is durable.</summary>
internal sealed class TopologyStore(VirtualHostTopology initial, TopologyLog log) : ITopologyStore
{
    private volatile VirtualHostTopology _current = initial;

    public VirtualHostTopology Current => _current;

    public long Ticket => log.Ticket;

    public TAnswer Change<TAnswer>(Func<VirtualHostTopology, TopologyDecision<TAnswer>> decide)
    {
        lock (log.Gate)
        {
            VirtualHostTopology topology = _current;
            TopologyDecision<TAnswer> decision = decide(topology);
            if (decision.Ops.Length > 0) log.Append(topology, decision.Ops);
            foreach (TopologyOp op in decision.Ops) topology = TopologyMachine.Apply(topology, op);
            _current = topology;
            if (decision.Ops.Any(op => op is PolicySet or PolicyCleared)) Configure(topology);
            if (decision.Ops.Any(op => op is ExchangeDeleted)) EndServants(decision.Ops);
            return decision.Answer;
        }
    }

    // Other queues end before they are taken out of the topology; those that work for an exchange go with it.
    private static void EndServants(TopologyOp[] ops)
    {
        var batch = new CommandBatch();
        foreach (QueueDeleted deleted in ops.OfType<QueueDeleted>().Where(op => !op.Queue.Definition.IsOrdinary))
            batch.Add(new QueueCommand(QueueCommandKind.Delete, deleted.Queue));
        batch.Run();
    }

    // Still under the gate: nobody can declare a queue, or change another policy, between the change and what it does to the queues that are there.
    private static void Configure(VirtualHostTopology topology)
    {
        var batch = new CommandBatch();
        foreach (Queue queue in topology.Queues.Values.Where(queue => queue.Definition.IsOrdinary))
        {
            QueueSettings settings = SettingsMerge.Merge(queue.Definition, topology.Policies.For(queue.Definition));
            if (settings != queue.Settings) batch.Add(new QueueCommand(QueueCommandKind.Configure, queue, Settings: settings));
        }
        batch.Run();
    }
}
