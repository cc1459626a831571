using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Topology;

public class VirtualHostModelTests
{
    private static readonly Gen<TopologyStep> Steps = Gen.Frequency(
        (20, Of(TopologyAction.DeclareExchange)), (4, Of(TopologyAction.DeleteExchange)), (15, Of(TopologyAction.DeclareQueue)),
        (5, Of(TopologyAction.DeleteQueue)), (25, Of(TopologyAction.BindQueue)), (20, Of(TopologyAction.BindExchange)), (15, Of(TopologyAction.Unbind)), (3, Of(TopologyAction.UnbindAny)),
        (8, Of(TopologyAction.Consume)), (6, Of(TopologyAction.Cancel)), (2, Of(TopologyAction.Reconnect)));

    [Fact]
    public void A_virtual_host_does_what_lists_would() => Properties.ForAllSequences(Steps, steps =>
    {
        var model = new VirtualHostModel();
        foreach (TopologyStep step in steps) model.Run(step);
    }, runs: 200, size: 120);

    [Fact]
    public async Task Changes_from_several_threads_leave_a_topology_that_agrees_with_itself()
    {
        var broker = new TestBroker();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() => Churn(broker.Connect(), new Random(thread)))));

        var topology = broker.Host.Topology;
        var bySource = topology.BindingsBySource.Values.SelectMany(b => b).ToHashSet();
        topology.BindingsByQueue.Values.Concat(topology.BindingsByExchange.Values).SelectMany(b => b).ToHashSet().SetEquals(bySource).ShouldBeTrue();
        foreach (var binding in bySource)
        {
            topology.Exchanges.ContainsKey(binding.Source).ShouldBeTrue();
            if (binding.Destination.Queue is { } queue) topology.Queues[queue.Name].ShouldBeSameAs(queue);
            else topology.Exchanges.ContainsKey(binding.Destination.Name).ShouldBeTrue();
        }
        topology.Queues.Values.ShouldAllBe(q => !q.IsDeleted);
    }

    private static void Churn(ClientSession session, Random random)
    {
        for (int i = 0; i < 1_000; i++)
        {
            string queue = $"q{random.Next(3)}", exchange = $"x{random.Next(3)}";
            try
            {
                switch (random.Next(6))
                {
                    case 0: session.Queue(queue); break;
                    case 1: session.DeleteQueue(queue, false, false); break;
                    case 2: session.Exchange(exchange, "fanout", autoDelete: true); break;
                    case 3: session.DeleteExchange(exchange, false); break;
                    case 4: session.BindQueue(exchange, queue); break;
                    case 5: session.BindExchange(exchange, $"x{random.Next(3)}"); break;
                }
            }
            catch (BrokerException refusal) when (refusal.Code == ErrorCode.NotFound)
            {
                // Another thread was faster.
            }
        }
    }

    private static Gen<TopologyStep> Of(TopologyAction action) =>
        Gen.Choose(0, 1 << 20).Zip(Gen.Choose(0, 1 << 20), (a, b) => new TopologyStep(action, a, b));
}
