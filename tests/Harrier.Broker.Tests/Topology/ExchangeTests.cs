using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Topology;

/// <summary>What may be done with exchanges; the numbers in names are RabbitMQ behaviour notes.</summary>
public class ExchangeTests
{
    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public ExchangeTests() => _session = _broker.Connect();

    [Fact]
    public void Note_25_the_default_exchange_cannot_be_touched()
    {
        _session.Queue("q");
        const string Text = "operation not permitted on the default exchange";
        Action[] attempts =
        [
            () => _session.Exchange(""), () => _session.DeclareExchangePassively(""), () => _session.DeleteExchange("", false),
            () => _session.BindQueue("", "q", "k"), () => _session.UnbindQueue("", "q", "q"), () => _session.BindExchange("amq.direct", "", "k"),
            () => _session.BindExchange("", "amq.direct", "k"),
        ];
        foreach (Action attempt in attempts) attempt.ShouldBeRefused(ErrorCode.AccessRefused, Text);
    }

    [Theory]
    [InlineData("amq.direct")]
    [InlineData("amq.missing")]
    public void Note_26_system_exchanges_cannot_be_deleted_even_if_missing(string name) =>
        Refused(() => _session.DeleteExchange(name, false), ErrorCode.AccessRefused, $"deletion of system exchange '{name}' in vhost '/' not allowed");

    [Fact]
    public void Note_27_a_reserved_name_is_refused_only_for_what_is_new()
    {
        _session.Exchange("amq.direct");
        _session.Exchange("amq.topic", "topic");
        Refused(() => _session.Exchange("amq.foo"), ErrorCode.AccessRefused, "exchange name 'amq.foo' contains reserved prefix 'amq.*'");
        Refused(() => _session.DeclareExchangePassively("amq.foo"), ErrorCode.NotFound, "no exchange 'amq.foo' in vhost '/'");
        _session.DeclareExchangePassively("amq.match");
    }

    [Fact]
    public void Note_35_deleting_what_is_missing_is_fine() => _session.DeleteExchange("missing", ifUnused: true);

    [Fact]
    public void Note_37_used_means_being_the_source_of_a_binding()
    {
        _session.Exchange("source");
        _session.Exchange("destination");
        _session.BindExchange("source", "destination", "k");
        Refused(() => _session.DeleteExchange("source", ifUnused: true), ErrorCode.PreconditionFailed, "exchange 'source' in vhost '/' in use");
        _session.DeleteExchange("destination", ifUnused: true);
        _session.DeleteExchange("source", ifUnused: true);
    }

    [Fact]
    public void Note_38_an_equal_declaration_is_fine()
    {
        _session.Exchange("x", "topic", durable: false, autoDelete: true, isInternal: true, new Argument("hash-header", ArgumentValue.Of("a")));
        _session.Exchange("x", "topic", durable: false, autoDelete: true, isInternal: true);
        _session.Exchange("x", "topic", durable: false, autoDelete: true, isInternal: true, new Argument("hash-header", ArgumentValue.Of("b")));
    }

    [Fact]
    public void Note_38_a_declaration_that_differs_names_the_first_difference()
    {
        _session.Exchange("x");
        const string Start = "inequivalent arg ";
        Refused(() => _session.Exchange("x", "fanout", durable: false), Start + "'type' for exchange 'x' in vhost '/': received 'fanout' but current is 'direct'");
        Refused(() => _session.Exchange("x", durable: false, autoDelete: true), Start + "'durable' for exchange 'x' in vhost '/': received 'false' but current is 'true'");
        Refused(() => _session.Exchange("x", autoDelete: true, isInternal: true), Start + "'auto_delete' for exchange 'x' in vhost '/': received 'true' but current is 'false'");
        Refused(() => _session.Exchange("x", isInternal: true), Start + "'internal' for exchange 'x' in vhost '/': received 'true' but current is 'false'");
        Refused(
            () => _session.Exchange("x", arguments: Alternate("a")),
            Start + "'alternate-exchange' for exchange 'x' in vhost '/': received the value 'a' of type 'longstr' but current is none");
    }

    [Fact]
    public void Note_38_two_alternates_of_one_type_are_shown_without_their_type()
    {
        _session.Exchange("x", arguments: Alternate("a"));
        _session.Exchange("x", arguments: Alternate("a"));
        Refused(
            () => _session.Exchange("x", arguments: Alternate("b")),
            "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received 'b' but current is 'a'");
        Refused(
            () => _session.Exchange("x"),
            "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received none but current is the value 'a' of type 'longstr'");
    }

    [Fact]
    public void Note_39_an_unknown_type_is_refused()
    {
        Refused(() => _session.Exchange("x", "nonsense"), "unknown exchange type 'nonsense'");
        Should.Throw<BrokerException>(() => _session.Exchange("x", "x-jms-topic")).Message.ShouldStartWith("unknown exchange type 'x-jms-topic'");
    }

    [Fact]
    public void Note_40_nobody_publishes_to_an_internal_exchange_but_it_can_be_bound()
    {
        _session.Exchange("inner", "fanout", isInternal: true);
        Refused(() => _session.ExchangeToPublishTo("inner"), ErrorCode.AccessRefused, "cannot publish to internal exchange 'inner' in vhost '/'");
        _session.Queue("q");
        _session.BindExchange("amq.fanout", "inner");
        _session.BindQueue("inner", "q");
        _broker.Route("amq.fanout", "").ShouldBe(["q"]);
    }

    [Fact]
    public void Note_57_publishing_to_a_missing_exchange_is_refused() =>
        Refused(() => _session.ExchangeToPublishTo("x"), ErrorCode.NotFound, "no exchange 'x' in vhost '/'");

    [Fact]
    public void The_alternate_exchange_is_a_text() =>
        Refused(
            () => _session.Exchange("x", arguments: new Argument("alternate-exchange", ArgumentValue.OfInteger(ArgumentKind.SignedInt, 1))),
            "invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in vhost '/'");

    [Fact]
    public void Every_virtual_host_has_its_exchanges() =>
        _broker.Host.Topology.Exchanges.Values.Select(e => $"{e.Name} {e.Type} {e.IsDurable} {e.IsInternal}").Order(StringComparer.Ordinal).ShouldBe(
        [
            " Direct True False", "amq.direct Direct True False", "amq.fanout Fanout True False", "amq.headers Headers True False",
            "amq.match Headers True False", "amq.rabbitmq.trace Topic True True", "amq.topic Topic True False",
        ]);

    private static Argument[] Alternate(string name) => [new Argument("alternate-exchange", ArgumentValue.Of(name))];

    private static void Refused(Action action, string text) => action.ShouldBeRefused(ErrorCode.PreconditionFailed, text);

    private static void Refused(Action action, ErrorCode code, string text) => action.ShouldBeRefused(code, text);
}
