using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>What a queue's arguments, a policy and an operator policy come to: the table of behaviour section 1.5, row by row.</summary>
public class SettingsMergeTests
{
    [Fact]
    public void A_classic_queue_asks_for_nothing() => Merge(QueueType.Classic).ShouldBe(QueueSettings.None);

    [Fact]
    public void A_quorum_queue_has_priorities_a_delivery_limit_and_a_consumer_timeout() => Merge(QueueType.Quorum).ShouldBe(new QueueSettings
    {
        PriorityMax = 31,
        PriorityDefault = 4,
        DeliveryLimit = 20,
        ConsumerTimeoutMs = 1_800_000,
    });

    [Fact]
    public void Every_argument_of_a_classic_queue_is_a_setting() =>
        Merge(
            QueueType.Classic,
            "x-message-ttl=1 x-expires=2 x-dead-letter-exchange=d x-dead-letter-routing-key=k x-max-length=3 x-max-length-bytes=4 x-overflow=reject-publish-dlx " +
            "x-max-priority=9 x-single-active-consumer=true x-message-deduplication=true x-cache-size=5 x-cache-ttl=6 x-deduplication-header=h")
        .ShouldBe(new QueueSettings
        {
            MessageTtlMs = 1,
            ExpiresMs = 2,
            DeadLetterExchange = "d",
            DeadLetterRoutingKey = "k",
            LengthMax = 3,
            BytesMax = 4,
            Overflow = Overflow.RejectPublishDeadLetter,
            PriorityMax = 9,
            HasSingleActiveConsumer = true,
            Deduplication = new DeduplicationWindow("h", 5, 6),
        });

    [Fact]
    public void Every_argument_of_a_quorum_queue_is_a_setting() =>
        Merge(
            QueueType.Quorum,
            "x-message-ttl=1 x-expires=2 x-dead-letter-exchange= x-dead-letter-strategy=at-least-once x-max-length=3 x-max-length-bytes=4 x-overflow=reject-publish " +
            "x-single-active-consumer=true x-delivery-limit=5 x-consumer-timeout=6 x-delayed-retry-type=failed x-delayed-retry-min=7 x-delayed-retry-max=8 " +
            "x-message-deduplication=true")
        .ShouldBe(new QueueSettings
        {
            MessageTtlMs = 1,
            ExpiresMs = 2,
            DeadLetterExchange = "",
            KeepsUndeliveredDeadLetters = true,
            LengthMax = 3,
            BytesMax = 4,
            Overflow = Overflow.RejectPublish,
            PriorityMax = 31,
            PriorityDefault = 4,
            HasSingleActiveConsumer = true,
            DeliveryLimit = 5,
            ConsumerTimeoutMs = 6,
            DelayedRetry = DelayedRetry.Failed,
            DelayedRetryMinMs = 7,
            DelayedRetryMaxMs = 8,
            Deduplication = new DeduplicationWindow("x-deduplication-header", 10_000, null),
        });

    [Theory]
    [InlineData("message-ttl")]
    [InlineData("expires")]
    [InlineData("max-length")]
    [InlineData("max-length-bytes")]
    public void Of_limits_the_lowest_applies_whoever_asks_for_it(string key)
    {
        foreach (QueueType type in Enum.GetValues<QueueType>())
        {
            Limit(key, Merge(type, $"x-{key}=5")).ShouldBe(5);
            Limit(key, Merge(type, "", $"{key}=6")).ShouldBe(6);
            Limit(key, Merge(type, "", "", $"{key}=7")).ShouldBe(7);
            Limit(key, Merge(type, $"x-{key}=5", $"{key}=6", $"{key}=7")).ShouldBe(5);
            Limit(key, Merge(type, $"x-{key}=7", $"{key}=5", $"{key}=6")).ShouldBe(5);
            Limit(key, Merge(type, $"x-{key}=7", $"{key}=6", $"{key}=5")).ShouldBe(5);
        }
    }

