namespace Harrier.Amqp.Tests;

/// <summary>queue.declare, queue.purge and queue.delete.</summary>
public class QueueTests
{
    [Fact]
    public async Task Declare_tells_name_messages_and_consumers()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        (await client.DeclareQueue("q")).ShouldBe(new DeclaredQueue("q", 0, 0));
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b");
        (await client.DeclareQueue("q")).ShouldBe(new DeclaredQueue("q", 2, 0));
        await client.Qos(1);
        await client.Consume("q", "c");
        await client.ExpectDelivery();
        (await client.DeclareQueue("q")).ShouldBe(new DeclaredQueue("q", 1, 1)); // ready only
    }

    [Fact]
    public async Task Nowait_variants_are_silent_and_work()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Nowait = true });
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("amq.direct", "k", "x");
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        await client.Send(new QueuePurge { Queue = "q"u8, Nowait = true });
        await client.ExpectQuiet();
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
        await client.Send(new QueueDelete { Queue = "q"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Send(new QueueDeclare { Queue = "q"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'q' in vhost '/'", 50, 10);
    }

    [Fact, Trait("Note", "27")]
    public async Task Note_27_reserved_prefix_counts_only_on_creation()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "amq.foo"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - queue name 'amq.foo' contains reserved prefix 'amq.*'", 50, 10);
        await client.Send(new QueueDeclare { Queue = "amq.foo"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'amq.foo' in vhost '/'", 50, 10);
        DeclaredQueue given = await client.DeclareQueue("");
        (await client.DeclareQueue(given.Name)).Name.ShouldBe(given.Name);
    }

    [Fact, Trait("Note", "28")]
    public async Task Note_28_line_breaks_are_stripped_from_names()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        (await client.DeclareQueue("my\r\nqueue\n")).Name.ShouldBe("myqueue");
        (await client.InspectQueue("myqueue")).Name.ShouldBe("myqueue");
    }

    [Fact, Trait("Note", "28")]
    public async Task Note_28_line_breaks_are_stripped_from_the_name_to_delete()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("my\nqueue");
        await client.Publish("", "myqueue", "x");
        DeletedOf(await client.Call(new QueueDelete { Queue = "my\nqueue"u8 }, AmqpMethod.QueueDeleteOk)).ShouldBe(1u);
    }

    [Fact, Trait("Note", "28")]
    public async Task Note_28_names_are_bytes_up_to_255()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] name = new byte[255];
        Array.Fill(name, (byte)0xFE);
        WireFrame ok = await client.Call(new QueueDeclare { Queue = name }, AmqpMethod.QueueDeclareOk);
        QueueDeclareOk.Decode(ok.Arguments).Queue.ToArray().ShouldBe(name);
    }

    [Fact, Trait("Note", "29")]
    public async Task Note_29_empty_name_is_the_last_queue_declared_on_the_channel()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("other");
        await client.DeclareQueue("q");
        await client.Bind("", "amq.direct", "k");
        await client.Publish("amq.direct", "k", "a");
        await client.Publish("amq.direct", "k", "b");
        await client.Publish("amq.direct", "k", "c");
        (await client.Get("")).Text.ShouldBe("a");
        await client.Consume("", "c");
        (await client.ExpectDelivery()).Text.ShouldBe("b");
        (await client.ExpectDelivery()).Text.ShouldBe("c");
        MessagesOf(await client.Call(new QueuePurge(), AmqpMethod.QueuePurgeOk)).ShouldBe(0u);
        await client.Call(new QueueUnbind { Exchange = "amq.direct"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Publish("amq.direct", "k", "unbound");
        await client.InspectQueue("other"); // counts as well
        await client.Call(new QueueDelete(), AmqpMethod.QueueDeleteOk);
        await client.Send(new QueueDeclare { Queue = "other"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'other' in vhost '/'", 50, 10);
        (await client.InspectQueue("q")).Name.ShouldBe("q");
    }

    [Theory, Trait("Note", "29")]
    [InlineData(AmqpMethod.QueueBind)]
    [InlineData(AmqpMethod.QueueUnbind)]
    [InlineData(AmqpMethod.QueuePurge)]
    [InlineData(AmqpMethod.QueueDelete)]
    [InlineData(AmqpMethod.BasicConsume)]
    [InlineData(AmqpMethod.BasicGet)]
    public async Task Note_29_empty_name_without_a_declaration_on_this_channel(AmqpMethod method)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.OpenChannel(2);
        await client.DeclareQueue("q", channel: 2);
        await (method switch
        {
            AmqpMethod.QueueBind => client.Send(new QueueBind { Exchange = "amq.direct"u8 }),
            AmqpMethod.QueueUnbind => client.Send(new QueueUnbind { Exchange = "amq.direct"u8 }),
            AmqpMethod.QueuePurge => client.Send(new QueuePurge()),
            AmqpMethod.QueueDelete => client.Send(new QueueDelete()),
            AmqpMethod.BasicConsume => client.Send(new BasicConsume()),
            _ => client.Send(new BasicGet()),
        });
        await client.ExpectChannelClose(404, "NOT_FOUND - no previously declared queue", (int)((uint)method >> 16), (int)method & 0xFFFF);
    }

    [Fact, Trait("Note", "29")]
    public async Task Note_29_bind_without_queue_and_key_uses_the_name_twice()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("", "amq.direct", "");
        await client.Publish("amq.direct", "q", "by its name");
        (await client.Drain("q")).ShouldBe(["by its name"]);
        await client.Bind("q", "amq.direct", ""); // a key that is really empty
        await client.Publish("amq.direct", "", "by nothing");
        (await client.Drain("q")).ShouldBe(["by nothing"]);
    }

    [Fact, Trait("Note", "30")]
    public async Task Note_30_server_named_queue()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        DeclaredQueue first = await client.DeclareQueue(""), second = await client.DeclareQueue("");
        first.Name.ShouldMatch("^amq\\.gen-[A-Za-z0-9_-]{22}$");
        second.Name.ShouldNotBe(first.Name);
    }

    [Fact, Trait("Note", "30")]
    public async Task Note_30_server_named_quorum_queue_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Durable = true, Arguments = Fields.Of(("x-queue-type", "quorum")) });
        await client.ExpectChannelClose(
            406, "PRECONDITION_FAILED - Cannot declare a server-named queue for type rabbit_quorum_queue", 50, 10);
    }

    [Fact, Trait("Note", "31")]
    public async Task Note_31_exclusive_queue_is_never_durable()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, exclusive: true);
        await client.DeclareQueue("q", durable: true, exclusive: true);
        await client.DeclareQueue("q", durable: false, exclusive: true);
    }

    [Theory, Trait("Note", "32")]
    [InlineData(AmqpMethod.QueueDeclare, false)]
    [InlineData(AmqpMethod.QueueDeclare, true)]
    [InlineData(AmqpMethod.QueueBind, false)]
    [InlineData(AmqpMethod.QueueUnbind, false)]
    [InlineData(AmqpMethod.QueuePurge, false)]
    [InlineData(AmqpMethod.QueueDelete, false)]
    [InlineData(AmqpMethod.BasicConsume, false)]
    [InlineData(AmqpMethod.BasicGet, false)]
    public async Task Note_32_exclusive_queue_of_another_connection_is_locked(AmqpMethod method, bool passive)
    {
        await using var server = new TestServer();
        WireScript owner = await server.Open();
        WireScript client = await server.Open();
        await owner.DeclareQueue("q", exclusive: true);
        await owner.Bind("q", "amq.direct", "k");
        await (method switch
        {
            AmqpMethod.QueueDeclare => client.Send(new QueueDeclare { Queue = "q"u8, Exclusive = true, Passive = passive }),
            AmqpMethod.QueueBind => client.Send(new QueueBind { Queue = "q"u8, Exchange = "amq.direct"u8 }),
            AmqpMethod.QueueUnbind => client.Send(new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8 }),
            AmqpMethod.QueuePurge => client.Send(new QueuePurge { Queue = "q"u8 }),
            AmqpMethod.QueueDelete => client.Send(new QueueDelete { Queue = "q"u8 }),
            AmqpMethod.BasicConsume => client.Send(new BasicConsume { Queue = "q"u8 }),
            _ => client.Send(new BasicGet { Queue = "q"u8 }),
        });
        await client.ExpectChannelClose(405, LockedText("q"), (int)((uint)method >> 16), (int)method & 0xFFFF);
    }

    [Fact, Trait("Note", "32")]
    public async Task Note_32_publishing_to_another_connections_exclusive_queue_is_allowed()
    {
        await using var server = new TestServer();
        WireScript owner = await server.Open();
        WireScript client = await server.Open();
        await owner.DeclareQueue("q", exclusive: true);
        await client.Publish("", "q", "x");
        (await owner.Get("q")).Text.ShouldBe("x");
    }

    [Theory, Trait("Note", "33")]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Note_33_exclusivity_is_compared_first(bool isExclusive, bool asked)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", exclusive: isExclusive);
        await client.Send(new QueueDeclare { Queue = "q"u8, Exclusive = asked, AutoDelete = true, Durable = true });
        await client.ExpectChannelClose(405, LockedText("q"), 50, 10);
    }

    [Fact, Trait("Note", "33")]
    public async Task Note_33_then_durable_then_auto_delete_then_the_arguments()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] other = Fields.Of(("x-queue-version", 2));
        await client.DeclareQueue("q", durable: true);
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = false, AutoDelete = true, Arguments = other });
        await client.ExpectChannelClose(406, Inequivalent("durable", "'false'", "'true'"), 50, 10);
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = true, AutoDelete = true, Arguments = other });
        await client.ExpectChannelClose(406, Inequivalent("auto_delete", "'true'", "'false'"), 50, 10);
        await client.DeclareQueue("q", durable: true);
    }

    [Fact, Trait("Note", "33")]
    public async Task Note_33_absent_argument_is_none()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-queue-leader-locator", "client-local")));
        await client.Send(new QueueDeclare { Queue = "q"u8 });
        await client.ExpectChannelClose(
            406, Inequivalent("x-queue-leader-locator", "none", "the value 'client-local' of type 'longstr'"), 50, 10);
    }

    [Fact, Trait("Note", "33")]
    public async Task Note_33_numbers_compare_by_value()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-queue-version", 2)));
        await client.DeclareQueue("q", arguments: Fields.Of(("x-queue-version", 2L)));
        await client.DeclareQueue("q", arguments: Fields.Of(("x-queue-version", (short)2)));
        await client.DeclareQueue("q", arguments: Fields.Of(("x-queue-version", (sbyte)2)));
    }

    [Fact, Trait("Note", "33")]
    public async Task Note_33_queue_type_is_compared()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = true, Arguments = Fields.Of(("x-queue-type", "classic")) });
        WireFrame close = await client.Expect(AmqpMethod.ChannelClose);
        close.ToString().ShouldContain("406 PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': ");
        close.ToString().ShouldContain("quorum");
    }

    [Fact, Trait("Note", "34")]
    public async Task Note_34_passive_declare_ignores_everything_else()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true);
        await client.Publish("", "q", "a");
        WireFrame ok = await client.Call(
            new QueueDeclare { Queue = "q"u8, Passive = true, Exclusive = false, AutoDelete = true, Arguments = Fields.Of(("x-message-ttl", "?")) },
            AmqpMethod.QueueDeclareOk);
        QueueDeclareOk.Decode(ok.Arguments).MessageCount.ShouldBe(1u);
        await client.Send(new QueueDeclare { Queue = "q"u8, Passive = true, Nowait = true });
        await client.ExpectQuiet();
        await client.Send(new QueueDeclare { Queue = "none"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'none' in vhost '/'", 50, 10);
    }

    [Theory, Trait("Note", "34")]
    [InlineData("^q$", "", "")]
    [InlineData("", "^q$", "")]
    [InlineData("", "", "^q$")]
    public async Task Note_34_any_permission_suffices_for_a_passive_declare(string configure, string write, string read)
    {
        await using var server = new TestServer([TestUsers.Guest, TestUsers.Create("limited", "x", TestUsers.May(configure, write, read))]);
        await (await server.Open()).DeclareQueue("q");
        WireScript client = await server.Open(new OpenOptions { User = "limited", Password = "x" });
        await client.InspectQueue("q");
    }

    [Fact, Trait("Note", "34")]
    public async Task Note_34_no_permission_at_all_does_not_suffice()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May("", "", ""))]);
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Passive = true });
        WireFrame close = await client.Expect(AmqpMethod.ChannelClose);
        close.ToString().ShouldContain("403 ACCESS_REFUSED - ");
    }

    [Fact, Trait("Note", "35")]
    public async Task Note_35_delete_of_a_missing_queue_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireFrame ok = await client.Call(new QueueDelete { Queue = "none"u8, IfEmpty = true, IfUnused = true }, AmqpMethod.QueueDeleteOk);
        DeletedOf(ok).ShouldBe(0u);
    }

    [Fact, Trait("Note", "35")]
    public async Task Note_35_purge_of_a_missing_queue_is_not()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueuePurge { Queue = "none"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'none' in vhost '/'", 50, 30);
    }

    [Fact]
    public async Task Purge_and_delete_count_ready_messages()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 3; i++) await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        MessagesOf(await client.Call(new QueuePurge { Queue = "q"u8 }, AmqpMethod.QueuePurgeOk)).ShouldBe(2u);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        await client.Publish("", "q", "y");
        DeletedOf(await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk)).ShouldBe(2u);
    }

    [Fact, Trait("Note", "36")]
    public async Task Note_36_delete_if_unused_and_if_empty()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(1);
        await client.Consume("q", "c");
        await client.Publish("", "q", "a");
        await client.ExpectDelivery();
        await client.Publish("", "q", "b");
        await client.OpenChannel(2);
        await client.Send(new QueueDelete { Queue = "q"u8, IfUnused = true }, 2);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - queue 'q' in vhost '/' in use", 50, 40, 2);
        await client.Send(new QueueDelete { Queue = "q"u8, IfEmpty = true }, 2);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty", 50, 40, 2);
        await client.Send(new QueueDelete { Queue = "q"u8, IfUnused = true, IfEmpty = true }, 2);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - queue 'q' in vhost '/' in use", 50, 40, 2);
        await client.Call(new QueuePurge { Queue = "q"u8 }, AmqpMethod.QueuePurgeOk, 2);
        await client.Send(new QueueDelete { Queue = "q"u8, IfEmpty = true }, 2); // unacked do not count
        await client.Expect(AmqpMethod.BasicCancel);
        await client.Expect(AmqpMethod.QueueDeleteOk, 2);
    }

    [Theory, Trait("Note", "36")]
    [InlineData(true, "if-unused")]
    [InlineData(false, "if-empty")]
    public async Task Note_36_quorum_queue_knows_neither(bool ifUnused, string flag)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Send(new QueueDelete { Queue = "q"u8, IfUnused = ifUnused, IfEmpty = !ifUnused });
        await client.ExpectConnectionClose(
            540,
            "NOT_IMPLEMENTED - cannot delete queue 'q' in vhost '/'. " +
            $"queue.delete operations with {flag} flag set are not supported by quorum queues",
            50, 40);
    }

    [Fact, Trait("Note", "41")]
    public async Task Note_41_auto_delete_queue_goes_with_its_last_consumer()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", autoDelete: true);
        await client.Publish("", "q", "x");
        await client.Get("q"); // does not count
        await client.InspectQueue("q");
        await client.Consume("q", "a");
        await client.Consume("q", "b");
        await client.Call(new BasicCancel { ConsumerTag = "a"u8 }, AmqpMethod.BasicCancelOk);
        await client.InspectQueue("q");
        await client.Call(new BasicCancel { ConsumerTag = "b"u8 }, AmqpMethod.BasicCancelOk);
        await client.Send(new QueueDeclare { Queue = "q"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'q' in vhost '/'", 50, 10);
    }

    [Fact, Trait("Note", "41")]
    public async Task Note_41_auto_delete_queue_goes_with_the_connection_of_its_last_consumer()
    {
        await using var server = new TestServer();
        WireScript consumer = await server.Open();
        WireScript client = await server.Open();
        await consumer.DeclareQueue("q", autoDelete: true);
        await consumer.Consume("q", "a");
        consumer.Leave();
        await consumer.Served.WaitAsync(TestServer.SafetyNet);
        await client.Send(new QueueDeclare { Queue = "q"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'q' in vhost '/'", 50, 10);
    }

    [Fact, Trait("Note", "55")]
    public async Task Note_55_deleted_and_purged_messages_are_just_gone()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        (await client.DeclareQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Theory]
    [InlineData(AmqpMethod.QueueDeclare, "configure")]
    [InlineData(AmqpMethod.QueueDelete, "configure")]
    [InlineData(AmqpMethod.QueuePurge, "read")]
    [InlineData(AmqpMethod.BasicGet, "read")]
    [InlineData(AmqpMethod.BasicConsume, "read")]
    public async Task Permission_is_checked_before_existence(AmqpMethod method, string permission)
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May("^$", "^$", "^$"))]);
        WireScript client = await server.Open();
        await (method switch
        {
            AmqpMethod.QueueDeclare => client.Send(new QueueDeclare { Queue = "q"u8 }),
            AmqpMethod.QueueDelete => client.Send(new QueueDelete { Queue = "q"u8 }),
            AmqpMethod.QueuePurge => client.Send(new QueuePurge { Queue = "q"u8 }),
            AmqpMethod.BasicConsume => client.Send(new BasicConsume { Queue = "q"u8 }),
            _ => client.Send(new BasicGet { Queue = "q"u8 }),
        });
        await client.ExpectChannelClose(
            403, $"ACCESS_REFUSED - {permission} access to queue 'q' in vhost '/' refused for user 'guest'",
            (int)((uint)method >> 16), (int)method & 0xFFFF);
    }

    private static uint MessagesOf(WireFrame purgeOk) => QueuePurgeOk.Decode(purgeOk.Arguments).MessageCount;

    private static uint DeletedOf(WireFrame deleteOk) => QueueDeleteOk.Decode(deleteOk.Arguments).MessageCount;

    private static string Inequivalent(string field, string received, string current) =>
        $"PRECONDITION_FAILED - inequivalent arg '{field}' for queue 'q' in vhost '/': received {received} but current is {current}";

    // The text is longer than 255 octets.
    private static string LockedText(string queue)
    {
        string text = $"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{queue}' in vhost '/'. " +
            "It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.";
        return text.Length > 255 ? text[..252] + "..." : text;
    }
}
