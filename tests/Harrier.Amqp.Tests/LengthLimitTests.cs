using Harrier.Broker.Tests.Support;
using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Queues that are full: what they drop, and what they refuse.</summary>
public class LengthLimitTests
{
    [Fact, Trait("Note", "98")]
    public async Task Note_98_drop_head_drops_the_oldest_and_confirms_the_newest()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 2)));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        for (ulong i = 1; i <= 4; i++)
        {
            await client.Publish("", "q", $"{i}");
            (await client.ExpectAck()).ShouldBe((i, false));
        }
        (await client.Drain("q")).ShouldBe(["3", "4"]);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_only_ready_messages_count()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 1)));
        await client.Publish("", "q", "held");
        await client.Get("q", noAck: false);
        await client.Publish("", "q", "ready");
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        await client.Send(new BasicNack { DeliveryTag = 1, Requeue = true }); // it comes back to its place, which is the head
        (await client.Drain("q")).ShouldBe(["ready"]);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_bytes_are_those_of_the_bodies()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length-bytes", 10)));
        byte[] large = Headed(("filler", new string('x', 1000)));
        await client.Publish("", "q", "12345", large);
        await client.Publish("", "q", "67890", large);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(2u);
        await client.Publish("", "q", "!", large);
        (await client.Drain("q")).ShouldBe(["67890", "!"]);
        await client.Publish("", "q", "longer than it all");
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u, "it is dropped itself");
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_a_length_of_0_lets_through_what_somebody_takes_at_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 0)));
        await client.Publish("", "q", "dropped");
        await client.Consume("q", "c", noAck: true);
        await client.Publish("", "q", "taken");
        (await client.ExpectDelivery()).Text.ShouldBe("taken");
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_reject_publish_refuses_also_what_somebody_would_take_at_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 0), ("x-overflow", "reject-publish")));
        await client.Consume("q", "c", noAck: true);
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "x");
        (await client.ExpectNack()).ShouldBe((1ul, false));
    }

    [Theory, Trait("Note", "69")]
    [InlineData("classic")]
    [InlineData("quorum")]
    public async Task Note_69_reject_publish_refuses_what_there_is_no_room_for(string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", type), ("x-max-length", 1), ("x-overflow", "reject-publish")));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "a");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Publish("", "q", "b");
        (await client.ExpectNack()).ShouldBe((2ul, false));
        (await client.Drain("q")).ShouldBe(["a"]);
        await client.Publish("", "q", "c");
        (await client.ExpectAck()).ShouldBe((3ul, false));
    }

    [Fact, Trait("Note", "69")]
    public async Task Note_69_one_queue_that_refuses_is_enough_for_a_nack_and_the_others_keep_their_copies()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("full", arguments: Fields.Of(("x-max-length", 0), ("x-overflow", "reject-publish")));
        await client.DeclareQueue("roomy");
        foreach (string queue in (string[])["full", "roomy"]) await client.Bind(queue, "amq.fanout", "");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("amq.fanout", "", "x", mandatory: true);
        (await client.ExpectNack()).ShouldBe((1ul, false));
        (await client.Drain("roomy")).ShouldBe(["x"]);
        await client.GetNothing("full");
    }

    [Fact, Trait("Note", "69")]
    public async Task Note_69_without_confirms_a_refusal_is_silent()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 1), ("x-overflow", "reject-publish")));
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b", mandatory: true);
        await client.ExpectQuiet();
        (await client.Drain("q")).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_transaction_that_a_queue_has_no_room_for_is_refused_as_a_whole()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("full", arguments: Fields.Of(("x-max-length", 1), ("x-overflow", "reject-publish")));
        await client.DeclareQueue("roomy");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        foreach (string queue in (string[])["roomy", "full", "full"]) await client.Publish("", queue, "x");
        await client.Send(new TxCommit());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - partial tx completion", 90, 20);
        ((await client.InspectQueue("full")).MessageCount, (await client.InspectQueue("roomy")).MessageCount).ShouldBe((0u, 0u));
    }

    [Theory]
    [InlineData("x-delayed-exchange", "x-delay")]
    [InlineData("x-message-deduplication", "x-deduplication-header")]
    public async Task What_has_waited_in_its_exchange_was_confirmed_and_is_not_refused_when_it_is_let_go(string argument, string header)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "fanout", arguments: Fields.Of((argument, true)));
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 0), ("x-overflow", "reject-publish")));
        await client.Bind("q", "x", "");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("x", "", "x", Headed((header, 1000)));
        (await client.ExpectAck()).ShouldBe((1ul, false));
        server.Pass(1000);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_reject_publish_dlx_refuses_and_dead_letters_what_it_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("dead");
        await client.DeclareQueue("q", arguments: Fields.Of(
            ("x-max-length", 1), ("x-overflow", "reject-publish-dlx"), ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "a");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Publish("", "q", "b");
        (await client.ExpectNack()).ShouldBe((2ul, false));
        WireContent dead = await client.Get("dead");
        (dead.Text, dead.Header("x-last-death-reason")).ShouldBe(("b", "S maxlen"));
        (await client.Drain("q")).ShouldBe(["a"]);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_on_a_quorum_queue_reject_publish_dlx_is_drop_head()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum"), ("x-max-length", 1), ("x-overflow", "reject-publish-dlx")));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "a");
        await client.ExpectAck();
        await client.Publish("", "q", "b");
        await client.ExpectAck();
        (await client.Drain("q")).ShouldBe(["b"]);
    }

    [Fact, Trait("Note", "99")]
    public async Task Note_99_a_full_queue_with_priorities_drops_what_would_be_delivered_first()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 2), ("x-max-priority", 9)));
        foreach (byte priority in (byte[])[1, 9, 5]) await client.Publish("", "q", $"{priority}", Prioritised(priority));
        (await client.Drain("q")).ShouldBe(["5", "1"]);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_policies_shorten_queues_that_are_there_and_make_them_refuse()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 1000; i++) await client.Publish("", "q", $"{i}");
        await client.ExpectQuiet();
        server.SetPolicy("max-length=3");
        server.Pass(10);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(3u);
        server.SetPolicy("max-length=3 overflow=reject-publish");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "late");
        await client.ExpectNack();
        server.Host.ClearPolicy("p");
        await client.Publish("", "q", "later");
        await client.ExpectAck();
        (await client.Drain("q")).ShouldBe(["997", "998", "999", "later"]);
    }

    [Fact, Trait("Note", "98")]
    public async Task Note_98_an_operator_caps_what_a_client_asked_for()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-length", 100)));
        for (int i = 0; i < 10; i++) await client.Publish("", "q", $"{i}");
        await client.ExpectQuiet();
        server.Host.SetOperatorPolicy(Drafts.Of("max-length=2")).ShouldBeNull();
        (await client.Drain("q")).ShouldBe(["8", "9"]);
    }
}
