using Harrier.Amqp.Conversion;
using Harrier.Amqp.Tests.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Messages whose sections in front of the body grow in the broker.</summary>
public class LargeSectionsTests
{
    // So many that no death fits beside them.
    internal static readonly byte[] Largest =
    [
        .. new MessageModel10 { Header = new Items(true), Application = Pairs.Named(("n", new string('x', Sections10.PrefixSizeMax - 100))) }.EncodePrefix(),
        .. new Message10().Data("body").Bytes,
    ];

    [Fact]
    public async Task Dead_letter_with_as_many_sections_as_may_come_is_delivered()
    {
        await using var server = new TestServer();
        server.Declare("q", "dead");
        server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead", pattern: "^q$");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.AttachReceiver();
        await client.AttachReceiver(2, "/queues/dead");
        await client.Send(new Frames10().Message(client.NextDeliveryId(), Largest, 100_000));
        await client.ExpectDisposition("accepted", 0);
        await client.Grant(1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        await client.Grant(10, handle: 2);
        await client.Settle(delivery.DeliveryId, States10.Rejected);
        (await client.ExpectDelivery(2)).Text.ShouldBe("body");
    }

    [Fact]
    public async Task Who_pushes_it_out_of_its_queue_is_not_concerned()
    {
        await using var server = new TestServer();
        server.Declare("q", "dead");
        server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead max-length=1", pattern: "^q$");
        WireScript10 hostile = await server.Open10();
        await hostile.AttachSender();
        await hostile.Send(new Frames10().Message(hostile.NextDeliveryId(), Largest, 100_000));
        await hostile.ExpectDisposition("accepted", 0);
        WireScript10 victim = await server.Open10();
        await victim.AttachSender();
        await victim.Publish("a");
        (server.Queue("q").ReadyCount, server.Queue("dead").ReadyCount).ShouldBe((1, 1));
    }
}
