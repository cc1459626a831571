using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Topology;

/// <summary>What may be done with bindings; the numbers in names are RabbitMQ behaviour notes.</summary>
public class BindingTests
{
    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public BindingTests()
    {
        _session = _broker.Connect();
        _session.Queue("q");
    }

    private int Count => _broker.Host.Topology.BindingsBySource.Values.Sum(b => b.Count);

    [Fact]
    public void Note_43_bindings_are_a_set_with_their_arguments_in_any_order()
    {
        Argument a = new("a", ArgumentValue.Of(1)), b = new("b", ArgumentValue.Of("x"));
        _session.BindQueue("amq.direct", "q", "k", a, b);
        _session.BindQueue("amq.direct", "q", "k", b, a);
        Count.ShouldBe(1);
        _session.BindQueue("amq.direct", "q", "k", a);
        _session.BindQueue("amq.direct", "q", "k");
        Count.ShouldBe(3);
        _broker.Route("amq.direct", "k").ShouldBe(["q"]);
        _session.UnbindQueue("amq.direct", "q", "k", b, a);
        _session.UnbindQueue("amq.direct", "q", "k");
        Count.ShouldBe(1);
        _broker.Route("amq.direct", "k").ShouldBe(["q"]);
        _session.UnbindQueue("amq.direct", "q", "k", a);
        _broker.Route("amq.direct", "k").ShouldBeEmpty();
    }

    [Fact]
    public void Note_35_unbinding_what_is_not_bound_is_fine()
    {
        _session.UnbindQueue("amq.direct", "q", "k");
        _session.UnbindExchange("amq.direct", "amq.fanout");
    }

    [Fact]
    public void Note_35_unbinding_from_or_to_what_is_missing_is_fine_too()
    {
        Should.NotThrow(() => _session.UnbindQueue("missing", "q", "k"));
        Should.NotThrow(() => _session.UnbindQueue("amq.direct", "missing", "k"));
        Should.NotThrow(() => _session.UnbindExchange("missing", "missing"));
    }

    [Fact]
    public void Both_ends_must_be_there_to_bind()
    {
        Refused(() => _session.BindQueue("amq.direct", "missing", "k"), ErrorCode.NotFound, "no queue 'missing' in vhost '/'");
        Refused(() => _session.BindQueue("missing", "q", "k"), ErrorCode.NotFound, "no exchange 'missing' in vhost '/'");
        Refused(() => _session.BindExchange("amq.direct", "missing"), ErrorCode.NotFound, "no exchange 'missing' in vhost '/'");
    }

    [Fact]
    public void When_both_ends_are_missing_the_source_is_named() =>
        Refused(() => _session.BindQueue("no-exchange", "no-queue", "k"), ErrorCode.NotFound, "no exchange 'no-exchange' in vhost '/'");

    [Fact]
    public void Note_49_a_topic_key_has_at_most_two_hashes()
    {
        _session.BindQueue("amq.topic", "q", "#.a.#");
        Should.Throw<BrokerException>(() => _session.BindQueue("amq.topic", "q", "#.a.#.b.#")).Code.ShouldBe(ErrorCode.PreconditionFailed);
        _session.BindQueue("amq.direct", "q", "#.#.#");
        Count.ShouldBe(2);
    }

    [Fact]
    public void Note_50_a_headers_binding_needs_a_match_that_means_something()
    {
        foreach (string match in new[] { "all", "any", "all-with-x", "any-with-x" }) _session.BindQueue("amq.headers", "q", "", Match(match));
        _session.BindQueue("amq.headers", "q");
        // RabbitMQ shows the value as its language does.
        Refused(
            () => _session.BindQueue("amq.headers", "q", "", Match("some")), ErrorCode.PreconditionFailed,
            "Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x");
        Refused(
            () => _session.BindQueue("amq.headers", "q", "", new Argument("x-match", ArgumentValue.OfInteger(ArgumentKind.SignedInt, 1))),
            ErrorCode.PreconditionFailed, "Invalid x-match field type signedint (value 1); expected longstr");
    }

    [Fact]
    public void Note_51_other_types_accept_any_arguments()
    {
        _session.BindQueue("amq.direct", "q", "k", Match("some"));
        _session.BindQueue("amq.fanout", "q", "k", Match("some"));
        Count.ShouldBe(2);
    }

