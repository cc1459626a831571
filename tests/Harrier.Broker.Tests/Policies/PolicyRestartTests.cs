using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>Policies are durable, and what they came to is there again after a restart.</summary>
public sealed class PolicyRestartTests : IDisposable
{
    private readonly DurableBench _bench = new();

    public void Dispose() => _bench.Dispose();

    public static TheoryData<bool> Ways => [true, false];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Policies_come_back_in_their_order_with_what_they_came_to(bool withCheckpoint)
    {
        _bench.Session.Queue("q", arguments: new Argument("x-max-length", ArgumentValue.Of(9)));
        _bench.Session.Exchange("x");
        Host.SetPolicy(Drafts.Of("max-length=5 dead-letter-exchange=dé", name: "é", pattern: "^q", applyTo: "queues", priority: -3)).ShouldBeNull();
        Host.SetPolicy(Drafts.Of("alternate-exchange=rest delayed-message=true", name: "x", pattern: "^x", applyTo: "exchanges")).ShouldBeNull();
        Host.SetPolicy(Drafts.Of("max-length=1", name: "gone")).ShouldBeNull();
        if (withCheckpoint) _bench.Checkpoint();
        Host.ClearPolicy("gone").ShouldBeTrue();
        Host.SetOperatorPolicy(Drafts.Of("message-ttl=1", name: "bounds")).ShouldBeNull();
        Host.SetOperatorPolicy(Drafts.Of("message-ttl=7", name: "bounds", applyTo: "classic_queues", priority: long.MaxValue)).ShouldBeNull();
        QueueSettings settings = _bench.Queue("q").Settings;
        settings.ShouldBe(new QueueSettings { LengthMax = 5, DeadLetterExchange = "dé", MessageTtlMs = 7 });
        string[] policies = Everything();
        for (int again = 0; again < 2; again++)
        {
            _bench.Restart(withCheckpoint);
            Everything().ShouldBe(policies);
            _bench.Queue("q").Settings.ShouldBe(settings);
            Exchange exchange = Host.FindExchange("x");
            (exchange.AlternateExchange, exchange.DelaysMessages).ShouldBe((new Utf8Name("rest"), true));
            _bench.Session.Queue("q2").Settings.LengthMax.ShouldBe(5);
        }
        Host.ClearPolicy("é").ShouldBeTrue();
        _bench.Queue("q").Settings.LengthMax.ShouldBe(9);
        _bench.Restart(withCheckpoint);
        _bench.Queue("q").Settings.ShouldBe(new QueueSettings { LengthMax = 9, MessageTtlMs = 7 });
    }

    [Fact]
    public void A_queue_has_its_arguments_again_without_any_policy()
    {
        _bench.Session.Queue("q", arguments: [new Argument("x-queue-type", ArgumentValue.Of("quorum")), new Argument("x-delivery-limit", ArgumentValue.Of(3))]);
        QueueSettings settings = _bench.Queue("q").Settings;
        settings.DeliveryLimit.ShouldBe(3);
        _bench.Restart();
        _bench.Queue("q").Settings.ShouldBe(settings);
    }

    private VirtualHost Host => _bench.Session.VirtualHost;

    private string[] Everything() =>
    [
        .. Host.Topology.Policies.Of(PolicyKind.User).Concat(Host.Topology.Policies.Of(PolicyKind.Operator))
            .Select(p => $"{p.Kind} {p.Name} {p.Pattern.Text} {p.AppliesTo} {p.Priority} {Drafts.Text(p.Definition)}"),
    ];
}
