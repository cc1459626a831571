using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Policies;

/// <summary>
/// What applies to a queue, of its arguments and policies (behaviour section 1.5 has which of the two wins). Both were checked when they came; what an older
/// version let pass is taken as absent.
/// </summary>
internal static class SettingsMerge
{
    public const int QuorumPriorityMax = 31;
    public const int QuorumPriorityDefault = 4;
    public const int QuorumDeliveryLimit = 20;
    public const long QuorumConsumerTimeoutMs = 1_800_000;

    public static QueueSettings Merge(QueueDefinition queue, EffectivePolicy policy)
    {
        var common = new QueueSettings
        {
            MessageTtlMs = Lower(queue, policy, "message-ttl", QueueArguments.TimeMsMax),
            ExpiresMs = Lower(queue, policy, "expires", QueueArguments.TimeMsMax),
            LengthMax = Lower(queue, policy, "max-length"),
            BytesMax = Lower(queue, policy, "max-length-bytes"),
            DeadLetterExchange = Name(queue, policy, "dead-letter-exchange"),
            DeadLetterRoutingKey = Name(queue, policy, "dead-letter-routing-key"),
            ConsumerTimeoutMs = Lower(queue, policy, "consumer-timeout", QueueArguments.TimeMsMax),
            HasSingleActiveConsumer = IsTrue(queue, "x-single-active-consumer"),
            Deduplication = DeduplicationOf(queue.Arguments),
        };
        QueueSettings merged = queue.Type == QueueType.Quorum ? OfQuorum(common, queue, policy) : OfClassic(common, queue, policy);
        return merged.ConsumerTimeoutMs == 0 ? merged with { ConsumerTimeoutMs = null } : merged; // no time at all would leave no time to acknowledge
    }

    private static QueueSettings OfClassic(QueueSettings common, QueueDefinition queue, EffectivePolicy policy) => common with
    {
        Overflow = ParseOverflow(Argument(queue, "overflow") ?? policy.Definition.Find("overflow")),
        PriorityMax = (int)Math.Clamp(Whole(Argument(queue, "max-priority")) ?? 0, 0, byte.MaxValue),
    };

    private static QueueSettings OfQuorum(QueueSettings common, QueueDefinition queue, EffectivePolicy policy)
    {
        Overflow overflow = ParseOverflow(PolicyFirst(queue, policy, "overflow"));
        if (overflow == Overflow.RejectPublishDeadLetter) overflow = Overflow.DropHead; // as in RabbitMQ: the type does not have it
        ArgumentValue? strategy = Argument(queue, "dead-letter-strategy") ?? policy.Definition.Find("dead-letter-strategy");
        long limit = DeliveryLimit(queue, policy) ?? QuorumDeliveryLimit;
        return WithDelayedRetry(queue, policy, common with
        {
            Overflow = overflow,
            // A queue that may drop what waits for its dead letter could not keep the promise (note 102).
            KeepsUndeliveredDeadLetters = strategy is { Text: "at-least-once" } && overflow == Overflow.RejectPublish && common.DeadLetterExchange is not null,
            PriorityMax = QuorumPriorityMax,
            PriorityDefault = QuorumPriorityDefault,
            DeliveryLimit = limit < 0 ? null : (int)Math.Min(limit, int.MaxValue),
            ConsumerTimeoutMs = common.ConsumerTimeoutMs ?? QuorumConsumerTimeoutMs,
        });
    }

    private static QueueSettings WithDelayedRetry(QueueDefinition queue, EffectivePolicy policy, QueueSettings settings)
    {
        DelayedRetry type = PolicyFirst(queue, policy, "delayed-retry-type")?.Text switch
        {
            "all" => DelayedRetry.All,
            "failed" => DelayedRetry.Failed,
            "returned" => DelayedRetry.Returned,
            _ => DelayedRetry.Disabled,
        };
        // An operator's type may stand alone, where a user's policy has none and the arguments no delay.
        if (type == DelayedRetry.Disabled || Whole(PolicyFirst(queue, policy, "delayed-retry-min")) is not { } asked) return settings;
        long minMs = Math.Clamp(asked, 1, QueueArguments.TimeMsMax);
        long maxMs = Math.Clamp(Whole(PolicyFirst(queue, policy, "delayed-retry-max")) ?? QueueArguments.TimeMsMax, minMs, QueueArguments.TimeMsMax);
        return settings with { DelayedRetry = type, DelayedRetryMinMs = minMs, DelayedRetryMaxMs = maxMs };
    }

    private static long? DeliveryLimit(QueueDefinition queue, EffectivePolicy policy)
    {
        long? ofArgument = Whole(Argument(queue, "delivery-limit")), ofPolicy = Whole(policy.Definition.Find("delivery-limit"));
        return ofArgument is { } a && ofPolicy is { } p ? DeliveryLimits.Stricter(a, p) : ofArgument ?? ofPolicy;
    }

    private static DeduplicationWindow? DeduplicationOf(ArgumentTable arguments)
    {
        if (arguments.Find("x-message-deduplication") is not { Kind: ArgumentKind.Boolean, Integer: not 0 }) return null;
        string header = arguments.TryGetText(QueueArguments.DeduplicationHeader, out string? named) ? named : QueueArguments.DeduplicationHeader;
        long size = Whole(arguments.Find("x-cache-size")) ?? QueueArguments.CacheSizeDefault;
        long? timeMs = Whole(arguments.Find("x-cache-ttl"));
        return new DeduplicationWindow(
            header, (int)Math.Clamp(size, 1, QueueArguments.CacheSizeMax), timeMs is { } t ? Math.Clamp(t, 1, QueueArguments.TimeMsMax) : null);
    }

    private static Overflow ParseOverflow(ArgumentValue? value) => value?.Text switch
    {
        "reject-publish" => Overflow.RejectPublish,
        "reject-publish-dlx" => Overflow.RejectPublishDeadLetter,
        _ => Overflow.DropHead,
    };

    // Of what both ask for, the lower: neither a client nor an operator gets more than the other allows.
    private static long? Lower(QueueDefinition queue, EffectivePolicy policy, string key, long max = long.MaxValue)
    {
        long? ofArgument = Whole(Argument(queue, key)), ofPolicy = Whole(policy.Definition.Find(key));
        long? lower = ofArgument is { } a && ofPolicy is { } p ? Math.Min(a, p) : ofArgument ?? ofPolicy;
        return lower is { } found ? Math.Clamp(found, 0, max) : null;
    }

    private static Utf8Name? Name(QueueDefinition queue, EffectivePolicy policy, string key) =>
        (Argument(queue, key) ?? policy.Definition.Find(key)) is { Kind: ArgumentKind.Text } name ? new Utf8Name(name.Content) : default(Utf8Name?);

    private static ArgumentValue? PolicyFirst(QueueDefinition queue, EffectivePolicy policy, string key) =>
        policy.Definition.Find(key) ?? Argument(queue, key);

    private static ArgumentValue? Argument(QueueDefinition queue, string key) =>
        QueueArguments.IsFor(queue.Type, "x-" + key) ? queue.Arguments.Find("x-" + key) : null;

    private static bool IsTrue(QueueDefinition queue, string argument) =>
        queue.Arguments.Find(argument) is { Kind: ArgumentKind.Boolean, Integer: not 0 };

    private static long? Whole(ArgumentValue? value) => value is { IsInteger: true } whole ? whole.Integer : null;
}
