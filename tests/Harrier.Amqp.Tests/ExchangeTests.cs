namespace Harrier.Amqp.Tests;

/// <summary>exchange.declare and exchange.delete.</summary>
public class ExchangeTests
{
    [Theory]
    [InlineData("")]
    [InlineData("amq.direct")]
    [InlineData("amq.fanout")]
    [InlineData("amq.topic")]
    [InlineData("amq.headers")]
    [InlineData("amq.match")]
    [InlineData("amq.rabbitmq.trace")]
    public async Task Pre_declared_exchanges_are_there(string name)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        if (name == "amq.rabbitmq.trace") // internal: it can be bound from, not published to
        {
            await client.DeclareQueue("q");
            await client.Bind("q", name, "#");
            return;
        }
        await client.Publish(name, "nowhere", "x");
        await client.ExpectQuiet();
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("fanout")]
    [InlineData("topic")]
    [InlineData("headers")]
    [InlineData("x-consistent-hash")]
    [InlineData("x-modulus-hash")]
    [InlineData("x-random")]
    [InlineData("x-local-random")]
    public async Task Declare_is_idempotent_and_nowait_is_silent(string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = WireScript.Bytes(type), Nowait = true });
        await client.ExpectQuiet();
        await client.DeclareExchange("x", type);
        await client.Call(new ExchangeDeclare { Exchange = "x"u8, Passive = true }, AmqpMethod.ExchangeDeclareOk);
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Passive = true, Nowait = true });
        await client.ExpectQuiet();
        await client.Send(new ExchangeDelete { Exchange = "x"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'x' in vhost '/'", 40, 10);
    }

    [Fact, Trait("Note", "25")]
    public async Task Note_25_declare_of_the_default_exchange()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = ""u8, Type = "direct"u8, Durable = true });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - operation not permitted on the default exchange", 40, 10);
    }

    [Fact, Trait("Note", "25")]
    public async Task Note_25_delete_of_the_default_exchange()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDelete { Exchange = ""u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - operation not permitted on the default exchange", 40, 20);
    }

    [Fact, Trait("Note", "25")]
    public async Task Note_25_binding_to_the_default_exchange()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        const string Text = "ACCESS_REFUSED - operation not permitted on the default exchange";
        await client.Send(new QueueBind { Queue = "q"u8, RoutingKey = "k"u8 });
        await client.ExpectChannelClose(403, Text, 50, 20);
        await client.Send(new QueueUnbind { Queue = "q"u8, RoutingKey = "q"u8 });
        await client.ExpectChannelClose(403, Text, 50, 50);
        await client.Send(new ExchangeBind { Destination = "amq.direct"u8, Source = ""u8 });
        await client.ExpectChannelClose(403, Text, 40, 30);
        await client.Send(new ExchangeBind { Destination = ""u8, Source = "amq.direct"u8 });
        await client.ExpectChannelClose(403, Text, 40, 30);
        await client.Send(new ExchangeUnbind { Destination = "amq.direct"u8, Source = ""u8 });
        await client.ExpectChannelClose(403, Text, 40, 40);
        await client.Publish("", "q", "still bound");
        (await client.Get("q")).Text.ShouldBe("still bound");
    }

    [Theory, Trait("Note", "26")]
    [InlineData("amq.direct")]
    [InlineData("amq.missing")]
    public async Task Note_26_delete_of_a_system_exchange(string name)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDelete { Exchange = WireScript.Bytes(name) });
        await client.ExpectChannelClose(403, $"ACCESS_REFUSED - deletion of system exchange '{name}' in vhost '/' not allowed", 40, 20);
    }

    [Fact, Trait("Note", "26")]
    public async Task Note_26_system_exchange_is_refused_before_the_permission_is_looked_at()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May("^$", "^$", "^$"))]);
        WireScript client = await server.Open();
        await client.Send(new ExchangeDelete { Exchange = "amq.direct"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - deletion of system exchange 'amq.direct' in vhost '/' not allowed", 40, 20);
    }

    [Fact, Trait("Note", "27")]
    public async Task Note_27_reserved_prefix_counts_only_on_creation()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ExchangeDeclare { Exchange = "amq.direct"u8, Type = "direct"u8, Durable = true }, AmqpMethod.ExchangeDeclareOk);
        await client.Send(new ExchangeDeclare { Exchange = "amq.foo"u8, Type = "direct"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - exchange name 'amq.foo' contains reserved prefix 'amq.*'", 40, 10);
        await client.Send(new ExchangeDeclare { Exchange = "amq.foo"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'amq.foo' in vhost '/'", 40, 10);
    }

    [Fact, Trait("Note", "28")]
    public async Task Note_28_line_breaks_are_stripped_from_names()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("my\r\nexchange\n", "fanout");
        await client.Call(new ExchangeDeclare { Exchange = "myexchange"u8, Passive = true }, AmqpMethod.ExchangeDeclareOk);
    }

    [Fact, Trait("Note", "28")]
    public async Task Note_28_names_are_bytes()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] name = [0xFF, 0xFE, 0x00, 0x80];
        await client.Call(new ExchangeDeclare { Exchange = name, Type = "fanout"u8 }, AmqpMethod.ExchangeDeclareOk);
        await client.Call(new ExchangeDeclare { Exchange = name, Passive = true }, AmqpMethod.ExchangeDeclareOk);
        await client.Send(new ExchangeDeclare { Exchange = "\u00FF"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange '\u00FF' in vhost '/'", 40, 10);
    }

    [Fact, Trait("Note", "35")]
    public async Task Note_35_delete_of_a_missing_exchange_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ExchangeDelete { Exchange = "none"u8 }, AmqpMethod.ExchangeDeleteOk);
        await client.Call(new ExchangeDelete { Exchange = "none"u8, IfUnused = true }, AmqpMethod.ExchangeDeleteOk);
    }

    [Fact, Trait("Note", "37")]
    public async Task Note_37_used_means_a_binding_with_it_as_source()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("up", "fanout");
        await client.DeclareExchange("down", "fanout");
        await client.BindExchange("down", "up", "");
        await client.Send(new ExchangeDelete { Exchange = "up"u8, IfUnused = true });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - exchange 'up' in vhost '/' in use", 40, 20);
        await client.Call(new ExchangeDelete { Exchange = "down"u8, IfUnused = true }, AmqpMethod.ExchangeDeleteOk);
        await client.Call(new ExchangeDelete { Exchange = "up"u8, IfUnused = true }, AmqpMethod.ExchangeDeleteOk);
    }

    [Theory, Trait("Note", "38")]
    [InlineData("fanout", false, false, false, "type", "'fanout'", "'direct'")]
    [InlineData("direct", true, false, false, "durable", "'true'", "'false'")]
    [InlineData("direct", false, true, false, "auto_delete", "'true'", "'false'")]
    [InlineData("direct", false, false, true, "internal", "'true'", "'false'")]
    public async Task Note_38_what_differs_is_told(
        string type, bool durable, bool autoDelete, bool isInternal, string field, string received, string current)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "direct");
        await client.Send(new ExchangeDeclare
        {
            Exchange = "x"u8,
            Type = WireScript.Bytes(type),
            Durable = durable,
            AutoDelete = autoDelete,
            Internal = isInternal,
        });
        await client.ExpectChannelClose(
            406, $"PRECONDITION_FAILED - inequivalent arg '{field}' for exchange 'x' in vhost '/': received {received} but current is {current}",
            40, 10);
    }

    [Fact, Trait("Note", "38")]
    public async Task Note_38_only_the_alternate_exchange_counts_among_the_arguments()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "direct", arguments: Fields.Of(("alternate-exchange", "ae"), ("hash-header", "a")));
        await client.DeclareExchange("x", "direct", arguments: Fields.Of(("alternate-exchange", "ae"), ("hash-header", "b"), ("other", 1)));
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8, Arguments = Fields.Of(("alternate-exchange", "be")) });
        await client.ExpectChannelClose(
            406,
            "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': " +
            "received 'be' but current is 'ae'",
            40, 10);
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8 });
        await client.ExpectChannelClose(
            406,
            "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': " +
            "received none but current is the value 'ae' of type 'longstr'",
            40, 10);
    }

    [Fact, Trait("Note", "39")]
    public async Task Note_39_unknown_type()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "nonsense"u8 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown exchange type 'nonsense'", 40, 10);
    }

    [Fact, Trait("Note", "39")]
    public async Task Note_39_type_that_is_not_built_yet()
    {
        const string type = "x-jms-topic";
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = WireScript.Bytes(type) });
        WireFrame close = await client.Expect(AmqpMethod.ChannelClose);
        close.ToString().ShouldContain($"406 PRECONDITION_FAILED - unknown exchange type '{type}'");
    }

    [Fact, Trait("Note", "40")]
    public async Task Note_40_internal_exchange_cannot_be_published_to()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("inside", "fanout", isInternal: true);
        await client.Publish("inside", "", "x");
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - cannot publish to internal exchange 'inside' in vhost '/'", 60, 40);
    }

    [Fact, Trait("Note", "40")]
    public async Task Note_40_internal_exchange_can_be_bound()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("outside", "fanout");
        await client.DeclareExchange("inside", "fanout", isInternal: true);
        await client.DeclareQueue("q");
        await client.BindExchange("inside", "outside", "");
        await client.Bind("q", "inside", "");
        await client.Publish("outside", "", "x");
        (await client.Get("q")).Text.ShouldBe("x");
    }

    [Fact, Trait("Note", "41")]
    public async Task Note_41_auto_delete_exchange_goes_with_its_last_binding()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "direct", autoDelete: true);
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "a");
        await client.Bind("q", "x", "b");
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = "a"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new ExchangeDeclare { Exchange = "x"u8, Passive = true }, AmqpMethod.ExchangeDeclareOk);
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = "b"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'x' in vhost '/'", 40, 10);
    }

    [Fact, Trait("Note", "41")]
    public async Task Note_41_being_a_destination_does_not_count()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("up", "fanout");
        await client.DeclareExchange("x", "fanout", autoDelete: true);
        await client.BindExchange("x", "up", "");
        await client.Call(new ExchangeUnbind { Destination = "x"u8, Source = "up"u8 }, AmqpMethod.ExchangeUnbindOk);
        await client.Call(new ExchangeDeclare { Exchange = "x"u8, Passive = true }, AmqpMethod.ExchangeDeclareOk);
    }

    [Fact, Trait("Note", "42")]
    public async Task Note_42_auto_delete_cascades_up()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("top", "fanout", autoDelete: true);
        await client.DeclareExchange("middle", "fanout", autoDelete: true);
        await client.DeclareQueue("q");
        await client.BindExchange("middle", "top", "");
        await client.Bind("q", "middle", "");
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await client.Send(new ExchangeDeclare { Exchange = "middle"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'middle' in vhost '/'", 40, 10);
        await client.Send(new ExchangeDeclare { Exchange = "top"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'top' in vhost '/'", 40, 10);
    }

    [Fact]
    public async Task Delete_takes_bindings_along()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "fanout");
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "");
        await client.Call(new ExchangeDelete { Exchange = "x"u8 }, AmqpMethod.ExchangeDeleteOk);
        await client.DeclareExchange("x", "fanout");
        await client.Publish("x", "", "lost");
        await client.GetNothing("q");
    }

    [Fact, Trait("Note", "45")]
    public async Task Note_45_cycle_of_exchanges_is_visited_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("a", "fanout");
        await client.DeclareExchange("b", "fanout");
        await client.DeclareQueue("q");
        await client.BindExchange("b", "a", "");
        await client.BindExchange("a", "b", "");
        await client.BindExchange("a", "a", "");
        await client.Bind("q", "a", "");
        await client.Bind("q", "b", "");
        await client.Publish("a", "", "once");
        (await client.Drain("q")).ShouldBe(["once"]);
    }

    [Fact, Trait("Note", "45")]
    public async Task Note_45_alternate_exchange_of_a_nested_exchange()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("rest", "fanout");
        await client.DeclareExchange("outer", "fanout");
        await client.DeclareExchange("inner", "direct", arguments: Fields.Of(("alternate-exchange", "rest")));
        await client.DeclareQueue("direct");
        await client.DeclareQueue("unmatched");
        await client.BindExchange("inner", "outer", "");
        await client.Bind("direct", "outer", "");
        await client.Bind("unmatched", "rest", "");
        await client.Publish("outer", "k", "x");
        (await client.Drain("direct")).ShouldBe(["x"]);
        (await client.Drain("unmatched")).ShouldBe(["x"]); // inner matched nothing, though the message did reach a queue
    }

    [Fact, Trait("Note", "45")]
    public async Task Note_45_alternate_exchange_takes_only_what_matches_nothing()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("rest", "fanout");
        await client.DeclareExchange("x", "direct", arguments: Fields.Of(("alternate-exchange", "rest")));
        await client.DeclareQueue("q");
        await client.DeclareQueue("unmatched");
        await client.Bind("q", "x", "k");
        await client.Bind("unmatched", "rest", "");
        await client.Publish("x", "k", "matched", mandatory: true);
        await client.Publish("x", "other", "rest", mandatory: true);
        (await client.Drain("q")).ShouldBe(["matched"]);
        (await client.Drain("unmatched")).ShouldBe(["rest"]); // and it counts as routed: nothing was returned
    }

    [Fact, Trait("Note", "45")]
    public async Task Note_45_chain_of_alternate_exchanges_stops_where_it_has_been()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("a", "direct", arguments: Fields.Of(("alternate-exchange", "b")));
        await client.DeclareExchange("b", "direct", arguments: Fields.Of(("alternate-exchange", "a")));
        await client.Publish("a", "k", "x", mandatory: true);
        (await client.ExpectReturn()).Exchange.ShouldBe("a");
    }

    [Fact, Trait("Note", "46")]
    public async Task Note_46_missing_alternate_exchange_means_unroutable()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "direct", arguments: Fields.Of(("alternate-exchange", "nowhere")));
        await client.Publish("x", "k", "x", mandatory: true);
        (await client.ExpectReturn()).ReplyText.ShouldBe("NO_ROUTE");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Alternate_exchange_must_be_a_name()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8, Arguments = Fields.Of(("alternate-exchange", 5)) });
        WireFrame close = await client.Expect(AmqpMethod.ChannelClose);
        close.ToString().ShouldContain("406 PRECONDITION_FAILED - ");
    }

    [Fact]
    public async Task Declare_and_delete_need_configure_permission()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May("^ok", ".*", ".*"))]);
        WireScript client = await server.Open();
        await client.DeclareExchange("ok", "fanout");
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "fanout"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - configure access to exchange 'x' in vhost '/' refused for user 'guest'", 40, 10);
        await client.Send(new ExchangeDelete { Exchange = "x"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - configure access to exchange 'x' in vhost '/' refused for user 'guest'", 40, 20);
    }

    [Theory]
    [InlineData("^x$", "^ae$", "^$", "read access to exchange 'x'")]
    [InlineData("^x$", "^$", "^x$", "write access to exchange 'ae'")]
    public async Task Alternate_exchange_needs_read_on_the_exchange_and_write_on_the_alternate(
        string configure, string write, string read, string refused)
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(configure, write, read))]);
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8, Arguments = Fields.Of(("alternate-exchange", "ae")) });
        await client.ExpectChannelClose(403, $"ACCESS_REFUSED - {refused} in vhost '/' refused for user 'guest'", 40, 10);
    }

    [Fact]
    public async Task Alternate_exchange_permissions_are_asked_for_only_when_the_exchange_is_new()
    {
        await using var server = new TestServer([TestUsers.Guest, TestUsers.Create("limited", "x", TestUsers.May(".*", "^$", "^$"))]);
        byte[] arguments = Fields.Of(("alternate-exchange", "ae"));
        await (await server.Open()).DeclareExchange("x", "direct", arguments: arguments);
        WireScript client = await server.Open(new OpenOptions { User = "limited", Password = "x" });
        await client.DeclareExchange("x", "direct", arguments: arguments);
    }
}
