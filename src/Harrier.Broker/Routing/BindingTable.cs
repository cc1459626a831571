using System.Collections.Immutable;
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

    /// <summary>The bindings in the order in which they were made where that counts and is to outlive a restart, else none.</summary>
    ImmutableArray<Binding> Ordered => [];

    /// <summary>Adds the destinations that a message with this routing key matches.</summary>
    void Match(Utf8Name routingKey, Message message, RouteSet routes);
}

/// <summary>Chooses the table for an exchange type.</summary>
internal static class BindingTable
{
    /// <summary>A table for an exchange with these arguments, which are valid.</summary>
    public static IBindingTable Empty(ExchangeType type, ArgumentTable arguments) => type switch
    {
        ExchangeType.Direct => DirectTable.Empty,
        ExchangeType.Fanout or ExchangeType.Deduplication or ExchangeType.RecentHistory => FanoutTable.Empty,
        ExchangeType.Topic => TopicTable.Empty,
        ExchangeType.Headers => HeadersTable.Empty,
        ExchangeType.ConsistentHash => ConsistentHashTable.Empty(HashInput.Of(arguments)),
        ExchangeType.ModulusHash => ModulusHashTable.Empty,
        ExchangeType.Random or ExchangeType.LocalRandom => RandomTable.Empty,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>Throws 406 when an exchange of that type cannot have these arguments.</summary>
    public static void ValidateArguments(ExchangeType type, ArgumentTable arguments, string exchange)
    {
        ExchangeArguments.Validate(type, arguments, exchange);
        if (ExchangeArguments.MatchedType(type, arguments) == ExchangeType.ConsistentHash) HashInput.Validate(arguments, exchange);
    }

    /// <summary>Throws 406 when an exchange of that type cannot take the binding.</summary>
    public static void Validate(ExchangeType type, Binding binding)
    {
        switch (type)
        {
            case ExchangeType.Topic: TopicTable.Validate(binding.RoutingKey); break;
            case ExchangeType.Headers: HeadersTable.Validate(binding.Arguments); break;
            case ExchangeType.ConsistentHash: ConsistentHashTable.Validate(binding.RoutingKey); break;
            case ExchangeType.LocalRandom: RandomTable.ValidateLocal(binding); break;
        }
    }
}