    [Theory]
    [InlineData(QueueType.Classic, "drop-head", "reject-publish", "", Overflow.DropHead)]
    [InlineData(QueueType.Classic, "", "reject-publish-dlx", "", Overflow.RejectPublishDeadLetter)]
    [InlineData(QueueType.Classic, "", "drop-head", "reject-publish", Overflow.RejectPublish)]
    [InlineData(QueueType.Classic, "reject-publish", "", "drop-head", Overflow.RejectPublish)]
    [InlineData(QueueType.Quorum, "drop-head", "reject-publish", "", Overflow.RejectPublish)]
    [InlineData(QueueType.Quorum, "reject-publish", "", "", Overflow.RejectPublish)]
    [InlineData(QueueType.Quorum, "reject-publish", "reject-publish", "drop-head", Overflow.DropHead)]
    [InlineData(QueueType.Quorum, "reject-publish-dlx", "", "", Overflow.DropHead)]
    [InlineData(QueueType.Quorum, "reject-publish", "reject-publish-dlx", "", Overflow.DropHead)]
    public void Of_overflows_the_argument_wins_on_classic_queues_and_the_policy_on_quorum_queues(
        QueueType type, string argument, string policy, string ofOperator, Overflow expected) =>
        Merge(type, Field("x-overflow", argument), Field("overflow", policy), Field("overflow", ofOperator)).Overflow.ShouldBe(expected);

    [Theory]
    [InlineData(QueueType.Classic)]
    [InlineData(QueueType.Quorum)]
    public void Of_dead_letter_names_the_argument_wins(QueueType type)
    {
        QueueSettings both = Merge(type, "x-dead-letter-exchange=a", "dead-letter-exchange=p dead-letter-routing-key=k");
        (both.DeadLetterExchange, both.DeadLetterRoutingKey).ShouldBe((new Utf8Name("a"), new Utf8Name("k")));
        Merge(type, "x-dead-letter-exchange=a x-dead-letter-routing-key=b", "dead-letter-routing-key=k").DeadLetterRoutingKey.ShouldBe(new Utf8Name("b"));
        Merge(type, "", "dead-letter-exchange=p").DeadLetterExchange.ShouldBe(new Utf8Name("p"));
    }

    [Theory]
    [InlineData("at-most-once", "at-least-once", "d", "reject-publish", false)]
    [InlineData("at-least-once", "at-most-once", "d", "reject-publish", true)]
    [InlineData("", "at-least-once", "d", "reject-publish", true)]
    [InlineData("at-least-once", "", "d", "drop-head", false)]
    [InlineData("at-least-once", "", "d", "reject-publish-dlx", false)]
    [InlineData("at-least-once", "", "", "reject-publish", false)]
    public void Note_102_dead_letters_are_kept_only_where_nothing_else_is_dropped(string argument, string policy, string exchange, string overflow, bool expected) =>
        Merge(
            QueueType.Quorum, $"x-overflow={overflow} {Field("x-dead-letter-exchange", exchange)} {Field("x-dead-letter-strategy", argument)}",
            Field("dead-letter-strategy", policy))
        .KeepsUndeliveredDeadLetters.ShouldBe(expected);

    [Theory]
    [InlineData("", "", "", 20)]
    [InlineData("5", "", "", 5)]
    [InlineData("5", "9", "", 5)]
    [InlineData("9", "5", "", 5)]
    [InlineData("50", "", "", 50)]
    [InlineData("-1", "", "", null)]
    [InlineData("-1", "5", "", 5)]
    [InlineData("5", "-1", "", 5)]
    [InlineData("-1", "-2", "", null)]
    [InlineData("", "9", "7", 7)]
    [InlineData("", "-1", "7", 7)]
    [InlineData("", "7", "-1", 7)]
    [InlineData("6", "9", "-1", 6)]
    [InlineData("0", "", "", 0)]
    [InlineData("9223372036854775807", "", "", int.MaxValue)]
    public void Of_delivery_limits_the_lowest_applies_that_is_one(string argument, string policy, string ofOperator, int? expected) =>
        Merge(QueueType.Quorum, Field("x-delivery-limit", argument), Field("delivery-limit", policy), Field("delivery-limit", ofOperator))
            .DeliveryLimit.ShouldBe(expected);

    [Theory]
    [InlineData(QueueType.Quorum, "", "", 1_800_000L)]
    [InlineData(QueueType.Quorum, "5000000", "", 5_000_000L)]
    [InlineData(QueueType.Quorum, "5", "6", 5L)]
    [InlineData(QueueType.Quorum, "6", "5", 5L)]
    [InlineData(QueueType.Quorum, "0", "", null)]
    [InlineData(QueueType.Quorum, "9223372036854775807", "", 315_360_000_000L)]
    [InlineData(QueueType.Classic, "", "", null)]
    [InlineData(QueueType.Classic, "", "5", 5L)]
    public void Of_consumer_timeouts_the_lower_applies_and_none_at_all_is_none(QueueType type, string argument, string policy, long? expected) =>
        Merge(type, Field("x-consumer-timeout", argument), Field("consumer-timeout", policy)).ConsumerTimeoutMs.ShouldBe(expected);

