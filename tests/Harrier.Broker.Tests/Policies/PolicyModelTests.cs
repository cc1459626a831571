using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Policies;

/// <summary>Policies set, cleared and restarted at random, against a list that is searched from its beginning.</summary>
public class PolicyModelTests
{
    private static readonly string[] Patterns = ["", "a", "^b", "c$", "^(?!a)", "[ab]"];
    private static readonly string[] ApplyTo = ["all", "exchanges", "queues", "classic_queues", "quorum_queues", "streams"];
    private static readonly string[] Queues = ["a", "b", "ab", "bc", "ca", "abc"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_queue_has_what_the_model_says_after_every_change(int seed)
    {
        using var bench = new DurableBench();
        var random = new Random(seed);
        List<(bool IsOperator, PolicyDraft Draft)> model = [];
        for (int step = 0; step < 150; step++)
        {
            Change(bench, random, model);
            foreach (Queue queue in bench.Session.VirtualHost.Topology.Queues.Values)
            {
                EffectivePolicy found = bench.Session.VirtualHost.Topology.Policies.For(queue.Definition);
                PolicyDraft? ofUser = Expected(model, false, queue.Definition), ofOperator = Expected(model, true, queue.Definition);
                (found.Policy?.Name, found.Operator?.Name).ShouldBe((ofUser?.Name, ofOperator?.Name), $"step {step}, queue {queue.NameText}");
                queue.Settings.LengthMax.ShouldBe(Lowest(ofUser, ofOperator), $"step {step}, queue {queue.NameText}");
            }
        }
    }

    private static void Change(DurableBench bench, Random random, List<(bool IsOperator, PolicyDraft Draft)> model)
    {
        VirtualHost host = bench.Session.VirtualHost;
        bool isOperator = random.Next(3) == 0;
        string name = "p" + random.Next(6), queue = Queues[random.Next(Queues.Length)];
        switch (random.Next(10))
        {
            case 0: bench.Restart(random.Next(2) == 0); break;
            case 1: bench.Session.DeleteQueue(queue, false, false); break;
            case 2 or 3:
                string type = queue.Length == 2 ? "quorum" : "classic";
                bench.Session.Queue(queue, arguments: new Argument("x-queue-type", ArgumentValue.Of(type)));
                break;
            case 4 or 5:
                bool wasThere = model.RemoveAll(p => p.IsOperator == isOperator && p.Draft.Name == name) > 0;
                (isOperator ? host.ClearOperatorPolicy(name) : host.ClearPolicy(name)).ShouldBe(wasThere);
                break;
            default:
                PolicyDraft draft = Drafts.Of(
                    $"max-length={random.Next(100)}", name, Patterns[random.Next(Patterns.Length)], ApplyTo[random.Next(ApplyTo.Length)], random.Next(-2, 3));
                (isOperator ? host.SetOperatorPolicy(draft) : host.SetPolicy(draft)).ShouldBeNull();
                model.RemoveAll(p => p.IsOperator == isOperator && p.Draft.Name == name);
                model.Add((isOperator, draft));
                break;
        }
    }

    private static PolicyDraft? Expected(List<(bool IsOperator, PolicyDraft Draft)> model, bool isOperator, QueueDefinition queue) => model
        .Where(p => p.IsOperator == isOperator).Select(p => p.Draft)
        .OrderByDescending(p => p.Priority).ThenBy(p => p.Name, StringComparer.Ordinal)
        .FirstOrDefault(p => IsFor(p.ApplyTo, queue.Type) && Matches(p.Pattern, queue.Name.ToString()));

    private static bool IsFor(string applyTo, QueueType type) =>
        applyTo is "all" or "queues" || applyTo == (type == QueueType.Quorum ? "quorum_queues" : "classic_queues");

    private static bool Matches(string pattern, string name) => pattern switch
    {
        "" => true,
        "a" => name.Contains('a'),
        "^b" => name[0] == 'b',
        "c$" => name[^1] == 'c',
        "^(?!a)" => name[0] != 'a',
        _ => name.AsSpan().ContainsAny('a', 'b'),
    };

    private static long? Lowest(PolicyDraft? ofUser, PolicyDraft? ofOperator)
    {
        long[] limits = [.. new[] { ofUser, ofOperator }.OfType<PolicyDraft>().Select(p => p.Definition[0].Value.Integer)];
        return limits.Length == 0 ? null : limits.Min();
    }
}
