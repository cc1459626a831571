namespace Harrier.Amqp.Tests;

/// <summary>queue.bind, queue.unbind, exchange.bind, exchange.unbind, and what each exchange type matches.</summary>
public class BindingTests
{
    [Fact]
    public async Task Every_binding_method_has_its_reply_and_nowait_has_none()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareExchange("x", "fanout");
        await client.Call(new QueueBind { Queue = "q"u8, Exchange = "x"u8 }, AmqpMethod.QueueBindOk);
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "x"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new ExchangeBind { Destination = "x"u8, Source = "amq.direct"u8 }, AmqpMethod.ExchangeBindOk);
        WireFrame unbound = await client.Call(new ExchangeUnbind { Destination = "x"u8, Source = "amq.direct"u8 }, AmqpMethod.ExchangeUnbindOk);
        ((uint)unbound.Method & 0xFFFF).ShouldBe(51u); // not 41: an oddity of the specification
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "x"u8, Nowait = true });
        await client.Send(new ExchangeBind { Destination = "x"u8, Source = "amq.direct"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("amq.direct", "", "through both");
        (await client.Drain("q")).ShouldBe(["through both"]);
        await client.Send(new ExchangeUnbind { Destination = "x"u8, Source = "amq.direct"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("amq.direct", "", "lost");
        await client.GetNothing("q");
    }

    [Fact]
    public async Task Missing_ends_are_not_found()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new QueueBind { Queue = "none"u8, Exchange = "amq.direct"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'none' in vhost '/'", 50, 20);
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "none"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'none' in vhost '/'", 50, 20);
        await client.Send(new ExchangeBind { Destination = "none"u8, Source = "amq.direct"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'none' in vhost '/'", 40, 30);
        await client.Send(new ExchangeBind { Destination = "amq.direct"u8, Source = "none"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'none' in vhost '/'", 40, 30);
    }

    [Fact, Trait("Note", "35")]
    public async Task Note_35_unbind_of_a_missing_binding_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new QueueUnbind { Queue = "none"u8, Exchange = "amq.direct"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "none"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new ExchangeUnbind { Destination = "amq.fanout"u8, Source = "amq.direct"u8 }, AmqpMethod.ExchangeUnbindOk);
    }

    [Fact, Trait("Note", "43")]
    public async Task Note_43_duplicate_binding_is_one_binding()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "k");
        await client.Bind("q", "amq.direct", "k");
        await client.Publish("amq.direct", "k", "once");
        (await client.Drain("q")).ShouldBe(["once"]);
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Publish("amq.direct", "k", "lost");
        await client.GetNothing("q");
    }

    [Fact, Trait("Note", "43")]
    public async Task Note_43_other_arguments_are_another_binding_that_delivers_no_second_copy()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "k", Fields.Of(("a", 1)));
        await client.Bind("q", "amq.direct", "k", Fields.Of(("a", 2)));
        await client.Publish("amq.direct", "k", "once");
        (await client.Drain("q")).ShouldBe(["once"]);
        await client.Call(
            new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8, Arguments = Fields.Of(("a", 1)) },
            AmqpMethod.QueueUnbindOk);
        await client.Publish("amq.direct", "k", "by the other");
        (await client.Drain("q")).ShouldBe(["by the other"]);
    }

    [Fact, Trait("Note", "43")]
    public async Task Note_43_order_of_arguments_does_not_matter()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "k", Fields.Of(("a", 1), ("b", "x")));
        await client.Call(
            new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8, Arguments = Fields.Of(("b", "x"), ("a", 1)) },
            AmqpMethod.QueueUnbindOk);
        await client.Publish("amq.direct", "k", "lost");
        await client.GetNothing("q");
    }

    [Theory, Trait("Note", "44")]
    [InlineData("^$", ".*", "write access to queue 'q'")]
    [InlineData(".*", "^$", "read access to exchange 'amq.direct'")]
    public async Task Note_44_bind_needs_write_on_the_queue_and_read_on_the_exchange(string write, string read, string refused)
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(".*", write, read))]);
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        string text = $"ACCESS_REFUSED - {refused} in vhost '/' refused for user 'guest'";
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.direct"u8 });
        await client.ExpectChannelClose(403, text, 50, 20);
        await client.Send(new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8 });
        await client.ExpectChannelClose(403, text, 50, 50);
    }

    [Theory, Trait("Note", "44")]
    [InlineData("^$", ".*", "write access to exchange 'amq.fanout'")]
    [InlineData(".*", "^$", "read access to exchange 'amq.direct'")]
    public async Task Note_44_exchange_bind_needs_write_on_the_destination_and_read_on_the_source(string write, string read, string refused)
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(".*", write, read))]);
        WireScript client = await server.Open();
        string text = $"ACCESS_REFUSED - {refused} in vhost '/' refused for user 'guest'";
        await client.Send(new ExchangeBind { Destination = "amq.fanout"u8, Source = "amq.direct"u8 });
        await client.ExpectChannelClose(403, text, 40, 30);
        await client.Send(new ExchangeUnbind { Destination = "amq.fanout"u8, Source = "amq.direct"u8 });
        await client.ExpectChannelClose(403, text, 40, 40);
    }

    [Theory, Trait("Note", "49")]
    [InlineData("#", "", true)]
    [InlineData("", "", true)]
    [InlineData("*", "", false)]
    [InlineData("", "a", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a.b", false)]
    [InlineData("a.*.b", "a..b", true)] // an empty word is a word
    [InlineData("a.*", "a.", true)]
    [InlineData("*.a", ".a", true)]
    [InlineData("a.b", "a..b", false)]
    [InlineData("a.#", "a", true)]
    [InlineData("a.#", "a.b.c", true)]
    [InlineData("#.a", "a", true)]
    [InlineData("#.a", "x.y.a", true)]
    [InlineData("#.a", "x.y.b", false)]
    [InlineData("a.#.b", "a.b", true)]
    [InlineData("a.#.b", "a.x.y.b", true)]
    [InlineData("#.a.#", "x.a.y", true)]
    [InlineData("#.a.#", "x.y", false)]
    [InlineData("*.#", "", false)]
    [InlineData("#.*", "a", true)]
    [InlineData("a*", "ab", false)] // a star within a word is a letter
    [InlineData("a*", "a*", true)]
    public async Task Note_49_topics(string bindingKey, string routingKey, bool matches)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        // Not with an empty queue name, which would make an empty key mean something else.
        await client.Bind("q", "amq.topic", bindingKey);
        await client.Publish("amq.topic", routingKey, "x");
        (await client.Drain("q")).Length.ShouldBe(matches ? 1 : 0);
    }

    [Fact, Trait("Note", "49")]
    public async Task Note_49_more_than_two_hashes_are_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.topic", "#.a.#");
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.topic"u8, RoutingKey = "#.a.#.b.#"u8 });
        await client.ExpectChannelClose(
            406, "PRECONDITION_FAILED - Topic binding key '#.a.#.b.#' uses 3 '#' wildcards, at most 2 are allowed", 50, 20);
        await client.Bind("q", "amq.direct", "#.a.#.b.#"); // elsewhere it is just a key
    }

    [Fact]
    public async Task Topic_that_matches_by_several_ways_delivers_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        foreach (string key in (string[])["#", "a.#", "*.b", "a.b", "#.#"]) await client.Bind("q", "amq.topic", key);
        await client.Publish("amq.topic", "a.b", "once");
        (await client.Drain("q")).ShouldBe(["once"]);
    }

    public static TheoryData<string, string, bool> HeaderCases => new()
    {
        { "all", "", true },
        { "any", "", false },
        { "", "", true }, // without x-match
        { "all", "a=1", true },
        { "all", "a=1 b=x", true },
        { "all", "a=1 c=3", false },
        { "any", "a=1 c=3", true },
        { "any", "c=3", false },
        { "", "a=1 c=3", false },
        { "all", "a=1l", true }, // the width does not count
        { "all", "a=1d", false }, // a float is no integer
        { "all", "a=1t", false }, // nor is a text
        { "all", "a=?", true }, // void: presence
        { "all", "c=?", false },
        { "any", "x-extra=9", false }, // does not count
        { "all", "x-extra=9", true },
        { "all", "a=1 x-extra=9", true },
        { "all-with-x", "x-extra=9", false },
        { "all-with-x", "x-own=7", true },
        { "any-with-x", "x-own=7", true },
        { "any-with-x", "x-own=8", false },
    };

    [Theory, MemberData(nameof(HeaderCases)), Trait("Note", "50")]
    public async Task Note_50_headers(string match, string wanted, bool matches)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        FieldTableWriter arguments = Fields.Table();
        if (match.Length > 0) arguments.Add("x-match", match);
        foreach (string field in wanted.Split(' ', StringSplitOptions.RemoveEmptyEntries)) AddWanted(arguments, field);
        await client.Bind("q", "amq.headers", "ignored", arguments.Written.ToArray());
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("a", 1), ("b", "x"), ("x-own", 7))).Encode();
        await client.Publish("amq.headers", "k", "x", properties);
        (await client.Drain("q")).Length.ShouldBe(matches ? 1 : 0);
    }

    [Fact, Trait("Note", "50")]
    public async Task Note_50_message_without_headers()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("all");
        await client.DeclareQueue("some");
        await client.Bind("all", "amq.headers", "");
        await client.Bind("some", "amq.headers", "", Fields.Of(("a", 1)));
        await client.Publish("amq.headers", "", "x");
        (await client.Drain("all")).Length.ShouldBe(1);
        (await client.Drain("some")).ShouldBeEmpty();
    }

    [Fact, Trait("Note", "50")]
    public async Task Note_50_bad_match_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.headers"u8, Arguments = Fields.Of(("x-match", "some")) });
        (await client.Expect(AmqpMethod.ChannelClose)).ToString().ShouldContain("406 PRECONDITION_FAILED - ");
        await client.Send(new ChannelCloseOk());
        await client.OpenChannel(1);
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.headers"u8, Arguments = Fields.Of(("x-match", 1)) });
        (await client.Expect(AmqpMethod.ChannelClose)).ToString().ShouldContain("406 PRECONDITION_FAILED - ");
    }

    [Fact, Trait("Note", "51")]
    public async Task Note_51_direct_ignores_arguments_and_fanout_ignores_keys()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "k", Fields.Of(("x-match", "nonsense"), ("a", 1)));
        await client.Bind("q", "amq.fanout", "some key", Fields.Of(("a", 1)));
        await client.Publish("amq.direct", "k", "direct");
        await client.Publish("amq.direct", "K", "lost");
        await client.Publish("amq.fanout", "other key", "fanout");
        (await client.Drain("q")).ShouldBe(["direct", "fanout"]);
    }

    [Fact]
    public async Task Exchange_to_exchange_routes_with_the_original_key()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("down", "topic");
        await client.DeclareQueue("q");
        await client.BindExchange("down", "amq.fanout", "whatever");
        await client.Bind("q", "down", "a.*");
        await client.Publish("amq.fanout", "a.b", "matched");
        await client.Publish("amq.fanout", "b.a", "not");
        WireContent got = await client.Get("q");
        (got.Text, got.Exchange, got.RoutingKey, got.MessageCount).ShouldBe(("matched", "amq.fanout", "a.b", 0u));
    }

    [Fact]
    public async Task Publisher_sees_a_binding_that_another_connection_has_just_made()
    {
        await using var server = new TestServer();
        WireScript publisher = await server.Open();
        WireScript binder = await server.Open();
        await publisher.Publish("amq.direct", "k", "lost");
        await publisher.ExpectQuiet();
        await binder.DeclareQueue("q");
        await binder.Bind("q", "amq.direct", "k");
        await publisher.Publish("amq.direct", "k", "kept");
        await publisher.ExpectQuiet();
        (await binder.Drain("q")).ShouldBe(["kept"]);
    }

    private static void AddWanted(FieldTableWriter arguments, string field)
    {
        string[] parts = field.Split('=');
        object? value = parts[1] switch
        {
            "?" => null,
            "1l" => 1L,
            "1d" => 1.0,
            "1t" => "1",
            "x" => "x",
            _ => int.Parse(parts[1]),
        };
        ReadOnlySpan<byte> encoded = Fields.Of((parts[0], value));
        var reader = new FieldTableReader(encoded);
        reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes bytes);
        arguments.Add(name, bytes.Type, bytes.Bytes);
    }
}
