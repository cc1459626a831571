using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>Which policy applies to what, and when.</summary>
public class PolicyTests
{
    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public PolicyTests() => _session = _broker.Connect();

    [Theory]
    [InlineData("", "anything", true)]
    [InlineData("rde", "orders", true)]
    [InlineData("^rde", "orders", false)]
    [InlineData("^orders$", "orders", true)]
    [InlineData("^(?!amq\\.).*", "amq.gen-x", false)]
    [InlineData("^(?!amq\\.).*", "orders", true)]
    [InlineData("Orders", "orders", false)]
    public void A_pattern_may_match_anywhere_in_the_name(string pattern, string queue, bool expected)
    {
        Set("max-length=5", pattern: pattern);
        Definition(queue).ShouldBe(expected ? "max-length=5" : "");
    }

    [Theory]
    [InlineData("all", "classic quorum exchange")]
    [InlineData("queues", "classic quorum")]
    [InlineData("classic_queues", "classic")]
    [InlineData("quorum_queues", "quorum")]
    [InlineData("streams", "")]
    [InlineData("exchanges", "exchange")]
    public void A_policy_is_for_what_it_says(string applyTo, string expected)
    {
        _session.Exchange("exchange");
        Set("max-length=5", applyTo: applyTo);
        List<string> found = [];
        foreach (QueueType type in (QueueType[])[QueueType.Classic, QueueType.Quorum])
            if (Policies.For(new QueueDefinition("q", type, true, false, false, ArgumentTable.Empty)).Policy is not null) found.Add(type.ToString().ToLowerInvariant());
        if (Policies.For(_broker.Host.FindExchange("exchange")).Policy is not null) found.Add("exchange");
        string.Join(' ', found).ShouldBe(expected);
    }

    [Theory]
    [InlineData("delivery-limit=5 max-length=1", false, true)]
    [InlineData("dead-letter-strategy=at-least-once", false, true)]
    [InlineData("max-in-memory-length=5", false, true)]
    [InlineData("target-group-size=3", false, true)]
    [InlineData("delayed-retry-type=all delayed-retry-min=5", false, true)]
    [InlineData("queue-mode=lazy max-length=1", true, false)]
    [InlineData("max-age=1D max-length=1", false, false)]
    [InlineData("max-length=1 queue-version=2", true, true)]
    public void A_policy_with_a_key_that_the_queue_type_does_not_have_is_not_for_it(string definition, bool isForClassic, bool isForQuorum)
    {
        Set("message-ttl=7", name: "other", priority: -1);
        Set(definition);
        foreach ((QueueType type, bool expected) in ((QueueType, bool)[])[(QueueType.Classic, isForClassic), (QueueType.Quorum, isForQuorum)])
            Policies.For(new QueueDefinition("q", type, true, false, false, ArgumentTable.Empty)).Policy!.Name.ShouldBe(expected ? "p" : "other");
    }

    [Fact]
    public void Of_several_the_highest_priority_applies_alone_and_the_first_name_where_it_is_the_same()
    {
        Set("max-length=1", name: "m", priority: 5);
        Set("max-length=2 message-ttl=9", name: "z", priority: 4);
        Definition("q").ShouldBe("max-length=1");
        Set("max-length=3", name: "a", priority: 5);
        Definition("q").ShouldBe("max-length=3");
        Set("max-length=4", name: "n", priority: 5);
        Definition("q").ShouldBe("max-length=3");
        Set("max-length=1", name: "a", priority: -5, pattern: "^other$");
        Definition("q").ShouldBe("max-length=1", "m is the first of its priority now");
        Policies.Of(PolicyKind.User).Select(p => p.Name).ShouldBe(["m", "n", "z", "a"]);
        _broker.Host.ClearPolicy("m").ShouldBeTrue();
        _broker.Host.ClearPolicy("n").ShouldBeTrue();
        Definition("q").ShouldBe("max-length=2 message-ttl=9");
        _broker.Host.ClearPolicy("n").ShouldBeFalse("it is gone");
        _broker.Host.ClearOperatorPolicy("z").ShouldBeFalse("it is no operator's");
    }

    [Fact]
    public void Queues_that_exist_follow_at_once_and_new_ones_begin_with_it()
    {
        Queue before = _session.Queue("before"), exclusive = _session.Queue("mine", exclusive: true), other = _session.Queue("x");
        QueueSettings untouched = other.Settings;
        Set("max-length=5", pattern: "e");
        before.Settings.LengthMax.ShouldBe(5);
        exclusive.Settings.LengthMax.ShouldBe(5);
        other.Settings.ShouldBeSameAs(untouched);
        _session.Queue("later").Settings.LengthMax.ShouldBe(5);
        Set("message-ttl=7", pattern: "e");
        (before.Settings.LengthMax, before.Settings.MessageTtlMs).ShouldBe((null, 7L));
        _broker.Host.ClearPolicy("p");
        before.Settings.MessageTtlMs.ShouldBeNull();
    }

