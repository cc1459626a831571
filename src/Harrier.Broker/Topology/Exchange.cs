using Harrier.Broker.Messages;
using Harrier.Broker.Routing;

namespace Harrier.Broker.Topology;

/// <summary>The exchange types that exist.</summary>
public enum ExchangeType
{
    Direct,
    Fanout,
    Topic,
    Headers,

    /// <summary>By a hash, weighted: a change of the bindings moves few keys.</summary>
    ConsistentHash,

    /// <summary>By a hash of the routing key modulo the number of destinations.</summary>
    ModulusHash,

    /// <summary>To one destination by chance.</summary>
    Random,

    /// <summary>To one queue by chance.</summary>
    LocalRandom,
}

/// <summary>An exchange as it was declared, with its bindings arranged for matching. Immutable: a change makes another.</summary>
public sealed record Exchange(
    Utf8Name Name, ExchangeType Type, bool IsDurable, bool IsAutoDelete, bool IsInternal, ArgumentTable Arguments, IBindingTable Bindings)
{
    /// <summary>The argument that names an alternate exchange.</summary>
    public const string AlternateExchangeArgument = "alternate-exchange";

    /// <summary>Where messages go that match no binding, or null.</summary>
    public Utf8Name? AlternateExchange { get; } =
        Arguments.TryGetText(AlternateExchangeArgument, out string? name) ? new Utf8Name(name) : default(Utf8Name?);

    /// <summary>An exchange of that declaration without bindings.</summary>
    public static Exchange Create(Utf8Name name, ExchangeType type, bool durable, bool autoDelete, bool isInternal, ArgumentTable arguments) =>
        new(name, type, durable, autoDelete, isInternal, arguments, BindingTable.Empty(type, arguments));
}

/// <summary>The names of exchange types on the wire.</summary>
public static class ExchangeTypeNames
{
    // In the order of the enumeration.
    private static readonly string[] Names =
        ["direct", "fanout", "topic", "headers", "x-consistent-hash", "x-modulus-hash", "x-random", "x-local-random"];

    // What RabbitMQ or its plugins have and later versions of Harrier will.
    private static readonly string[] NotBuilt =
        ["x-recent-history", "x-delayed-message", "x-message-deduplication", "x-jms-topic"];

    public static string NameOf(ExchangeType type) => Names[(int)type];

    /// <summary>The type of that name; throws 406 when there is none (behaviour note 39).</summary>
    public static ExchangeType Parse(string name)
    {
        int index = Array.IndexOf(Names, name);
        if (index >= 0) return (ExchangeType)index;
        throw NotBuilt.Contains(name) ? ErrorCatalogue.ExchangeTypeNotBuilt(name) : ErrorCatalogue.UnknownExchangeType(name);
    }
}