    [Fact]
    public void Note_97_a_direct_reply_queue_cannot_be_bound()
    {
        foreach (string name in new[] { "amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.token" })
        {
            Refused(() => _session.BindQueue("amq.direct", name, "k"), ErrorCode.AccessRefused, "cannot bind or unbind to a volatile (direct reply-to) queue");
            Refused(() => _session.UnbindQueue("amq.direct", name, "k"), ErrorCode.AccessRefused, "cannot bind or unbind to a volatile (direct reply-to) queue");
        }
    }

    [Fact]
    public void Note_41_an_auto_delete_exchange_goes_with_the_last_binding_from_it()
    {
        _session.Exchange("x", autoDelete: true);
        _session.Exchange("y", "fanout");
        _session.BindExchange("y", "x");
        _session.UnbindExchange("y", "x");
        _session.DeclareExchangePassively("x"); // being a destination does not count
        _session.BindQueue("x", "q", "1");
        _session.BindQueue("x", "q", "2");
        _session.UnbindQueue("x", "q", "1");
        _session.DeclareExchangePassively("x");
        _session.UnbindQueue("x", "q", "2");
        Refused(() => _session.DeclareExchangePassively("x"), ErrorCode.NotFound, "no exchange 'x' in vhost '/'");
    }

    [Fact]
    public void Note_42_the_end_of_a_queue_can_end_a_chain_of_exchanges()
    {
        foreach (string name in new[] { "a", "b", "c" }) _session.Exchange(name, "fanout", autoDelete: true);
        _session.BindExchange("a", "b");
        _session.BindExchange("b", "c");
        _session.BindQueue("c", "q");
        _session.BindExchange("amq.fanout", "a");
        _session.DeleteQueue("q", false, false);
        _broker.Host.Topology.Exchanges.Keys.ShouldAllBe(name => name.IsEmpty || name.ToString().StartsWith("amq."));
        Count.ShouldBe(0);
        _broker.Host.Topology.BindingsByExchange.ShouldBeEmpty();
    }

    [Fact]
    public void A_chain_of_auto_delete_exchanges_may_be_as_long_as_a_client_makes_it()
    {
        const int Length = 30_000; // enough to end the process, were each a stack frame
        _session.Exchange("x0", "fanout", autoDelete: true);
        _session.BindQueue("x0", "q");
        for (int i = 1; i < Length; i++)
        {
            _session.Exchange($"x{i}", "fanout", autoDelete: true);
            _session.BindExchange($"x{i}", $"x{i - 1}");
        }
        _session.DeleteQueue("q", false, false);
        _broker.Host.Topology.Exchanges.Keys.ShouldAllBe(name => name.IsEmpty || name.ToString().StartsWith("amq."));
    }

    [Fact]
    public void Note_42_deleting_an_exchange_takes_the_bindings_to_it_and_what_depends_on_them()
    {
        _session.Exchange("a", "fanout", autoDelete: true);
        _session.Exchange("b", "fanout");
        _session.BindExchange("a", "b");
        _session.BindQueue("b", "q");
        _session.DeleteExchange("b", ifUnused: false);
        Refused(() => _session.DeclareExchangePassively("a"), ErrorCode.NotFound, "no exchange 'a' in vhost '/'");
        Count.ShouldBe(0);
    }

    [Fact]
    public void Auto_delete_exchanges_in_a_cycle_end_together()
    {
        _session.Exchange("a", "fanout", autoDelete: true);
        _session.Exchange("b", "fanout", autoDelete: true);
        _session.BindExchange("a", "b");
        _session.BindExchange("b", "a");
        _session.BindExchange("a", "a");
        _session.DeleteExchange("a", ifUnused: false);
        Refused(() => _session.DeclareExchangePassively("b"), ErrorCode.NotFound, "no exchange 'b' in vhost '/'");
        Count.ShouldBe(0);
    }

    [Fact]
    public void A_queue_that_is_declared_again_has_no_bindings_of_its_past()
    {
        _session.BindQueue("amq.fanout", "q");
        _session.DeleteQueue("q", false, false);
        _session.Queue("q");
        _broker.Route("amq.fanout", "").ShouldBeEmpty();
        _session.BindQueue("amq.fanout", "q");
        _broker.Route("amq.fanout", "").ShouldBe(["q"]);
    }

    private static Argument Match(string value) => new("x-match", ArgumentValue.Of(value));

    private static void Refused(Action action, ErrorCode code, string text) => action.ShouldBeRefused(code, text);
}
