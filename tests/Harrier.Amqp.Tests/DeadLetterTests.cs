using Harrier.Broker.Security;
using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Where dead messages go, and what they tell there.</summary>
public class DeadLetterTests
{
    // When the clock of a test starts, in seconds.
    private const long StartS = 1_577_836_800;

    [Theory, Trait("Note", "100"), Trait("Note", "89")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Note_100_a_rejected_message_tells_of_its_death(bool byNack)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.MessageId, "m").Headers(Fields.Table(("a", 1))).Encode();
        await client.Publish("amq.topic", "q", "x", properties);
        await client.Get("q", noAck: false);
        server.Pass(5_900);
        if (byNack) await client.Send(new BasicNack { DeliveryTag = 1 });
        else await client.Send(new BasicReject { DeliveryTag = 1 });
        WireContent dead = await client.Get("dead");
        (dead.Exchange, dead.RoutingKey, dead.Redelivered, dead.Text).ShouldBe(("dlx", "q", false, "x"));
        dead.Headers().ShouldBe(
        [
            "a=I 1", "x-first-death-reason=S rejected", "x-first-death-queue=S q", "x-first-death-exchange=S amq.topic",
            $"x-death=A [F {{count=l 1, reason=S rejected, queue=S q, time=T {StartS + 5}, exchange=S amq.topic, routing-keys=A [S q]}}]",
            "x-last-death-reason=S rejected", "x-last-death-queue=S q", "x-last-death-exchange=S amq.topic",
        ]);
        PropertySection.Read(dead.Properties).Others.ShouldBe(["7: 016D"]);
    }

    [Fact, Trait("Note", "100"), Trait("Note", "61")]
    public async Task Note_100_an_expired_message_has_its_expiration_in_its_death_only()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        await client.Publish("", "q", "x", Expiring("60000"));
        await client.ExpectQuiet();
        server.Pass(60_000);
        WireContent dead = await client.Get("dead");
        PropertySection.Read(dead.Properties).HasExpiration.ShouldBeFalse();
        dead.Header("x-death").ShouldBe(
            $"A [F {{original-expiration=S 60000, count=l 1, reason=S expired, queue=S q, time=T {StartS + 60}, exchange=S , routing-keys=A [S q]}}]");
        server.Pass(600_000);
        await client.Publish("", "dead", "y", dead.Properties);
        (await client.InspectQueue("dead")).MessageCount.ShouldBe(1u, "it has no time of its own any more");
    }

    [Fact, Trait("Note", "100"), Trait("Note", "98")]
    public async Task Note_100_a_message_for_which_there_was_no_room_died_of_maxlen()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client, ("x-max-length", 1));
        await client.Publish("", "q", "first");
        await client.Publish("", "q", "second");
        WireContent dead = await client.Get("dead");
        (dead.Text, dead.Header("x-last-death-reason")).ShouldBe(("first", "S maxlen"));
        (await client.Drain("q")).ShouldBe(["second"]);
    }

    [Fact, Trait("Note", "100"), Trait("Note", "88")]
    public async Task Note_100_a_message_that_was_delivered_too_often_died_of_delivery_limit()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client, ("x-queue-type", "quorum"), ("x-delivery-limit", 1));
        await client.Publish("", "q", "x");
        for (ulong tag = 1; tag <= 2; tag++)
        {
            await client.Get("q", noAck: false);
            await client.Send(new BasicReject { DeliveryTag = tag, Requeue = true });
        }
        await client.GetNothing("q");
        WireContent dead = await client.Get("dead");
        dead.Header("x-last-death-reason").ShouldBe("S delivery_limit");
    }

    [Fact, Trait("Note", "100")]
    public async Task Note_100_the_same_death_counts_up_and_comes_first()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        await client.DeclareQueue("wait", arguments: Fields.Of(("x-message-ttl", 10_000), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "q")));
        await client.Bind("wait", "dlx", "#");
        await client.Publish("", "q", "x");
        for (int round = 1; round <= 3; round++)
        {
            WireContent delivery = await client.Get("q", noAck: false);
            await client.Send(new BasicReject { DeliveryTag = delivery.DeliveryTag });
            await client.ExpectQuiet();
            server.Pass(10_000);
        }
        (await client.Get("q")).Header("x-death").ShouldBe(
            $"A [F {{count=l 3, reason=S expired, queue=S wait, time=T {StartS + 10}, exchange=S dlx, routing-keys=A [S q]}}, "
            + $"F {{count=l 3, reason=S rejected, queue=S q, time=T {StartS}, exchange=S , routing-keys=A [S q]}}]");
    }

    [Fact, Trait("Note", "100")]
    public async Task Note_100_deaths_that_a_publisher_made_up_do_not_count()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        await client.Publish("", "q", "x");
        await RejectNext(client);
        byte[] properties = (await client.Get("dead")).Properties;
        await client.Publish("", "q", "x", properties);
        await RejectNext(client);
        (await client.Get("dead")).Header("x-death")!.ShouldStartWith("A [F {count=l 1, ");
    }

    [Fact, Trait("Note", "101")]
    public async Task Note_101_a_circle_without_a_rejection_ends()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("a", arguments: Fields.Of(("x-message-ttl", 1000), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "b")));
        await client.DeclareQueue("b", arguments: Fields.Of(("x-message-ttl", 1000), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "a")));
        await client.Publish("", "a", "x");
        await client.ExpectQuiet();
        server.Pass(1000);
        (await client.InspectQueue("b")).MessageCount.ShouldBe(1u);
        server.Pass(1000);
        ((await client.InspectQueue("a")).MessageCount, (await client.InspectQueue("b")).MessageCount).ShouldBe((0u, 0u));
    }

    [Fact, Trait("Note", "102"), Trait("Note", "48")]
    public async Task Note_102_without_a_key_of_its_own_it_goes_by_all_keys_that_it_had()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        foreach (string queue in (string[])["main", "cc", "bcc"])
        {
            await client.DeclareQueue(queue);
            await client.Bind(queue, "dlx", queue);
        }
        await client.Bind("q", "amq.direct", "main");
        await client.Publish("amq.direct", "main", "x", Headed(("CC", Fields.Texts("cc")), ("BCC", Fields.Texts("bcc"))));
        await RejectNext(client);
        foreach (string queue in (string[])["main", "cc", "bcc"])
        {
            WireContent dead = await client.Get(queue);
            dead.Header("CC").ShouldBe("A [S cc]");
            dead.Header("BCC").ShouldBeNull();
            dead.Header("x-death")!.ShouldContain("routing-keys=A [S main, S cc]", Case.Sensitive, "BCC is told to nobody");
        }
    }

    [Fact, Trait("Note", "102"), Trait("Note", "48")]
    public async Task Note_102_a_key_for_dead_letters_replaces_all_of_them()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client, ("x-dead-letter-routing-key", "buried"));
        foreach (string queue in (string[])["buried", "cc"])
        {
            await client.DeclareQueue(queue);
            await client.Bind(queue, "dlx", queue);
        }
        await client.Publish("amq.topic", "q", "x", Headed(("CC", Fields.Texts("cc"))));
        await RejectNext(client);
        WireContent dead = await client.Get("buried");
        dead.RoutingKey.ShouldBe("buried");
        dead.Header("CC").ShouldBeNull();
        await client.GetNothing("cc");
    }

    [Fact, Trait("Note", "102")]
    public async Task Note_102_without_its_exchange_a_dead_letter_is_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-dead-letter-exchange", "nowhere")));
        await client.Publish("", "q", "x");
        await RejectNext(client);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount, server.Queue("q").AsideCount).ShouldBe((0, 0, 0));
    }

    [Fact, Trait("Note", "102")]
    public async Task Note_102_at_least_once_it_waits_for_a_queue_that_takes_it()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("dlx", "fanout");
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(
            ("x-queue-type", "quorum"), ("x-dead-letter-exchange", "dlx"), ("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish")));
        await client.Publish("", "q", "x");
        await RejectNext(client);
        await client.ExpectQuiet();
        server.Pass(60_000);
        server.Queue("q").AsideCount.ShouldBe(1);
        await client.DeclareQueue("dead");
        await client.Bind("dead", "dlx", "");
        server.Pass(10_000);
        (await client.Drain("dead")).ShouldBe(["x"]);
        server.Queue("q").AsideCount.ShouldBe(0);
    }

    [Theory, Trait("Note", "103")]
    [InlineData("^(q|dlx)$", "^q$", "read access to queue 'q'")]
    [InlineData("^q$", ".*", "write access to exchange 'dlx'")]
    public async Task Note_103_who_declares_must_be_allowed_to_read_the_queue_and_to_write_to_the_exchange(string write, string read, string missing)
    {
        string mayRead = missing.StartsWith("read", StringComparison.Ordinal) ? "^$" : read;
        await using var server = new TestServer(users: [TestUsers.Guest, TestUsers.Create("u", "p", TestUsers.May(".*", write, mayRead))]);
        WireScript client = await server.Open(new OpenOptions { User = "u", Password = "p" });
        byte[] arguments = Fields.Of(("x-dead-letter-exchange", "dlx"));
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = arguments });
        await client.ExpectChannelClose(403, $"ACCESS_REFUSED - {missing} in vhost '/' refused for user 'u'", 50, 10);

        WireScript owner = await server.Open();
        await owner.DeclareQueue("q", arguments: arguments);
        await client.DeclareQueue("q", arguments: arguments); // it is asked for when the queue is made, and not again
    }

    [Fact, Trait("Note", "103")]
    public async Task Note_103_a_policy_needs_no_permission_and_applies_to_messages_that_are_there()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareQueue("dead");
        await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead", "^q$");
        await client.Send(new BasicReject { DeliveryTag = 1 });
        (await client.Drain("dead")).ShouldBe(["x"]);
    }

    [Fact]
    public async Task A_rejection_of_a_transaction_is_a_death_when_it_is_committed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortal(client);
        await client.Publish("", "q", "x");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1 });
        await client.GetNothing("dead");
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        (await client.Drain("dead")).ShouldBe(["x"]);
    }

    /// <summary>A queue "q" whose dead letters go over the exchange "dlx" to the queue "dead".</summary>
    private static async Task DeclareMortal(WireScript client, params (string Name, object? Value)[] arguments)
    {
        await client.DeclareExchange("dlx", "topic");
        await client.DeclareQueue("dead");
        await client.Bind("dead", "dlx", "#");
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of([("x-dead-letter-exchange", "dlx"), .. arguments]));
        await client.Bind("q", "amq.topic", "q");
    }

    private static async Task RejectNext(WireScript client)
    {
        WireContent delivery = await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = delivery.DeliveryTag });
    }
}
