using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// The rules for the arguments of a queue declaration (behaviour section 1.3): which there are, for which queue type, with which values. Unknown ones are
/// kept and ignored, as RabbitMQ does. What they come to is <see cref="SettingsMerge"/>'s.
/// </summary>
internal static class QueueArguments
{
    public const string TypeArgument = "x-queue-type";
    public const string DeadLetterExchange = "x-dead-letter-exchange";

    /// <summary>The argument that names the header with the key, and the header when there is no such argument.</summary>
    public const string DeduplicationHeader = "x-deduplication-header";

    /// <summary>Ten years, the longest time that RabbitMQ accepts.</summary>
    public const long TimeMsMax = 315_360_000_000;

    /// <summary>Keys that a deduplicating queue remembers unless it is told otherwise.</summary>
    public const int CacheSizeDefault = 10_000;

    /// <summary>Keys that it remembers at most: they are in memory.</summary>
    public const int CacheSizeMax = 1_000_000;

    private const string DeadLetterRoutingKey = "x-dead-letter-routing-key";
    private const string DelayedRetryType = "x-delayed-retry-type";

    private static readonly string[] OverflowNames = ["drop-head", "reject-publish", "reject-publish-dlx"];
    private static readonly string[] DelayedRetryNames = ["disabled", "all", "failed", "returned"];

