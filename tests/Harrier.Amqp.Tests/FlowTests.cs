using System.Text;
using Harrier.Broker.Flow;

namespace Harrier.Amqp.Tests;

/// <summary>connection.blocked and unblocked, and what a broker that runs short does to whom.</summary>
public class FlowTests
{
    [Theory, Trait("Note", "21")]
    [InlineData(FlowReasons.Memory, "low on memory")]
    [InlineData(FlowReasons.Disk, "low on disk")]
    [InlineData(FlowReasons.Memory | FlowReasons.Disk, "low on memory & low on disk")]
    public async Task Note_21_publisher_is_blocked_when_it_publishes_and_not_before(FlowReasons reasons, string text)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        server.Broker.Flow.Set(reasons, holds: true);
        await client.ExpectQuiet(); // no word yet
        await client.Publish("", "q", "one more");
        WireFrame blocked = await client.Expect(AmqpMethod.ConnectionBlocked, 0);
        ReasonOf(blocked).ShouldBe(text);
        Task sent = client.Publish("", "q", "held back");
        sent.IsCompleted.ShouldBeFalse();
        server.Broker.Flow.Set(reasons, holds: false);
        await client.Expect(AmqpMethod.ConnectionUnblocked, 0);
        await sent;
        (await client.InspectQueue("q")).MessageCount.ShouldBe(2u);
    }

    [Fact, Trait("Note", "21")]
    public async Task Note_21_client_without_the_capability_is_held_back_without_a_word()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { Capabilities = [] });
        WireScript other = await server.Open();
        await client.DeclareQueue("q");
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("", "q", "one more");
        Task sent = client.Publish("", "q", "held back");
        (await other.InspectQueue("q")).MessageCount.ShouldBe(1u);
        sent.IsCompleted.ShouldBeFalse();
        server.Broker.Flow.Set(FlowReasons.Memory, holds: false);
        await sent;
        await client.ExpectQuiet();
        (await other.InspectQueue("q")).MessageCount.ShouldBe(2u);
    }

    [Fact, Trait("Note", "21")]
    public async Task Note_21_consumers_go_on()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b");
        await client.ExpectQuiet();
        WireScript consumer = await server.Open();
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await consumer.Qos(1);
        await consumer.Consume("q", "c");
        (await consumer.ExpectDelivery()).Text.ShouldBe("a");
        await consumer.Send(new BasicAck { DeliveryTag = 1 });
        (await consumer.ExpectDelivery()).Text.ShouldBe("b");
        await consumer.ExpectQuiet();
    }

    [Fact, Trait("Note", "21")]
    public async Task Note_21_blocked_client_need_not_send_heartbeats()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 2 });
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("", "none", "x");
        await client.Expect(AmqpMethod.ConnectionBlocked, 0);
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        server.Broker.Flow.Set(FlowReasons.Memory, holds: false);
        WireFrame frame;
        do frame = await client.Receive() ?? throw new WireScriptException("The stream has ended.");
        while (frame.Type == FrameType.Heartbeat); // the server goes on sending them
        frame.Method.ShouldBe(AmqpMethod.ConnectionUnblocked);
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "21")]
    public async Task Note_21_deliveries_reach_a_blocked_publisher()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript other = await server.Open();
        await client.DeclareQueue("q");
        await client.Consume("q", "c", noAck: true);
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("", "none", "x");
        await client.Expect(AmqpMethod.ConnectionBlocked, 0);
        Task published = other.Publish("", "q", "y");
        (await client.ExpectDelivery()).Text.ShouldBe("y");
        await published;
    }

    [Fact]
    public async Task Confirm_of_the_publication_that_blocks_is_not_held_back()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("", "none", "x");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Expect(AmqpMethod.ConnectionBlocked, 0);
    }

    [Fact, Trait("Note", "96")]
    public async Task Note_96_publishers_of_the_same_broker_do_not_wait_for_one_that_is_blocked()
    {
        await using var server = new TestServer();
        WireScript blocked = await server.Open();
        WireScript other = await server.Open();
        await other.DeclareQueue("q");
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await blocked.Publish("", "none", "x");
        await blocked.Expect(AmqpMethod.ConnectionBlocked, 0);
        server.Broker.Flow.Set(FlowReasons.Memory, holds: false);
        await other.Publish("", "q", "y");
        (await other.InspectQueue("q")).MessageCount.ShouldBe(1u);
        await blocked.Expect(AmqpMethod.ConnectionUnblocked, 0);
    }

    private static string ReasonOf(WireFrame frame) => Encoding.UTF8.GetString(ConnectionBlocked.Decode(frame.Arguments).Reason);
}
