using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Matches equal routing keys.</summary>
internal sealed class DirectTable(ImmutableDictionary<Utf8Name, ImmutableArray<Binding>> byKey) : IBindingTable
{
    public static readonly DirectTable Empty = new(ImmutableDictionary<Utf8Name, ImmutableArray<Binding>>.Empty);

    public bool MatchesByKey => true;

    public IBindingTable With(Binding binding) =>
        new DirectTable(byKey.SetItem(binding.RoutingKey, byKey.GetValueOrDefault(binding.RoutingKey, []).Add(binding)));

    public IBindingTable Without(Binding binding)
    {
        ImmutableArray<Binding> left = byKey.GetValueOrDefault(binding.RoutingKey, []).Remove(binding);
        return new DirectTable(left.IsEmpty ? byKey.Remove(binding.RoutingKey) : byKey.SetItem(binding.RoutingKey, left));
    }

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        if (byKey.TryGetValue(routingKey, out ImmutableArray<Binding> bindings)) routes.Add(bindings);
    }
}

/// <summary>Matches everything.</summary>
internal sealed class FanoutTable(ImmutableArray<Binding> bindings) : IBindingTable
{
    public static readonly FanoutTable Empty = new([]);

    public bool MatchesByKey => false;

    public IBindingTable With(Binding binding) => new FanoutTable(bindings.Add(binding));

    public IBindingTable Without(Binding binding) => new FanoutTable(bindings.Remove(binding));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes) => routes.Add(bindings);
}
