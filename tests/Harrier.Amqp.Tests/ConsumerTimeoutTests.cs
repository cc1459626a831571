namespace Harrier.Amqp.Tests;

/// <summary>Deliveries that are kept for too long: each is a lease, and it is the lease that ends.</summary>
public class ConsumerTimeoutTests
{
    private const int HalfHourMs = 1_800_000;

    [Fact, Trait("Note", "95")]
    public async Task Note_95_a_delivery_that_is_kept_too_long_is_taken_back_and_everything_else_goes_on()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-consumer-timeout", 10_000));
        await client.Qos(1);
        await client.Consume("q", "slow");
        await client.OpenChannel(2);
        await client.Qos(1, channel: 2);
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        await client.Consume("q", "other", channel: 2);
        server.Pass(9_999);
        await client.ExpectQuiet();
        server.Pass(1);
        WireContent again = await client.ExpectDelivery(channel: 2);
        (again.ConsumerTag, again.Redelivered, again.Header("x-delivery-count")).ShouldBe(("other", true, "l 1"));
        await client.Send(new BasicAck { DeliveryTag = again.DeliveryTag }, 2);
        await client.Send(new BasicAck { DeliveryTag = 1 }); // too late: it changes nothing
        await client.Publish("", "q", "y");
        (await client.ExpectDelivery()).Text.ShouldBe("y", "the slow consumer is served again");
        await client.ExpectQuiet(2);
        server.Queue("q").UnackedCount.ShouldBe(1);
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_a_late_acknowledgement_does_not_take_the_message_from_whoever_has_it_now()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-consumer-timeout", 1000));
        await client.Consume("q", "c");
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(1000);
        (await client.ExpectDelivery()).DeliveryTag.ShouldBe(2ul);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectQuiet();
        server.Queue("q").UnackedCount.ShouldBe(1);
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.ExpectQuiet();
        server.Queue("q").UnackedCount.ShouldBe(0);
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_a_quorum_queue_gives_half_an_hour_unless_told_otherwise()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client);
        await client.Consume("q", "c");
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(HalfHourMs - 1);
        await client.ExpectQuiet();
        server.Pass(1);
        (await client.ExpectDelivery()).Redelivered.ShouldBeTrue();
    }

    [Theory, Trait("Note", "95")]
    [InlineData("quorum")]
    [InlineData("classic")]
    public async Task Note_95_a_consumer_can_have_a_time_of_its_own(string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", type)));
        await client.Consume("q", "c", arguments: Fields.Of(("x-consumer-timeout", 500)));
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(500);
        (await client.ExpectDelivery()).Redelivered.ShouldBeTrue();
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_a_policy_gives_a_time_to_classic_queues_and_to_deliveries_that_are_out()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Consume("q", "c");
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(5000);
        await client.ExpectQuiet();
        server.SetPolicy("consumer-timeout=6000");
        await client.ExpectQuiet();
        server.Pass(1000);
        (await client.ExpectDelivery()).Redelivered.ShouldBeTrue();
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_who_depends_on_it_can_have_the_channel_closed_as_RabbitMQ_did()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { ConsumerTimeoutClosesChannel = true });
        WireScript client = await server.Open();
        await Declare(client, ("x-consumer-timeout", 1000));
        await client.Consume("q", "c");
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(1000);
        WireFrame frame = await client.Receive() ?? throw new WireScriptException("the stream has ended");
        while (frame.Method != AmqpMethod.ChannelClose) frame = await client.Receive() ?? throw new WireScriptException("the stream has ended");
        frame.ToString().ShouldContain(
            "406 PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1000 ms. "
            + "This timeout value can be configured, see consumers doc guide to learn more (0, 0)");
        await client.Send(new ChannelCloseOk());
        await client.OpenChannel(1);
        (await client.Get("q")).Redelivered.ShouldBeTrue();
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_what_was_got_has_no_time()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-consumer-timeout", 1000));
        await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        server.Pass(HalfHourMs);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 1));
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_timeouts_count_for_the_delivery_limit()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-consumer-timeout", 1000), ("x-delivery-limit", 1));
        await client.Consume("q", "c");
        await client.Publish("", "q", "x");
        await client.ExpectDelivery();
        server.Pass(1000);
        await client.ExpectDelivery();
        server.Pass(1000);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    private static async Task Declare(WireScript client, params (string Name, object? Value)[] arguments) =>
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of([("x-queue-type", "quorum"), .. arguments]));
}