    [Theory]
    [InlineData("all 5 9", "", "", DelayedRetry.All, 5, 9)]
    [InlineData("all 5 9", "returned 1 2", "", DelayedRetry.Returned, 1, 2)]
    [InlineData("all 5 9", "disabled", "", DelayedRetry.Disabled, 0, 0)]
    [InlineData("", "failed 7", "", DelayedRetry.Failed, 7, 315_360_000_000)]
    [InlineData("", "failed 7 9", "all 5 8", DelayedRetry.All, 5, 8)]
    [InlineData("", "failed 7 9", "disabled", DelayedRetry.Disabled, 0, 0)]
    [InlineData("all 5 9", "failed 20", "", DelayedRetry.Failed, 20, 20)]
    public void Of_delayed_retries_the_policy_wins(string argument, string policy, string ofOperator, DelayedRetry type, long minMs, long maxMs)
    {
        QueueSettings merged = Merge(QueueType.Quorum, Retry("x-", argument), Retry("", policy), Retry("", ofOperator));
        (merged.DelayedRetry, merged.DelayedRetryMinMs, merged.DelayedRetryMaxMs).ShouldBe((type, minMs, maxMs));
    }

    [Fact]
    public void Times_end_after_ten_years_and_sizes_at_the_cap()
    {
        QueueSettings merged = Merge(QueueType.Classic, "x-message-deduplication=true x-cache-size=99999999 x-cache-ttl=999999999999999", "message-ttl=9223372036854775807");
        merged.MessageTtlMs.ShouldBe(315_360_000_000);
        merged.Deduplication.ShouldBe(new DeduplicationWindow("x-deduplication-header", 1_000_000, 315_360_000_000));
    }

    [Fact]
    public void What_an_older_version_let_pass_is_taken_as_absent()
    {
        Merge(QueueType.Classic, "x-delivery-limit=5 x-consumer-timeout=5 x-max-length=many x-message-deduplication=true x-cache-size=many").ShouldBe(
            new QueueSettings { Deduplication = new DeduplicationWindow("x-deduplication-header", 10_000, null) });
        Merge(QueueType.Quorum, "x-max-priority=9").ShouldBe(Merge(QueueType.Quorum));
    }

    [Fact]
    public void An_operator_bounds_what_a_user_asks_for()
    {
        Effective("max-length=5 overflow=drop-head queue-version=1", "max-length=9 overflow=reject-publish queue-version=2 message-ttl=1")
            .ShouldBe("max-length=5 message-ttl=1 overflow=reject-publish queue-version=2");
        Effective("delivery-limit=-1 target-group-size=5 expires=9", "delivery-limit=50 target-group-size=3 expires=8")
            .ShouldBe("delivery-limit=50 expires=8 target-group-size=3");
        Effective("max-length=5", "").ShouldBe("max-length=5");
        Effective("", "max-length=5").ShouldBe("max-length=5");
        Effective("", "").ShouldBe("");
    }

    private static QueueSettings Merge(QueueType type, string arguments = "", string policy = "", string ofOperator = "") =>
        SettingsMerge.Merge(
            new QueueDefinition("q", type, true, false, false, Drafts.Table(arguments)),
            new EffectivePolicy(Create(PolicyKind.User, policy), Create(PolicyKind.Operator, ofOperator)));

    private static string Effective(string policy, string ofOperator) =>
        Drafts.Text(new EffectivePolicy(Create(PolicyKind.User, policy), Create(PolicyKind.Operator, ofOperator)).Definition);

    private static Policy? Create(PolicyKind kind, string definition)
    {
        if (definition.Length == 0) return null;
        Policy.TryCreate(kind, Drafts.Of(definition), out Policy? policy, out string? refusal).ShouldBeTrue(refusal);
        return policy;
    }

    private static string Field(string name, string value) => value.Length == 0 ? "" : $"{name}={value}";

    private static string Retry(string prefix, string words)
    {
        string[] parts = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', parts.Zip((string[])["type", "min", "max"], (value, part) => $"{prefix}delayed-retry-{part}={value}"));
    }

    private static long? Limit(string key, QueueSettings settings) => key switch
    {
        "message-ttl" => settings.MessageTtlMs,
        "expires" => settings.ExpiresMs,
        "max-length" => settings.LengthMax,
        _ => settings.BytesMax,
    };
}
