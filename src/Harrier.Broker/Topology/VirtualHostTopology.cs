using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// What exists in one virtual host at one moment. Immutable: the router reads it without a lock, and comparing references tells whether
/// anything has changed. Changed only by <see cref="TopologyMachine"/>.
/// </summary>
public sealed record VirtualHostTopology(
    string Name,
    ImmutableDictionary<Utf8Name, Exchange> Exchanges,
    ImmutableDictionary<Utf8Name, Queue> Queues,
    ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> BindingsBySource,
    ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> BindingsByQueue,
    ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>> BindingsByExchange)
{
    /// <summary>The policies. Exchanges in this snapshot are as these have them; queues are given their settings with every change.</summary>
    public PolicyTable Policies { get; init; } = PolicyTable.Empty;

    /// <summary>A virtual host with the exchanges that every one has.</summary>
    public static VirtualHostTopology Create(string name)
    {
        var bindings = ImmutableDictionary<Utf8Name, ImmutableHashSet<Binding>>.Empty;
        (string Name, ExchangeType Type)[] system =
        [
            ("", ExchangeType.Direct), ("amq.direct", ExchangeType.Direct), ("amq.fanout", ExchangeType.Fanout), ("amq.topic", ExchangeType.Topic),
            ("amq.headers", ExchangeType.Headers), ("amq.match", ExchangeType.Headers),
        ];
        IEnumerable<Exchange> exchanges = system.Select(e => Exchange.Create(e.Name, e.Type, true, false, false, ArgumentTable.Empty));
        exchanges = exchanges.Append(Exchange.Create("amq.rabbitmq.trace", ExchangeType.Topic, true, false, true, ArgumentTable.Empty));
        return new VirtualHostTopology(
            name, exchanges.ToImmutableDictionary(e => e.Name), ImmutableDictionary<Utf8Name, Queue>.Empty, bindings, bindings, bindings);
    }

    /// <summary>The bindings whose source is that exchange.</summary>
    public ImmutableHashSet<Binding> BindingsFrom(Utf8Name exchange) => BindingsBySource.GetValueOrDefault(exchange, []);

    /// <summary>The bindings that lead to that queue or exchange.</summary>
    public ImmutableHashSet<Binding> BindingsTo(Destination destination) =>
        (destination.IsQueue ? BindingsByQueue : BindingsByExchange).GetValueOrDefault(destination.Name, []);
}
