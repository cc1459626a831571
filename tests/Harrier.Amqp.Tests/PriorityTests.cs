using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Messages that overtake others.</summary>
public class PriorityTests
{
    [Fact, Trait("Note", "76")]
    public async Task Note_76_the_highest_comes_first_and_equals_in_their_order()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-priority", 5)));
        foreach ((byte priority, string text) in new (byte, string)[] { (1, "a"), (5, "b"), (1, "c"), (3, "d"), (5, "e") })
            await client.Publish("", "q", text, Prioritised(priority));
        (await client.Drain("q")).ShouldBe(["b", "e", "d", "a", "c"]);
    }

    [Fact, Trait("Note", "76")]
    public async Task Note_76_more_than_the_highest_is_the_highest_and_nothing_is_the_lowest()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-priority", 5)));
        await client.Publish("", "q", "none");
        await client.Publish("", "q", "0", Prioritised(0));
        await client.Publish("", "q", "5", Prioritised(5));
        await client.Publish("", "q", "200", Prioritised(200));
        WireContent first = await client.Get("q");
        first.Text.ShouldBe("5");
        WireContent second = await client.Get("q");
        (second.Text, Convert.ToHexString(second.Properties)).ShouldBe(("200", Convert.ToHexString(Prioritised(200))), "the property is the publisher's");
        (await client.Drain("q")).ShouldBe(["none", "0"]);
    }

    [Theory, Trait("Note", "54"), Trait("Note", "76")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Note_54_without_levels_priorities_mean_nothing(bool saysZero)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: saysZero ? Fields.Of(("x-max-priority", 0)) : null);
        await client.Publish("", "q", "a", Prioritised(1));
        await client.Publish("", "q", "b", Prioritised(9));
        (await client.Drain("q")).ShouldBe(["a", "b"]);
    }

    [Fact, Trait("Note", "76")]
    public async Task Note_76_a_quorum_queue_has_32_levels_and_4_is_the_usual_one()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Publish("", "q", "3", Prioritised(3));
        await client.Publish("", "q", "none");
        await client.Publish("", "q", "4", Prioritised(4));
        await client.Publish("", "q", "5", Prioritised(5));
        await client.Publish("", "q", "31", Prioritised(31));
        await client.Publish("", "q", "255", Prioritised(255));
        (await client.Drain("q")).ShouldBe(["31", "255", "5", "none", "4", "3"]);
    }

    [Fact, Trait("Note", "87")]
    public async Task Note_87_what_comes_back_has_its_place_again_within_its_priority()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-priority", 5)));
        foreach ((byte priority, string text) in new (byte, string)[] { (1, "a"), (1, "b"), (5, "c"), (5, "d") })
            await client.Publish("", "q", text, Prioritised(priority));
        for (int i = 0; i < 3; i++) await client.Get("q", noAck: false); // c, d, a
        await client.Send(new BasicNack { DeliveryTag = 3, Multiple = true, Requeue = true });
        (await client.Drain("q")).ShouldBe(["c", "d", "a", "b"]);
    }

    [Fact, Trait("Note", "99")]
    public async Task Note_99_messages_of_every_priority_expire_in_time()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-priority", 5), ("x-message-ttl", 1000)));
        for (byte priority = 0; priority <= 5; priority++) await client.Publish("", "q", $"{priority}", Prioritised(priority));
        await client.ExpectQuiet();
        server.Pass(500);
        await client.Publish("", "q", "late", Prioritised(2));
        await client.ExpectQuiet();
        server.Pass(500);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        (await client.Drain("q")).ShouldBe(["late"]);
    }

    [Fact, Trait("Note", "93")]
    public async Task Note_93_consumers_have_priorities_on_quorum_queues_too()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Qos(1);
        await client.Consume("q", "low");
        await client.Consume("q", "high", arguments: Fields.Of(("x-priority", 1)));
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("high");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("low");
    }
}
