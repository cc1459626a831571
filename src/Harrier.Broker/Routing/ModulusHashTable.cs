using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>
/// Sends each message to one destination: the hash of its routing key modulo their number, in the order of their names. Binding keys do not matter,
/// and a destination counts once however often it is bound. A change of the bindings moves nearly all keys.
/// </summary>
internal sealed class ModulusHashTable(ImmutableArray<Binding> bindings) : IBindingTable
{
    public static readonly ModulusHashTable Empty = new([]);

    // Made by the first message and not with the table: a thousand bindings come before the first message.
    private Destination[]? _destinations;

    public bool MatchesByKey => false;

    public IBindingTable With(Binding binding) => new ModulusHashTable(bindings.Add(binding));

    public IBindingTable Without(Binding binding) => new ModulusHashTable(bindings.Remove(binding));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        if (bindings.IsEmpty) return;
        _destinations ??= [.. bindings.Select(b => b.Destination).Distinct().OrderBy(d => d.IsQueue).ThenBy(d => d.Name)];
        routes.Add(_destinations[StableHash.Of(routingKey.Span) % (ulong)_destinations.Length]);
    }
}
