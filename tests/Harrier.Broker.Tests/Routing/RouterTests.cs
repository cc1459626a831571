using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class RouterTests
{
    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public RouterTests() => _session = _broker.Connect();

    [Fact]
    public void The_default_exchange_finds_a_queue_by_its_name()
    {
        Queues("a", "b");
        _broker.Route("", "a").ShouldBe(["a"]);
        _broker.Route("", "missing").ShouldBeEmpty();
    }

    [Fact]
    public void The_default_exchange_follows_CC_and_BCC_once_per_queue()
    {
        Queues("a", "b");
        _broker.Route("", "a", "b", "a", "missing", "b").ShouldBe(["a", "b"]);
    }

    [Fact]
    public void Every_exchange_follows_CC_and_BCC()
    {
        Queues("a", "b", "c");
        _session.BindQueue("amq.direct", "a", "k1");
        _session.BindQueue("amq.direct", "b", "k2");
        _session.BindQueue("amq.topic", "c", "k.*");
        _broker.Route("amq.direct", "k1", "k2").ShouldBe(["a", "b"]);
        _broker.Route("amq.direct", "none", "k2").ShouldBe(["b"]);
        _broker.Route("amq.topic", "none", "k.1").ShouldBe(["c"]);
    }

    [Fact]
    public void A_direct_exchange_compares_keys_and_ignores_arguments()
    {
        Queues("a", "b");
        _session.BindQueue("amq.direct", "a", "k", new Argument("x", ArgumentValue.Of(1)));
        _session.BindQueue("amq.direct", "b", "K");
        _broker.Route("amq.direct", "k").ShouldBe(["a"]);
        _broker.Route("amq.direct", "").ShouldBeEmpty();
    }

    [Fact]
    public void A_fanout_exchange_ignores_keys_and_arguments()
    {
        Queues("a", "b");
        _session.BindQueue("amq.fanout", "a", "k");
        _session.BindQueue("amq.fanout", "b", "other", new Argument("x-match", ArgumentValue.Of("nonsense")));
        _broker.Route("amq.fanout", "").ShouldBe(["a", "b"]);
    }

    [Fact]
    public void A_queue_with_several_matching_bindings_gets_one_copy()
    {
        Queues("a");
        _session.BindQueue("amq.topic", "a", "#");
        _session.BindQueue("amq.topic", "a", "k.*");
        _session.BindQueue("amq.topic", "a", "k.*", new Argument("x", ArgumentValue.Of(1)));
        _broker.Route("amq.topic", "k.1").ShouldBe(["a"]);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    public void Any_number_of_queues_gets_one_copy_each(int count)
    {
        string[] names = [.. Enumerable.Range(0, count).Select(i => $"q{i:000}")];
        Queues(names);
        _session.Exchange("other", "fanout");
        _session.BindExchange("amq.fanout", "other");
        foreach (string name in names)
        {
            _session.BindQueue("amq.fanout", name);
            _session.BindQueue("amq.fanout", name, "again");
            _session.BindQueue("other", name);
        }
        _broker.Route("amq.fanout", "").ShouldBe(names);
        _broker.Route("other", "").ShouldBe(names);
    }

    [Fact]
    public void Cycles_of_exchanges_end()
    {
        Queues("a", "b", "c");
        foreach (string name in new[] { "x", "y", "z" }) _session.Exchange(name, "fanout");
        _session.BindExchange("x", "y");
        _session.BindExchange("y", "z");
        _session.BindExchange("z", "x");
        _session.BindExchange("x", "x");
        _session.BindQueue("x", "a");
        _session.BindQueue("y", "b");
        _session.BindQueue("z", "c");
        foreach (string start in new[] { "x", "y", "z" }) _broker.Route(start, "").ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public void Every_exchange_on_the_way_looks_at_the_key_itself()
    {
        Queues("a");
        _session.Exchange("inner", "topic");
        _session.BindExchange("amq.fanout", "inner", "ignored");
        _session.BindQueue("inner", "a", "k.#");
        _broker.Route("amq.fanout", "k.1").ShouldBe(["a"]);
        _broker.Route("amq.fanout", "other").ShouldBeEmpty();
    }

    [Fact]
    public void An_alternate_exchange_takes_what_matched_nothing()
    {
        Queues("a", "b");
        _session.Exchange("main", arguments: Alternate("amq.fanout"));
        _session.BindQueue("main", "a", "k");
        _session.BindQueue("amq.fanout", "b");
        _broker.Route("main", "k").ShouldBe(["a"]);
        _broker.Route("main", "other").ShouldBe(["b"]);
        _broker.Route("main", "other", "k").ShouldBe(["a"], "one of its keys matched");
    }

    [Fact]
    public void An_exchange_reached_by_a_binding_uses_its_own_alternate()
    {
        Queues("a", "b");
        _session.Exchange("inner", arguments: Alternate("amq.fanout"));
        _session.Exchange("main", "fanout", arguments: Alternate("amq.topic"));
        _session.BindExchange("main", "inner");
        _session.BindQueue("main", "a");
        _session.BindQueue("amq.fanout", "b");
        _broker.Route("main", "k").ShouldBe(["a", "b"]);
    }

    [Fact]
    public void An_alternate_may_have_an_alternate_and_cycles_of_them_end()
    {
        Queues("a");
        _session.Exchange("x", arguments: Alternate("y"));
        _session.Exchange("y", arguments: Alternate("z"));
        _session.Exchange("z", arguments: Alternate("x"));
        _broker.Route("x", "k").ShouldBeEmpty();
        _session.BindQueue("z", "a", "k");
        _broker.Route("x", "k").ShouldBe(["a"]);
    }

    [Fact]
    public void A_missing_alternate_takes_nothing_until_it_is_declared()
    {
        Queues("a");
        _session.Exchange("x", arguments: Alternate("later"));
        _broker.Route("x", "k").ShouldBeEmpty();
        _session.Exchange("later", "fanout");
        _session.BindQueue("later", "a");
        _broker.Route("x", "k").ShouldBe(["a"]);
    }

    [Fact]
    public void The_default_exchange_may_be_an_alternate()
    {
        Queues("a");
        _session.Exchange("x", arguments: Alternate(""));
        _broker.Route("x", "a").ShouldBe(["a"]);
    }

    [Fact]
    public void A_binding_to_an_exchange_that_reaches_no_queue_still_counts_as_a_match()
    {
        Queues("a");
        _session.Exchange("empty", "fanout");
        _session.Exchange("x", "fanout", arguments: Alternate("amq.fanout"));
        _session.BindExchange("x", "empty");
        _session.BindQueue("amq.fanout", "a");
        _broker.Route("x", "").ShouldBeEmpty();
    }

    [Fact]
    public void Another_message_starts_from_nothing()
    {
        Queues("a");
        _broker.Route("", "a").ShouldBe(["a"]);
        var routes = new Broker.Routing.RouteSet(1);
        foreach (string key in new[] { "a", "missing", "a" })
        {
            Message message = TestMessages.Create(key);
            Broker.Routing.Router.Route(_broker.Host.Topology, _broker.Host.FindExchange(""), message, routes);
            routes.Count.ShouldBe(key == "a" ? 1 : 0);
        }
    }

    private static Argument[] Alternate(string name) => [new Argument("alternate-exchange", ArgumentValue.Of(name))];

    private void Queues(params string[] names)
    {
        foreach (string name in names) _session.Queue(name);
    }
}
