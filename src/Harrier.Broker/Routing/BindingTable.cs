using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>
/// The bindings of one exchange, arranged so that its type finds matches fast. Immutable and persistent: adding or removing makes
/// another that shares most of its memory, so that readers need no lock and a change costs little however many bindings there are.
/// </summary>
public interface IBindingTable
{
    /// <summary>Whether the routing key matters; if not, one match serves all keys of a message.</summary>
    bool MatchesByKey { get; }

    IBindingTable With(Binding binding);

    IBindingTable Without(Binding binding);

    /// <summary>Adds the destinations that a message with this routing key matches.</summary>
    void Match(Utf8Name routingKey, Message message, RouteSet routes);
}

/// <summary>Chooses the table for an exchange type.</summary>
internal static class BindingTable
{
    public static IBindingTable Empty(ExchangeType type) => type switch
    {
        ExchangeType.Direct => DirectTable.Empty,
        ExchangeType.Fanout => FanoutTable.Empty,
        ExchangeType.Topic => TopicTable.Empty,
        _ => HeadersTable.Empty,
    };
}
