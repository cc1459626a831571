using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>What is no policy is refused with the text that RabbitMQ has for it, and nothing changes.</summary>
public class PolicyRefusalTests
{
    private readonly TestBroker _broker = new();

    [Theory]
    [InlineData("alternate-exchange=5", "5 is not a valid alternate exchange name")]
    [InlineData("dead-letter-exchange=true", "true is not a valid dead letter exchange name")]
    [InlineData("dead-letter-routing-key=5", "5 is not a valid dead letter routing key")]
    [InlineData("dead-letter-strategy=z", "<<\"z\">> is not a valid dead letter strategy")]
    [InlineData("message-ttl=-1", "-1 is not a valid message TTL")]
    [InlineData("message-ttl=a", "<<\"a\">> is not a valid message TTL")]
    [InlineData("expires=0", "0 is not a valid queue expiry")]
    [InlineData("max-length=a", "<<\"a\">> is not a valid maximum length")]
    [InlineData("max-length-bytes=-1", "-1 is not a valid maximum length in bytes")]
    [InlineData("max-in-memory-length=-3", "-3 is not a valid maximum memory in bytes")]
    [InlineData("max-in-memory-bytes=-3", "-3 is not a valid maximum memory in bytes")]
    [InlineData("overflow=5", "5 is not a valid overflow value")]
    [InlineData("overflow=é", "<<\"é\"/utf8>> is not a valid overflow value")]
    [InlineData("delivery-limit=a", "<<\"a\">> is not a valid delivery limit")]
    [InlineData("consumer-timeout=-1", "-1 is not a valid consumer timeout")]
    [InlineData("consumer-disconnected-timeout=-1", "-1 is not a valid consumer disconnected timeout")]
    [InlineData("delayed-retry-type=some", "<<\"some\">> is not a valid delayed retry type")]
    [InlineData("delayed-retry-min=0", "0 is not a valid delayed retry min")]
    [InlineData("delayed-retry-max=0", "0 is not a valid delayed retry max")]
    [InlineData("delayed-retry-type=all", "delayed-retry-min is required when delayed-retry-type is all")]
    [InlineData("delayed-retry-min=9 delayed-retry-max=8", "delayed-retry-max (8) must be greater than or equal to delayed-retry-min (9)")]
    [InlineData("queue-mode=z", "<<\"z\">> is not a valid queue-mode value")]
    [InlineData("queue-version=3", "3 is not a valid queue-version value")]
    [InlineData("queue-leader-locator=z", "<<\"z\">> is not a valid queue leader locator value")]
    [InlineData("queue-master-locator=z", "<<\"z\">> is not a valid master locator")]
    [InlineData("target-group-size=0", "0 is not a valid qq target count value")]
    [InlineData("max-age=1W", "<<\"1W\">> is not a valid max age")]
    [InlineData("max-age=0D", "<<\"0D\">> is not a valid max age")]
    [InlineData("max-age=D", "<<\"D\">> is not a valid max age")]
    [InlineData("stream-max-segment-size-bytes=3500000000", "3500000000 is not a valid segment size")]
    [InlineData("stream-filter-size-bytes=15", "15 is not a valid filter size. Valid range is 16-255")]
    [InlineData("initial-cluster-size=-1", "-1 is not a valid cluster size")]
    [InlineData("delayed-message=1", "1 is not a valid delayed message value")]
    [InlineData("", "no policy provided")]
    [InlineData("z=1", "[{<<\"z\">>,1}] are not recognised policy settings")]
    [InlineData("z=1 max-length=1 b=\"\\", "[{<<\"b\">>,<<\"\\\"\\\\\">>},{<<\"z\">>,1}] are not recognised policy settings")]
    [InlineData("z=1 max-length=-1 expires=0", "0 is not a valid queue expiry")]
    [InlineData("max-length=1 max-length=2", "[<<\"max-length\">>] duplicate keys not allowed")]
    [InlineData("ha-mode=all", "[{<<\"ha-mode\">>,<<\"all\">>}] are not recognised policy settings")]
    public void A_key_that_is_unknown_or_ill_typed_is_refused(string definition, string text) => Refused(Drafts.Of(definition), text);

    [Theory]
    [InlineData("message-ttl=0")]
    [InlineData("expires=1")]
    [InlineData("max-length=0")]
    [InlineData("max-length-bytes=0")]
    [InlineData("max-in-memory-length=0")]
    [InlineData("max-in-memory-bytes=0")]
    [InlineData("overflow=reject-publish-dlx")]
    [InlineData("delivery-limit=-1")]
    [InlineData("delayed-retry-type=all delayed-retry-min=1 delayed-retry-max=1")]
    [InlineData("delayed-retry-type=disabled")]
    [InlineData("queue-version=2")]
    [InlineData("queue-master-locator=min-masters")]
    [InlineData("target-group-size=1")]
    public void What_users_and_operators_may_set_is_accepted_of_both(string definition)
    {
        _broker.Host.SetPolicy(Drafts.Of(definition)).ShouldBeNull();
        _broker.Host.SetOperatorPolicy(Drafts.Of(definition)).ShouldBeNull();
    }

