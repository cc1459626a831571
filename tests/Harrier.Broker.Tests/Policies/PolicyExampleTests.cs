using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>The example of docs/policies.md.</summary>
public class PolicyExampleTests
{
    [Fact]
    public void A_user_has_order_queues_dead_letter_and_an_operator_caps_every_queue()
    {
        var broker = new TestBroker();
        VirtualHost host = broker.Host;
        ClientSession client = broker.Connect();
        Queue orders = client.Queue("orders.eu", arguments: new Argument("x-max-length", ArgumentValue.Of(50_000)));

        host.SetPolicy(new PolicyDraft("orders", "^orders\\.", "queues", 10, new ArgumentTable(
            new Argument("dead-letter-exchange", ArgumentValue.Of("failed")),
            new Argument("max-length", ArgumentValue.Of(100_000))))).ShouldBeNull();
        host.SetOperatorPolicy(new PolicyDraft("cap", ".*", "queues", 0, new ArgumentTable(
            new Argument("max-length", ArgumentValue.Of(80_000)),
            new Argument("message-ttl", ArgumentValue.Of(86_400_000))))).ShouldBeNull();

        orders.Settings.DeadLetterExchange.ShouldBe(new Utf8Name("failed"), "of the policy");
        orders.Settings.LengthMax.ShouldBe(50_000, "of argument, policy and operator policy, the lowest");
        orders.Settings.MessageTtlMs.ShouldBe(86_400_000, "of the operator policy");
        EffectivePolicy effective = host.Topology.Policies.For(orders.Definition);
        (effective.Policy!.Name, effective.Operator!.Name).ShouldBe(("orders", "cap"));
        Drafts.Text(effective.Definition).ShouldBe("dead-letter-exchange=failed max-length=80000 message-ttl=86400000");

        client.Queue("orders.us").Settings.LengthMax.ShouldBe(80_000);
        client.Queue("mail").Settings.DeadLetterExchange.ShouldBeNull("its name does not match");
        host.SetPolicy(new PolicyDraft("orders", "^orders\\.", "queues", 10, new ArgumentTable(new Argument("max-lenght", ArgumentValue.Of(5)))))
            .ShouldBe("Validation failed\n\n[{<<\"max-lenght\">>,5}] are not recognised policy settings\n");
        orders.Settings.DeadLetterExchange.ShouldBe(new Utf8Name("failed"), "what is refused changes nothing");
    }
}
