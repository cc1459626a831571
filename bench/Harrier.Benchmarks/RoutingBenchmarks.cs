using BenchmarkDotNet.Attributes;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Topology;

namespace Harrier.Benchmarks;

/// <summary>Finding the queues of a message among so many bindings, without the channel's cache of its last route.</summary>
public class RoutingBenchmarks
{
    private readonly RouteSet _routes = new(1);
    private readonly QueueFactory _queues = new(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1));
    private Message _message = null!;
    private VirtualHostTopology _topology = null!;
    private Exchange _direct = null!;
    private Exchange _topic = null!;
    private Exchange _hash = null!;

    [Params(1, 100, 10_000)]
    public int Bindings { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _message = Message.Rent(null!, "x"u8, System.Text.Encoding.UTF8.GetBytes($"stock.nyse.{Bindings / 2}.trade"), [0, 0], 16);
        _topology = VirtualHostTopology.Create("/");
        Exchange hash = Exchange.Create("hash", ExchangeType.ConsistentHash, durable: true, autoDelete: false, isInternal: false, ArgumentTable.Empty);
        _topology = TopologyMachine.Apply(_topology, new ExchangeDeclared(hash));
        for (int i = 0; i < Bindings; i++)
        {
            Queue queue = Declare($"q{i}");
            Bind("amq.direct", queue, $"stock.nyse.{i}.trade");
            // Wildcards in the middle and at the end; one in ten thousand matches by its number.
            Bind("hash", queue, "1");
            Bind("amq.topic", queue, i % 2 == 0 ? $"stock.*.{i}.#" : $"*.nyse.{i}.*");
        }
        (_direct, _topic, _hash) = (_topology.Exchanges["amq.direct"], _topology.Exchanges["amq.topic"], _topology.Exchanges["hash"]);
    }

    [Benchmark]
    public int Direct() => Route(_direct);

    [Benchmark]
    public int TopicWithWildcards() => Route(_topic);

    [Benchmark]
    public int ConsistentHash() => Route(_hash);

    private int Route(Exchange exchange)
    {
        Router.Route(_topology, exchange, _message, _routes);
        return _routes.Count;
    }

    private Queue Declare(string name)
    {
        var definition = new QueueDefinition(name, QueueType.Classic, IsDurable: true, IsExclusive: false, IsAutoDelete: false, ArgumentTable.Empty);
        Queue queue = _queues.Create("/", definition, QueueSettings.None, owner: null);
        _topology = TopologyMachine.Apply(_topology, new QueueDeclared(queue));
        return queue;
    }

    private void Bind(string exchange, Queue queue, string key) =>
        _topology = TopologyMachine.Apply(_topology, new BindingAdded(new Binding(exchange, new Destination(queue), key, ArgumentTable.Empty)));
}