    [Theory]
    [InlineData("alternate-exchange=a")]
    [InlineData("dead-letter-exchange=a")]
    [InlineData("dead-letter-routing-key=a")]
    [InlineData("dead-letter-strategy=at-least-once")]
    [InlineData("consumer-timeout=0")]
    [InlineData("consumer-disconnected-timeout=0")]
    [InlineData("queue-mode=lazy")]
    [InlineData("queue-leader-locator=balanced")]
    [InlineData("max-age=12h")]
    [InlineData("stream-max-segment-size-bytes=0")]
    [InlineData("stream-filter-size-bytes=255")]
    [InlineData("initial-cluster-size=0")]
    [InlineData("delayed-message=true")]
    public void What_only_users_may_set_is_unknown_of_operators(string definition)
    {
        _broker.Host.SetPolicy(Drafts.Of(definition)).ShouldBeNull();
        _broker.Host.SetOperatorPolicy(Drafts.Of(definition)).ShouldNotBeNull().ShouldEndWith(" are not recognised policy settings\n");
    }

    [Fact]
    public void Values_are_shown_as_erlang_terms()
    {
        var definition = new ArgumentTable(
            new Argument("a", ArgumentValue.Of([ArgumentValue.Of(1), ArgumentValue.Of(true), default, ArgumentValue.OfReal(ArgumentKind.Double, 1.5)])),
            new Argument("b", ArgumentValue.Of(Drafts.Table("x=1 y=z"))),
            new Argument("c", ArgumentValue.OfReal(ArgumentKind.Double, 2)));
        Refused(
            new PolicyDraft("p", "", "all", 0, definition),
            "[{<<\"a\">>,[1,true,null,1.5]},{<<\"b\">>,#{<<\"x\">> => 1,<<\"y\">> => <<\"z\">>}},{<<\"c\">>,2.0}] are not recognised policy settings");
    }

    [Theory]
    [InlineData("(", "{\"missing )\",1}")]
    [InlineData("[a", "{\"missing terminating ] for character class\",2}")]
    [InlineData("*", "{\"nothing to repeat\",")]
    [InlineData("a{2,1}", "{\"numbers out of order in {} quantifier\",")]
    [InlineData(")", "{\"unmatched parentheses\",")]
    [InlineData("[z-a]", "{\"range out of order in character class\",")]
    [InlineData("a\\", "{\"\\\\ at end of pattern\",")]
    [InlineData("(?<n", "{\"")]
    public void A_pattern_that_is_no_regular_expression_is_refused(string pattern, string reason) =>
        RefusalOf(Drafts.Of("max-length=5", pattern: pattern))
            .ShouldStartWith("Validation failed\n\npattern should be regular expression but is invalid: " + reason);

    [Fact]
    public void All_that_is_wrong_is_said_in_one_text()
    {
        string text = RefusalOf(Drafts.Of("z=1", pattern: "[a", applyTo: "nothing"));
        text.ShouldBe(
            "Validation failed\n\n[{<<\"z\">>,1}] are not recognised policy settings\n" +
            "apply-to 'nothing' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'\n" +
            "pattern should be regular expression but is invalid: {\"missing terminating ] for character class\",2}\n");
    }

    [Fact]
    public void Names_and_patterns_have_limits()
    {
        Refused(Drafts.Of("max-length=1", name: ""), "name should have 1 to 255 bytes");
        Refused(Drafts.Of("max-length=1", name: new string('é', 128)), "name should have 1 to 255 bytes");
        Refused(Drafts.Of("max-length=1", pattern: new string('a', 4097)), "pattern should have at most 4096 characters, actually has 4097");
        string name = new('a', 256);
        Refused(Drafts.Of($"dead-letter-routing-key={name}"), $"<<\"{name}\">> is not a valid dead letter routing key");
        _broker.Host.SetPolicy(Drafts.Of($"dead-letter-routing-key={name[1..]}", name: name[1..], pattern: new string('a', 4096))).ShouldBeNull();
    }

    private void Refused(PolicyDraft draft, string text) => RefusalOf(draft).ShouldBe($"Validation failed\n\n{text}\n");

    private string RefusalOf(PolicyDraft draft)
    {
        _broker.Host.SetPolicy(Drafts.Of("max-length=77", name: "p")).ShouldBeNull();
        Queue queue = _broker.Connect().Queue("q");
        VirtualHostTopology before = _broker.Host.Topology;
        QueueSettings settings = queue.Settings;
        string? ofUser = _broker.Host.SetPolicy(draft), ofOperator = _broker.Host.SetOperatorPolicy(draft);
        ofOperator.ShouldNotBeNull();
        _broker.Host.Topology.ShouldBeSameAs(before);
        queue.Settings.ShouldBeSameAs(settings);
        return ofUser.ShouldNotBeNull();
    }
}
