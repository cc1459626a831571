using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

/// <summary>Exchanges that choose one destination, among other exchanges and over restarts.</summary>
public class HashExchangeTests
{
    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public HashExchangeTests() => _session = _broker.Connect();

    [Theory]
    [InlineData("x-consistent-hash", "1")]
    [InlineData("x-modulus-hash", "")]
    [InlineData("x-random", "")]
    public void Behind_a_destination_that_is_an_exchange_routing_goes_on(string type, string key)
    {
        foreach (string queue in (string[])["a", "b", "direct"]) _session.Queue(queue);
        _session.Exchange("x", type);
        _session.Exchange("behind", "fanout");
        _session.BindExchange("x", "behind", key);
        foreach (string queue in (string[])["a", "b"]) _session.BindQueue("behind", queue);
        _broker.Route("x", "k").ShouldBe(["a", "b"]);
    }

    [Theory]
    [InlineData("x-consistent-hash")]
    [InlineData("x-modulus-hash")]
    [InlineData("x-random")]
    [InlineData("x-local-random")]
    public void Without_bindings_the_alternate_exchange_is_asked(string type)
    {
        _session.Queue("q");
        _session.BindQueue("amq.fanout", "q");
        _session.Exchange("x", type, arguments: new Argument("alternate-exchange", ArgumentValue.Of("amq.fanout")));
        _broker.Route("x", "k").ShouldBe(["q"]);
    }

    [Theory]
    [InlineData("x-consistent-hash", "1")]
    [InlineData("x-modulus-hash", "")]
    [InlineData("x-random", "")]
    [InlineData("x-local-random", "")]
    public void One_message_goes_to_one_queue_whatever_its_extra_keys(string type, string key)
    {
        _session.Exchange("x", type);
        for (int i = 0; i < 10; i++)
        {
            _session.Queue($"q{i}");
            _session.BindQueue("x", $"q{i}", key);
        }
        _broker.Route("x", "k", "l", "m").Count.ShouldBe(1);
        _session.UnbindQueue("x", "q0", key);
        _broker.Route("x", "k").Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("x-consistent-hash")]
    [InlineData("x-modulus-hash")]
    [InlineData("x-random")]
    [InlineData("x-consistent-hash", "hash-header", "h")]
    public void Choosing_allocates_nothing(string type, string argument = "unused", string value = "")
    {
        _session.Exchange("x", type, arguments: new Argument(argument, ArgumentValue.Of(value)));
        for (int i = 1; i <= 5; i++)
        {
            _session.Queue($"q{i}");
            _session.BindQueue("x", $"q{i}", $"{i}");
        }
        Exchange exchange = _broker.Host.FindExchange("x");
        Message message = TestMessages.Create("k");
        var routes = new RouteSet(1);
        Router.Route(_broker.Host.Topology, exchange, message, routes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) Router.Route(_broker.Host.Topology, exchange, message, routes);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        routes.Count.ShouldBe(1);
    }

    [Fact]
    public void A_deleted_queue_hands_its_share_over()
    {
        _session.Exchange("x", "x-consistent-hash");
        foreach (string queue in (string[])["a", "b"])
        {
            _session.Queue(queue);
            _session.BindQueue("x", queue, "1");
        }
        _session.DeleteQueue("a", ifUnused: false, ifEmpty: false);
        for (int i = 0; i < 20; i++) _broker.Route("x", $"{i}").ShouldBe(["b"]);
    }

    [Fact]
    public void Arguments_of_an_exchange_that_is_there_are_not_looked_at()
    {
        _session.Exchange("x", "x-consistent-hash");
        Argument[] both = [new("hash-header", ArgumentValue.Of("h")), new("hash-property", ArgumentValue.Of("message_id"))];
        _session.Exchange("x", "x-consistent-hash", arguments: both); // note 38
        new Action(() => _session.Exchange("y", "x-consistent-hash", arguments: both))
            .ShouldBeRefused(ErrorCode.PreconditionFailed, "hash-header and hash-property are mutually exclusive");
        _session.Exchange("z", "direct", arguments: both); // nobody asks
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Which_of_two_weights_counts_outlives_restarts(bool withCheckpoint)
    {
        using var bench = new DurableBench();
        bench.Session.Exchange("x", "x-consistent-hash", arguments: new Argument("hash-header", ArgumentValue.Of("h")));
        bench.Session.Queue("q");
        string[] weights = ["7", "3", "9", "1", "5"];
        foreach (string weight in weights) bench.Session.BindQueue("x", "q", weight);
        for (int i = 0; i < 2; i++)
        {
            bench.Restart(withCheckpoint);
            Exchange exchange = bench.Session.VirtualHost.FindExchange("x");
            exchange.Bindings.Ordered.Select(b => b.RoutingKey.ToString()).ShouldBe(weights);
            exchange.Arguments.TryGetText("hash-header", out _).ShouldBeTrue();
        }
    }
}
