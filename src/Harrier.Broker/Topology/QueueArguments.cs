using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// The rules for the arguments of a queue declaration (behaviour section 1.3): which there are, for which queue type, with which values. Arguments
/// that are valid but not built yet are refused by name; unknown ones are kept and ignored, as RabbitMQ does.
/// </summary>
internal static class QueueArguments
{
    public const string TypeArgument = "x-queue-type";

    /// <summary>Ten years, the longest time that RabbitMQ accepts.</summary>
    private const long TimeMsMax = 315_360_000_000;

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        [TypeArgument] = new(QueueTypes.All, _ => null),
        ["x-expires"] = new(QueueTypes.Both, v => Range(v, 1, TimeMsMax), IsNotBuilt: true),
        ["x-message-ttl"] = new(QueueTypes.Both, v => Range(v, 0, TimeMsMax), IsNotBuilt: true),
        ["x-dead-letter-exchange"] = new(QueueTypes.Both, _ => null, IsNotBuilt: true, IsText: true),
        ["x-dead-letter-routing-key"] = new(QueueTypes.Both, _ => null, IsNotBuilt: true, IsText: true),
        ["x-dead-letter-strategy"] = new(QueueTypes.Quorum, v => OneOf(v, "invalid_dlx_strategy", "at-most-once", "at-least-once"), IsNotBuilt: true),
        ["x-max-length"] = new(QueueTypes.Both, v => Range(v, 0, long.MaxValue), IsNotBuilt: true),
        ["x-max-length-bytes"] = new(QueueTypes.All, v => Range(v, 0, long.MaxValue), IsNotBuilt: true),
        ["x-overflow"] = new(QueueTypes.Both, v => OneOf(v, "invalid_overflow", "drop-head", "reject-publish", "reject-publish-dlx"), IsNotBuilt: true),
        ["x-max-priority"] = new(QueueTypes.Classic, Priority, IsNotBuilt: true),
        ["x-single-active-consumer"] = new(QueueTypes.Both, Boolean, IsNotBuilt: true),
        ["x-queue-mode"] = new(QueueTypes.None, _ => null),
        ["x-queue-version"] = new(QueueTypes.Classic, Version),
        ["x-queue-leader-locator"] = new(QueueTypes.All, Locator),
        ["x-queue-master-locator"] = new(QueueTypes.Classic, Locator),
        ["x-delivery-limit"] = new(QueueTypes.Quorum, v => Range(v, long.MinValue, long.MaxValue), IsNotBuilt: true),
        ["x-quorum-initial-group-size"] = new(QueueTypes.Quorum, v => Range(v, 1, long.MaxValue)),
        ["x-quorum-target-group-size"] = new(QueueTypes.Quorum, v => Range(v, 1, long.MaxValue)),
        ["x-consumer-timeout"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue), IsNotBuilt: true),
        ["x-consumer-disconnected-timeout"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue), IsNotBuilt: true),
        ["x-delayed-retry-type"] =
            new(QueueTypes.Quorum, v => OneOf(v, "invalid_delayed_retry_type", "disabled", "all", "failed", "returned"), IsNotBuilt: true),
        ["x-delayed-retry-min"] = new(QueueTypes.Quorum, v => Range(v, 1, TimeMsMax), IsNotBuilt: true),
        ["x-delayed-retry-max"] = new(QueueTypes.Quorum, v => Range(v, 1, TimeMsMax), IsNotBuilt: true),
        ["x-max-in-memory-length"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        ["x-max-in-memory-bytes"] = new(QueueTypes.Quorum, v => Range(v, 0, long.MaxValue)),
        ["x-max-age"] = new(QueueTypes.Stream, _ => null),
        ["x-stream-max-segment-size-bytes"] = new(QueueTypes.Stream, _ => null),
        ["x-stream-filter-size-bytes"] = new(QueueTypes.Stream, _ => null),
        ["x-initial-cluster-size"] = new(QueueTypes.Stream, _ => null),
        ["x-message-deduplication"] = new(QueueTypes.Both, Boolean, IsNotBuilt: true),
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

    /// <summary>Checks a declaration; answers the queue type that it asks for. Throws what RabbitMQ would.</summary>
    public static QueueType Validate(string name, string vhost, ArgumentTable arguments)
    {
        QueueType type = TypeOf(name, vhost, arguments);
        foreach (Argument argument in arguments)
        {
            if (Rules.TryGetValue(argument.Name, out Rule? rule)) Validate(name, vhost, type, argument, rule);
        }
        if (arguments.TryGet("x-dead-letter-routing-key", out _) && !arguments.TryGet("x-dead-letter-exchange", out _))
            throw ErrorCatalogue.InvalidQueueArgument("x-dead-letter-routing-key", name, vhost, "routing_key_but_no_dlx_defined");
        foreach (Argument argument in arguments)
        {
            if (Rules.TryGetValue(argument.Name, out Rule? rule) && rule.IsNotBuilt && AsksForSomething(argument))
                throw ErrorCatalogue.ArgumentNotBuilt(argument.Name, name, vhost);
        }
        return type;
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
            _ => throw ErrorCatalogue.InvalidQueueArgument(TypeArgument, name, vhost, $"unsupported queue type '{value.Text}'"),
        };
    }

    private static void Validate(string name, string vhost, QueueType type, Argument argument, Rule rule)
    {
        if (!rule.AllowedFor.HasFlag(Types(type))) throw ErrorCatalogue.ArgumentNotForType(argument.Name, name, vhost, RabbitName(type));
        if (rule.IsText && argument.Value.Kind != ArgumentKind.Text)
            throw ErrorCatalogue.InvalidArgumentType(argument.Value.TypeName, argument.Name, ErrorCatalogue.Queue(name, vhost));
        if (rule.Check(argument.Value) is { } detail) throw ErrorCatalogue.InvalidQueueArgument(argument.Name, name, vhost, detail);
    }

    /// <summary>False for values that say "as if I were not here": no priorities (note 54), no single active consumer, the default overflow.</summary>
    private static bool AsksForSomething(Argument argument) => argument.Value.Kind switch
    {
        ArgumentKind.Boolean => argument.Value.Integer != 0,
        ArgumentKind.Text => argument.Value.Text is not ("drop-head" or "disabled") || argument.Name.StartsWith("x-dead-letter", StringComparison.Ordinal),
        _ => argument.Value.Integer != 0 || argument.Name != "x-max-priority",
    };

    private static string? Range(ArgumentValue value, long min, long max)
    {
        if (!value.IsInteger) return UnacceptableType(value);
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
        if (!value.IsInteger) return UnacceptableType(value);
        return value.Integer == 2 ? null : $"unsupported queue version '{value.Integer}'";
    }

    private static string UnacceptableType(ArgumentValue value) => $"{{unacceptable_type,{value.TypeName}}}";

    /// <param name="AllowedFor">The queue types that know it.</param>
    /// <param name="Check">Null when the value is valid, else the detail of the error.</param>
    /// <param name="IsNotBuilt">Whether a valid value is refused because a later version will implement it.</param>
    /// <param name="IsText">Whether another type than text has an error text of its own.</param>
    private sealed record Rule(QueueTypes AllowedFor, Func<ArgumentValue, string?> Check, bool IsNotBuilt = false, bool IsText = false);
}
