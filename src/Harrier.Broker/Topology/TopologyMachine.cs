using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>Applies ops to a topology. Pure: a topology and an op give the next topology.</summary>
public static class TopologyMachine
{
    public static VirtualHostTopology Apply(VirtualHostTopology topology, TopologyOp op) => op switch
    {
        ExchangeDeclared declared => topology with { Exchanges = topology.Exchanges.SetItem(declared.Exchange.Name, UnderPolicies(topology.Policies, declared.Exchange)) },
        ExchangeDeleted deleted => topology with { Exchanges = topology.Exchanges.Remove(deleted.Name) },
        QueueDeclared declared => WithServant(topology with { Queues = topology.Queues.SetItem(declared.Queue.Name, declared.Queue) }, declared.Queue),
        QueueDeleted deleted => topology with { Queues = topology.Queues.Remove(deleted.Queue.Name) },
        BindingAdded added => Add(topology, added.Binding),
        BindingRemoved removed => Remove(topology, removed.Binding),
        PolicySet set => With(topology, topology.Policies.With(set.Policy)),
        PolicyCleared cleared => With(topology, topology.Policies.Without(cleared.Kind, cleared.Name)),
        _ => throw new ArgumentOutOfRangeException(nameof(op)),
    };

    /// <summary>Tells an exchange of the queue that works for it.</summary>
    private static VirtualHostTopology WithServant(VirtualHostTopology topology, Queue queue)
    {
        if (!queue.Definition.IsServant || !topology.Exchanges.TryGetValue(queue.Definition.ServedExchange, out Exchange? exchange)) return topology;
        exchange = queue.Definition.Role == QueueRole.History ? exchange with { History = queue } : exchange with { Staging = queue };
        return topology with { Exchanges = topology.Exchanges.SetItem(exchange.Name, exchange) };
    }

    private static VirtualHostTopology With(VirtualHostTopology topology, PolicyTable policies)
    {
        IEnumerable<KeyValuePair<Utf8Name, Exchange>> exchanges =
            topology.Exchanges.Values.Select(e => KeyValuePair.Create(e.Name, UnderPolicies(policies, e)));
        return topology with { Policies = policies, Exchanges = topology.Exchanges.SetItems(exchanges) };
    }

    private static Exchange UnderPolicies(PolicyTable policies, Exchange exchange) => exchange.With(policies.For(exchange).Definition);

    private static VirtualHostTopology Add(VirtualHostTopology topology, Binding binding)
    {
        Exchange source = topology.Exchanges[binding.Source];
        topology = topology with
        {
            Exchanges = topology.Exchanges.SetItem(source.Name, source with { Bindings = source.Bindings.With(binding) }),
            BindingsBySource = With(topology.BindingsBySource, binding.Source, binding),
        };
        return binding.Destination.IsQueue
            ? topology with { BindingsByQueue = With(topology.BindingsByQueue, binding.Destination.Name, binding) }
            : topology with { BindingsByExchange = With(topology.BindingsByExchange, binding.Destination.Name, binding) };
    }

    private static VirtualHostTopology Remove(VirtualHostTopology topology, Binding binding)
    {
        // The source is gone already when its own deletion takes its bindings along.
        if (topology.Exchanges.TryGetValue(binding.Source, out Exchange? source))
        {
            source = source with { Bindings = source.Bindings.Without(binding) };
            topology = topology with { Exchanges = topology.Exchanges.SetItem(source.Name, source) };
        }
        topology = topology with { BindingsBySource = Without(topology.BindingsBySource, binding.Source, binding) };
        return binding.Destination.IsQueue
            ? topology with { BindingsByQueue = Without(topology.BindingsByQueue, binding.Destination.Name, binding) }
            : topology with { BindingsByExchange = Without(topology.BindingsByExchange, binding.Destination.Name, binding) };
    }

    private static ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> With(
        ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> bindings, Utf8Name name, Binding binding) =>
        bindings.SetItem(name, bindings.GetValueOrDefault(name, []).Add(binding));

    private static ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> Without(
        ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> bindings, Utf8Name name, Binding binding)
    {
        ImmutableHashSet<Binding> left = bindings.GetValueOrDefault(name, []).Remove(binding);
        return left.IsEmpty ? bindings.Remove(name) : bindings.SetItem(name, left);
    }
}
