namespace Harrier.Amqp.Tests;

/// <summary>Queues that deliver to one consumer at a time, and exclusive consumers.</summary>
public class SingleActiveConsumerTests
{
    [Theory, Trait("Note", "94")]
    [InlineData("classic")]
    [InlineData("quorum")]
    public async Task Note_94_the_first_gets_everything_and_the_next_takes_over_when_it_goes(string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, type);
        foreach (string tag in (string[])["a", "b", "c"]) await client.Consume("q", tag, noAck: true);
        for (int i = 0; i < 3; i++) await client.Publish("", "q", $"{i}");
        for (int i = 0; i < 3; i++) (await client.ExpectDelivery()).ConsumerTag.ShouldBe("a");
        await client.Call(new BasicCancel { ConsumerTag = "a"u8 }, AmqpMethod.BasicCancelOk);
        await client.Publish("", "q", "x");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("b");
        (await client.InspectQueue("q")).ConsumerCount.ShouldBe(2u);
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_whoever_waits_is_not_served_when_the_active_one_is_busy()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "classic");
        await client.Qos(1);
        await client.Consume("q", "a");
        await client.Consume("q", "b");
        await client.Publish("", "q", "1");
        await client.Publish("", "q", "2");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("a");
        await client.ExpectQuiet();
        await client.Send(new BasicAck { DeliveryTag = 1 });
        WireContent next = await client.ExpectDelivery();
        (next.ConsumerTag, next.Text).ShouldBe(("a", "2"));
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_a_connection_that_is_lost_hands_over_with_its_messages_first()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await Declare(first, "classic");
        await first.Consume("q", "a");
        await second.Consume("q", "b");
        await second.Publish("", "q", "1");
        await first.ExpectDelivery();
        first.Leave();
        WireContent again = await second.ExpectDelivery();
        (again.ConsumerTag, again.Text, again.Redelivered).ShouldBe(("b", "1", true));
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_on_a_classic_queue_the_first_stays_whatever_priority_comes()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "classic");
        await client.Consume("q", "low", noAck: true);
        await client.Consume("q", "high", noAck: true, arguments: Fields.Of(("x-priority", 10)));
        await client.Publish("", "q", "x");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("low");
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_on_a_quorum_queue_a_higher_priority_takes_over_when_nothing_is_unacked()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "quorum");
        await client.Consume("q", "low");
        await client.Publish("", "q", "1");
        WireContent held = await client.ExpectDelivery();
        await client.Consume("q", "high", arguments: Fields.Of(("x-priority", 10)));
        await client.Publish("", "q", "2");
        await client.ExpectQuiet(); // neither gets anything until the old one is through
        await client.Send(new BasicAck { DeliveryTag = held.DeliveryTag });
        WireContent next = await client.ExpectDelivery();
        (next.ConsumerTag, next.Text).ShouldBe(("high", "2"));
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_get_works_on_a_classic_queue()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "classic");
        await client.Publish("", "q", "x");
        (await client.Get("q")).Text.ShouldBe("x");
    }

    [Fact, Trait("Note", "78")]
    public async Task Note_78_get_is_refused_on_a_quorum_queue()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "quorum");
        await client.Send(new BasicGet { Queue = "q"u8 });
        await client.ExpectChannelClose(
            405,
            "RESOURCE_LOCKED - cannot obtain access to locked queue 'q' in vhost '/'. basic.get operations are not supported by quorum queues with single active consumer",
            60, 70);
    }

    [Fact, Trait("Note", "81")]
    public async Task Note_81_a_quorum_queue_ignores_that_a_consumer_wants_to_be_the_only_one()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Consume("q", "a", exclusive: true);
        await client.Consume("q", "b", exclusive: true);
        (await client.InspectQueue("q")).ConsumerCount.ShouldBe(2u);
    }

    [Fact, Trait("Note", "94")]
    public async Task Note_94_an_exclusive_consumer_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, "classic");
        await client.Send(new BasicConsume { Queue = "q"u8, Exclusive = true });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use", 60, 20);
    }

    private static async Task Declare(WireScript client, string type) =>
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", type), ("x-single-active-consumer", true)));
}
