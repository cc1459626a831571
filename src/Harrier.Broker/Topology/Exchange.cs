using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
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

    /// <summary>Another type, with delays.</summary>
    Delayed,

    /// <summary>To all, each key once.</summary>
    Deduplication,

    /// <summary>To all, and to queues that are bound later.</summary>
    RecentHistory,
}

/// <summary>An exchange as it was declared, with its bindings arranged for matching. Immutable: a change makes another.</summary>
public sealed record Exchange(
    Utf8Name Name, ExchangeType Type, bool IsDurable, bool IsAutoDelete, bool IsInternal, ArgumentTable Arguments, IBindingTable Bindings)
{
    /// <summary>The argument that names an alternate exchange.</summary>
    public const string AlternateExchangeArgument = "alternate-exchange";

    /// <summary>The argument that has it honour x-delay headers, as publishers' delays are called.</summary>
    public const string DelayArgument = "x-delayed-exchange";

    /// <summary>The same as a key of policies.</summary>
    public const string DelayPolicyKey = "delayed-message";

    /// <summary>Where messages go that match no binding, or null: by argument, else by policy.</summary>
    public Utf8Name? AlternateExchange { get; private init; } = NameIn(Arguments, AlternateExchangeArgument);

    /// <summary>Whether messages wait for as long as their x-delay header says: by argument or policy.</summary>
    public bool DelaysMessages { get; private init; } = Type == ExchangeType.Delayed || IsTrue(Arguments, DelayArgument);

    /// <summary>Whether a message with the key of another, shortly before, goes nowhere.</summary>
    public bool DeduplicatesMessages { get; } = Type == ExchangeType.Deduplication || IsTrue(Arguments, ExchangeArguments.Deduplication);

    /// <summary>Whether messages may have to wait before they are routed.</summary>
    public bool StagesMessages => DelaysMessages || DeduplicatesMessages;

    /// <summary>The queue in which its messages wait; null while none had to.</summary>
    public Queue? Staging { get; internal init; }

    /// <summary>The queue that keeps its last messages for others; null for types that keep none.</summary>
    public Queue? History { get; internal init; }

    /// <summary>The type that its bindings are matched as.</summary>
    public ExchangeType MatchedType => ExchangeArguments.MatchedType(Type, Arguments);

    /// <summary>An exchange of that declaration without bindings.</summary>
    public static Exchange Create(Utf8Name name, ExchangeType type, bool durable, bool autoDelete, bool isInternal, ArgumentTable arguments) =>
        new(name, type, durable, autoDelete, isInternal, arguments, BindingTable.Empty(ExchangeArguments.MatchedType(type, arguments), arguments));

    /// <summary>The exchange as it is under the keys of a policy, in place of those it was under.</summary>
    internal Exchange With(ArgumentTable policy) => this with
    {
        AlternateExchange = NameIn(Arguments, AlternateExchangeArgument) ?? NameIn(policy, AlternateExchangeArgument),
        DelaysMessages = Type == ExchangeType.Delayed || IsTrue(Arguments, DelayArgument) || IsTrue(policy, DelayPolicyKey),
    };

    private static Utf8Name? NameIn(ArgumentTable table, string key) => table.TryGetText(key, out string? name) ? new Utf8Name(name) : default(Utf8Name?);

    private static bool IsTrue(ArgumentTable table, string key) => table.Find(key) is { Kind: ArgumentKind.Boolean, Integer: not 0 };
}

/// <summary>The names of exchange types on the wire.</summary>
public static class ExchangeTypeNames
{
    // In the order of the enumeration.
    private static readonly string[] Names =
    [
        "direct", "fanout", "topic", "headers", "x-consistent-hash", "x-modulus-hash", "x-random", "x-local-random", "x-delayed-message",
        "x-message-deduplication", "x-recent-history",
    ];

    // What RabbitMQ or its plugins have and later versions of Harrier will.
    private static readonly string[] NotBuilt =
        ["x-jms-topic"];

    public static string NameOf(ExchangeType type) => Names[(int)type];

    /// <summary>The type of that name, or null when there is none.</summary>
    public static ExchangeType? Find(string name) => Array.IndexOf(Names, name) is >= 0 and int index ? (ExchangeType)index : null;

    /// <summary>The type of that name; throws 406 when there is none (behaviour note 39).</summary>
    public static ExchangeType Parse(string name)
    {
        if (Find(name) is { } type) return type;
        throw NotBuilt.Contains(name) ? ErrorCatalogue.ExchangeTypeNotBuilt(name) : ErrorCatalogue.UnknownExchangeType(name);
    }
}
