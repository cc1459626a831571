using Harrier.Protocol.Amqp10;
using static Harrier.Amqp.Tests.V10.DurableLinks10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Links that are resumed, where the server does not do yet what the standard says.</summary>
public class KnownFailuresResuming
{
    [Fact]
    public async Task New_message_under_the_tag_of_another_is_not_swallowed()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        await client.Send(new Frames10().Message(client.NextDeliveryId(), Message10.Of("x")));
        await client.ExpectDisposition("accepted", 0, settled: false);
        await client.Send(new Transfer { DeliveryId = 1, DeliveryTag = Frames10.Tag(0) }, payload: Message10.Of("another"));
        object answer = (await client.Receive())!.Performative;
        bool isAccepted = answer is WireDisposition { State.Name: "accepted" };
        server.Queue("q").ReadyCount.ShouldBe(isAccepted ? 2 : 1); // it is there, or its sender knows that it is not
    }

    [Fact]
    public async Task Other_links_of_a_connection_go_on_while_one_waits_for_its_terminus()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 old = await server.Open10();
        await AttachSenderAsync(old);
        server.Broker.Flow.Set(Broker.Flow.FlowReasons.Memory, holds: true);
        await old.Send(new Frames10().Message(0, Message10.Of("held back from here on")));
        WireScript10 client = await server.Open10();
        await client.AttachReceiver(5);
        var target = new Target { Address = Encoded10.String("/queues/q"), Durable = TerminusDurability.UnsettledState, ExpiryPolicy = "never"u8 };
        Task sent = client.Send(new Frames10()
            .Add(Links10.Sender(0, Encoded10.Composite(in target)) with { RcvSettleMode = ReceiverSettleMode.Second })
            .Add(new Flow { IncomingWindow = 100, OutgoingWindow = 100, Handle = 5, LinkCredit = 1 }));
        WireFrame10? first = await client.Receive();
        server.Broker.Flow.Set(Broker.Flow.FlowReasons.Memory, holds: false);
        await sent;
        first!.Performative.ShouldBeOfType<WireTransfer>();
    }
}
