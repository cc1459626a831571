using Harrier.Broker.Durability;
using Harrier.Broker.Topology;

namespace Harrier.Simulation.Accounts;

/// <summary>What of a topology is to outlive a stop, as a text that can be compared.</summary>
internal static class TopologyText
{
    public static string Of(VirtualHostTopology topology)
    {
        IEnumerable<string> exchanges = topology.Exchanges.Values.Where(e => e.IsDurable && !e.Name.IsEmpty && !e.Name.IsReserved)
            .Select(e => $"exchange {e.Name} {e.Type} {e.IsAutoDelete} {e.IsInternal}");
        IEnumerable<string> queues = topology.Queues.Values.Where(q => q.Definition.IsDurable)
            .Select(q => $"queue {q.Name} {q.Id.Value} {q.Definition.IsAutoDelete}");
        IEnumerable<string> bindings = topology.BindingsBySource.Values.SelectMany(b => b).Where(b => TopologyOpCodec.IsDurable(b, topology))
            .Select(b => $"binding {b.Source} -> {b.Destination.Name} {b.Destination.IsQueue} {b.RoutingKey}");
        return string.Join('\n', exchanges.Concat(queues).Concat(bindings).Order(StringComparer.Ordinal));
    }
}
