using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>The arguments of exchanges that keep messages: delays, deduplication, recent history. Their names are those of RabbitMQ's plugins.</summary>
internal static class ExchangeArguments
{
    public const string DelayedType = "x-delayed-type";
    public const string Deduplication = "x-message-deduplication";
    public const string HistoryLength = "x-recent-history-length";
    public const int HistoryLengthDefault = 20;

    // Messages are kept for queues that may never come; more is a queue's business.
    private const int HistoryLengthMax = 100_000;

    private static readonly string[] DeduplicationArguments = ["x-cache-size", "x-cache-ttl", "x-deduplication-header"];

    /// <summary>The type that bindings are matched as.</summary>
    public static ExchangeType MatchedType(ExchangeType type, ArgumentTable arguments) =>
        type == ExchangeType.Delayed && arguments.TryGetText(DelayedType, out string? name) && ExchangeTypeNames.Find(name) is { } matched ? matched : type;

    /// <summary>Throws 406 when an exchange of that type cannot have these arguments.</summary>
    public static void Validate(ExchangeType type, ArgumentTable arguments, string exchange)
    {
        if (type == ExchangeType.Delayed && MatchedType(type, arguments) is ExchangeType.Delayed or ExchangeType.RecentHistory or ExchangeType.Deduplication)
            throw ErrorCatalogue.InvalidDelayedType();
        if (type == ExchangeType.RecentHistory && arguments.TryGet(HistoryLength, out ArgumentValue length)
            && !(length.IsInteger && length.Integer is > 0 and <= HistoryLengthMax))
            throw ErrorCatalogue.InvalidHistoryLength();
        // What a queue that deduplicates would be refused, an exchange is refused too.
        if (type == ExchangeType.Deduplication || arguments.TryGet(Deduplication, out _))
        {
            if (QueueArguments.FirstInvalid(DeduplicationOf(arguments)) is { } found)
                throw ErrorCatalogue.InvalidExchangeArgument(found.Argument, exchange, found.Detail);
        }
    }

    /// <summary>The arguments of the queue that works for an exchange.</summary>
    public static ArgumentTable ServantArguments(Exchange exchange, QueueRole role)
    {
        if (role == QueueRole.History)
        {
            long length = exchange.Arguments.TryGet(HistoryLength, out ArgumentValue asked) ? asked.Integer : HistoryLengthDefault;
            return new ArgumentTable([new Argument("x-max-length", ArgumentValue.Of(length))]);
        }
        return exchange.DeduplicatesMessages ? DeduplicationOf(exchange.Arguments) : ArgumentTable.Empty;
    }

    /// <summary>The name of the queue that works for an exchange, in the part of names that clients cannot take.</summary>
    public static Utf8Name ServantName(Exchange exchange, QueueRole role) => new((role == QueueRole.History ? "amq.history." : "amq.staging.") + exchange.Name);

    private static ArgumentTable DeduplicationOf(ArgumentTable arguments) =>
        new([new Argument(Deduplication, arguments.Find(Deduplication) ?? ArgumentValue.Of(true)), .. arguments.Where(a => DeduplicationArguments.Contains(a.Name))]);
}