    // In RabbitMQ's order: of two invalid arguments the first one is named.
    private static readonly OrderedDictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        ["x-expires"] = new(QueueTypes.Both, v => Range(v, 1, TimeMsMax)),
        ["x-message-ttl"] = new(QueueTypes.Both, v => Range(v, 0, TimeMsMax)),
        [DeadLetterExchange] = new(QueueTypes.Both, Name),
        [DeadLetterRoutingKey] = new(QueueTypes.Both, Name),
        ["x-dead-letter-strategy"] = new(QueueTypes.Quorum, v => OneOf(v, "invalid_dlx_strategy", "at-most-once", "at-least-once")),
        ["x-max-length"] = new(QueueTypes.Both, v => Range(v, 0, long.MaxValue)),
        ["x-max-length-bytes"] = new(QueueTypes.All, v => Range(v, 0, long.MaxValue)),
        ["x-max-in-memory-length"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        ["x-max-in-memory-bytes"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        ["x-max-priority"] = new(QueueTypes.Classic, Priority),
        ["x-overflow"] = new(QueueTypes.Both, v => OneOf(v, "invalid_overflow", Overflows)),
        ["x-queue-mode"] = new(QueueTypes.None, _ => null),
        ["x-queue-version"] = new(QueueTypes.Classic, Version),
        ["x-single-active-consumer"] = new(QueueTypes.Both, Boolean),
        [TypeArgument] = new(QueueTypes.All, _ => null),
        ["x-quorum-initial-group-size"] = new(QueueTypes.Quorum, v => Range(v, 1, long.MaxValue)),
        ["x-quorum-target-group-size"] = new(QueueTypes.Quorum, v => Range(v, 1, long.MaxValue)),
        ["x-max-age"] = new(QueueTypes.Stream, _ => null),
        ["x-stream-max-segment-size-bytes"] = new(QueueTypes.Stream, _ => null),
        ["x-stream-filter-size-bytes"] = new(QueueTypes.Stream, _ => null),
        ["x-initial-cluster-size"] = new(QueueTypes.Stream, _ => null),
        ["x-queue-leader-locator"] = new(QueueTypes.All, Locator),
        ["x-queue-master-locator"] = new(QueueTypes.Classic, Locator),
        ["x-delivery-limit"] = new(QueueTypes.Quorum, v => Range(v, long.MinValue, long.MaxValue)),
        ["x-consumer-timeout"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        ["x-consumer-disconnected-timeout"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        [DelayedRetryType] = new(QueueTypes.Quorum, v => OneOf(v, "invalid_delayed_retry_type", DelayedRetryTypes)),
        ["x-delayed-retry-min"] = new(QueueTypes.Quorum, v => Range(v, 1, TimeMsMax)),
        ["x-delayed-retry-max"] = new(QueueTypes.Quorum, v => Range(v, 1, TimeMsMax)),
        ["x-message-deduplication"] = new(QueueTypes.Both, Boolean),
        ["x-cache-size"] = new(QueueTypes.Both, v => Range(v, 1, CacheSizeMax)),
        ["x-cache-ttl"] = new(QueueTypes.Both, v => Range(v, 1, TimeMsMax)),
        [DeduplicationHeader] = new(QueueTypes.Both, v => Name(v) ?? (v.Content.IsEmpty ? "invalid_deduplication_header" : null)),
    };

    [Flags]
    private enum QueueTypes
    {
        None = 0,
        Classic = 1,
        Quorum = 2,
        Stream = 4,
        Both = Classic | Quorum,
        All = Both | Stream,
    }

    /// <summary>What a full queue may do.</summary>
    public static ReadOnlySpan<string> Overflows => OverflowNames;

    /// <summary>Which returned messages may wait.</summary>
    public static ReadOnlySpan<string> DelayedRetryTypes => DelayedRetryNames;

    /// <summary>Whether queues of that type know an argument.</summary>
    public static bool IsFor(QueueType type, string argument) => Rules.TryGetValue(argument, out Rule? rule) && rule.AllowedFor.HasFlag(Types(type));

    /// <summary>The exchange that a declaration names for dead letters, or null; throws when it is no name. RabbitMQ asks for that first of all.</summary>
    public static Utf8Name? FindDeadLetterExchange(string name, string vhost, ArgumentTable arguments)
    {
        if (!arguments.TryGet(DeadLetterExchange, out ArgumentValue value)) return null;
        if (value.Kind != ArgumentKind.Text) throw ErrorCatalogue.InvalidArgumentType(value.TypeName, DeadLetterExchange, ErrorCatalogue.Queue(name, vhost));
        return new Utf8Name(value.Content);
    }

    /// <summary>Checks a declaration; answers the queue type that it asks for. Throws what RabbitMQ would.</summary>
    public static QueueType Validate(string name, string vhost, ArgumentTable arguments)
    {
        FindDeadLetterExchange(name, vhost, arguments);
        QueueType type = TypeOf(name, vhost, arguments);
        foreach (Argument argument in arguments)
        {
            if (Rules.TryGetValue(argument.Name, out Rule? rule) && !rule.AllowedFor.HasFlag(Types(type)))
                throw ErrorCatalogue.ArgumentNotForType(argument.Name, name, vhost, RabbitName(type));
        }
        foreach ((string argument, Rule rule) in Rules)
        {
            if (arguments.TryGet(argument, out ArgumentValue value) && (rule.Check(value) ?? Context(argument, arguments)) is { } detail)
                throw ErrorCatalogue.InvalidQueueArgument(argument, name, vhost, detail);
        }
        if (DelayedRetryArguments.Check(arguments, "x-") is { } conflict) throw ErrorCatalogue.InvalidQueueArgument(DelayedRetryType, name, vhost, conflict);
        return type;
    }

    /// <summary>The first of some arguments that no queue could have, and why not; null when they are all right.</summary>
    public static (string Argument, string Detail)? FirstInvalid(ArgumentTable arguments)
    {
        foreach (Argument argument in arguments)
            if (Rules.TryGetValue(argument.Name, out Rule? rule) && rule.Check(argument.Value) is { } detail) return (argument.Name, detail);
        return null;
    }

    /// <summary>Refuses a declaration whose arguments differ from those the queue has (note 33). Only those that its type knows count.</summary>
    public static void AssertEquivalent(Queue queue, ArgumentTable received)
    {
        foreach ((string name, Rule rule) in Rules)
        {
            if (!rule.AllowedFor.HasFlag(Types(queue.Definition.Type))) continue;
            ArgumentValue? current = queue.Definition.Arguments.Find(name), wanted = received.Find(name);
            // To say "classic" is to say what is the default anyway.
            bool isDefaultType = name == TypeArgument && IsClassic(current) && IsClassic(wanted);
            if (isDefaultType || current.Equals(wanted)) continue;
            throw ErrorCatalogue.Inequivalent(name, ErrorCatalogue.Queue(queue.NameText, queue.VirtualHost), wanted, current);
        }
    }

    /// <summary>The name that error texts give a queue type.</summary>
    public static string RabbitName(QueueType type) => type == QueueType.Quorum ? "rabbit_quorum_queue" : "rabbit_classic_queue";

    private static bool IsClassic(ArgumentValue? type) => type is not { } named || named.Text == "classic";

    private static QueueTypes Types(QueueType type) => type == QueueType.Quorum ? QueueTypes.Quorum : QueueTypes.Classic;

    private static QueueType TypeOf(string name, string vhost, ArgumentTable arguments)
    {
        if (!arguments.TryGet(TypeArgument, out ArgumentValue value)) return QueueType.Classic;
        if (value.Kind != ArgumentKind.Text) throw ErrorCatalogue.InvalidQueueArgument(TypeArgument, name, vhost, UnacceptableType(value));
        return value.Text switch
        {
            "classic" => QueueType.Classic,
            "quorum" => QueueType.Quorum,
            "stream" => throw ErrorCatalogue.QueueTypeNotBuilt(value.Text, name, vhost),
            _ => throw ErrorCatalogue.InvalidQueueArgument(TypeArgument, name, vhost, $"\"unsupported queue type '{value.Text}'\""),
        };
    }

    // What an argument that is valid by itself needs of others.
    private static string? Context(string argument, ArgumentTable arguments) =>
        argument == DeadLetterRoutingKey && arguments.Find(DeadLetterExchange) is null ? "routing_key_but_no_dlx_defined" : null;

    private static string? Range(ArgumentValue value, long min, long max)
    {
        if (!value.IsInteger) return NotInteger(value);
        if (value.Integer == 0 && min > 0) return "{value_zero,0}";
        if (value.Integer < min) return $"{{value_negative,{value.Integer}}}";
        return value.Integer > max ? $"{{value_too_large,{value.Integer}}}" : null;
    }

    private static string? Priority(ArgumentValue value) =>
        Range(value, 0, long.MaxValue) ?? (value.Integer > byte.MaxValue ? $"{{max_value_exceeded,{value.Integer}}}" : null);

    private static string? Boolean(ArgumentValue value) => value.Kind == ArgumentKind.Boolean ? null : UnacceptableType(value);

    private static string? OneOf(ArgumentValue value, string detail, params ReadOnlySpan<string> allowed)
    {
        if (value.Kind != ArgumentKind.Text) return UnacceptableType(value);
        return allowed.Contains(value.Text) ? null : detail;
    }

    private static string? Locator(ArgumentValue value) =>
        OneOf(value, "invalid_queue_locator_arg", "client-local", "balanced", "random", "least-leaders", "min-masters");

    private static string? Version(ArgumentValue value)
    {
        if (Range(value, 0, long.MaxValue) is { } detail) return detail;
        return value.Integer == 2 ? null : $"\"unsupported queue version '{value.Integer}'\"";
    }

    // What becomes a name or a routing key of a message must fit one; RabbitMQ finds that out later.
    private static string? Name(ArgumentValue value)
    {
        if (value.Kind != ArgumentKind.Text) return UnacceptableType(value);
        return value.Content.Length <= Utf8Name.SizeMax ? null : $"{{value_too_large,{value.Content.Length}}}";
    }

    // RabbitMQ shows texts of its own with their quotes, and other terms as they are.
    private static string NotInteger(ArgumentValue value) => $"\"expected integer, got {value.TypeName}\"";

    private static string UnacceptableType(ArgumentValue value) => $"{{unacceptable_type,{value.TypeName}}}";

    /// <param name="AllowedFor">The queue types that know it.</param>
    /// <param name="Check">Null when the value is valid, else the detail of the error.</param>
    private sealed record Rule(QueueTypes AllowedFor, Func<ArgumentValue, string?> Check);
}