    [Fact]
    public void A_queue_keeps_what_its_policies_say_when_others_change()
    {
        Queue queue = _session.Queue("q");
        Set("max-length=5");
        QueueSettings settings = queue.Settings;
        Set("max-length=9", name: "lower", priority: -1);
        Set("max-length=9", name: "other", pattern: "^z", priority: 1);
        queue.Settings.ShouldBeSameAs(settings);
    }

    [Fact]
    public void Exchanges_get_an_alternate_from_a_policy_unless_they_have_an_argument()
    {
        _session.Exchange("x");
        _session.Exchange("own", arguments: new Argument("alternate-exchange", ArgumentValue.Of("mine")));
        _session.Queue("q");
        _session.Queue("mine");
        _session.Exchange("rest", "fanout");
        _session.Exchange("mine", "fanout");
        _session.BindQueue("rest", "q");
        _session.BindQueue("mine", "mine");
        _broker.Route("x", "k").ShouldBeEmpty();
        Set("alternate-exchange=rest", pattern: "^(x|own|later)$");
        _broker.Route("x", "k").ShouldBe(["q"]);
        _broker.Route("own", "k").ShouldBe(["mine"]);
        _session.Exchange("later");
        _broker.Route("later", "k").ShouldBe(["q"]);
        _session.BindQueue("x", "mine", "other");
        _broker.Route("x", "k").ShouldBe(["q"], "a binding leaves the policy as it is");
        _broker.Host.ClearPolicy("p");
        _broker.Route("x", "k").ShouldBeEmpty();
        _broker.Route("own", "k").ShouldBe(["mine"]);
    }

    [Fact]
    public void Exchanges_delay_messages_by_argument_or_policy()
    {
        _session.Exchange("x");
        _session.Exchange("own", arguments: new Argument("x-delayed-exchange", ArgumentValue.Of(true)));
        _session.Exchange("not", arguments: new Argument("x-delayed-exchange", ArgumentValue.Of(false)));
        Delays().ShouldBe("own");
        Set("delayed-message=true", pattern: "^(x|not|)$");
        Delays().ShouldBe(" not own x", "the default exchange is one of them");
        Set("delayed-message=false", pattern: "^(x|not|own)$");
        Delays().ShouldBe("own");
    }

    [Fact]
    public void Everything_that_applies_can_be_seen()
    {
        Set("max-length=5 dead-letter-exchange=d", name: "mine");
        SetOperator("max-length=3 expires=9", name: "bounds");
        Queue queue = _session.Queue("q");
        EffectivePolicy effective = Policies.For(queue.Definition);
        (effective.Policy!.Name, effective.Operator!.Name).ShouldBe(("mine", "bounds"));
        Drafts.Text(effective.Definition).ShouldBe("dead-letter-exchange=d expires=9 max-length=3");
        Policies.Find(PolicyKind.User, "mine")!.Definition.Count.ShouldBe(2);
        Policies.Find(PolicyKind.Operator, "mine").ShouldBeNull();
        _broker.Host.ClearOperatorPolicy("bounds").ShouldBeTrue();
        Policies.For(queue.Definition).Operator.ShouldBeNull();
    }

    [Theory]
    [InlineData("^(a+)+\\1b$")]
    [InlineData("^(?=(a+)+$)(a+)+$")]
    public void A_pattern_that_would_run_for_ever_is_bounded_however_many_names_there_are(string pattern)
    {
        Queue[] queues = [.. Enumerable.Range(0, 500).Select(i => _session.Queue(new string('a', 200) + "!" + i))];
        long start = TimeProvider.System.GetTimestamp();
        Set("max-length=5", pattern: pattern);
        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(10), "500 times its limit would be 25 s");
        queues.ShouldAllBe(q => q.Settings.LengthMax == null);
    }

    private PolicyTable Policies => _broker.Host.Topology.Policies;

    private void Set(string definition, string name = "p", string pattern = "", string applyTo = "all", long priority = 0) =>
        _broker.Host.SetPolicy(Drafts.Of(definition, name, pattern, applyTo, priority)).ShouldBeNull();

    private void SetOperator(string definition, string name = "o") => _broker.Host.SetOperatorPolicy(Drafts.Of(definition, name)).ShouldBeNull();

    private string Definition(string queue) =>
        Drafts.Text(Policies.For(new QueueDefinition(queue, QueueType.Classic, true, false, false, ArgumentTable.Empty)).Definition);

    private string Delays() => string.Join(
        ' ', _broker.Host.Topology.Exchanges.Values.Where(e => e.DelaysMessages).Select(e => e.Name.ToString()).Order(StringComparer.Ordinal));
}
