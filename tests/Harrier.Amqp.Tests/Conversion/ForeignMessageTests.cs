using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>Messages that came in over 1.0, on their way through the broker to 0-9-1 clients.</summary>
public class ForeignMessageTests
{
    // When the clock of a test starts, in seconds.
    private const long StartS = 1_577_836_800;

    private static readonly MessageModel10 Model = new()
    {
        Header = new Items(true), Properties = new Items("m"), Application = Pairs.Named(("n", 1)), Body = [(0x75, "bo"u8.ToArray()), (0x75, "dy"u8.ToArray())],
    };

    [Fact]
    public async Task Consumer_and_get_receive_it_converted()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] properties = new PropertyBytes()
            .Headers(Fields.Table(("n", 1))).Octet(BasicPropertyFlags.DeliveryMode, 2).Text(BasicPropertyFlags.MessageId, "m").Encode();
        Publish(server, "", "q", Model);
        WireContent got = await client.Get("q", noAck: false);
        (got.Text, got.Exchange, got.RoutingKey, Convert.ToHexString(got.Properties)).ShouldBe(("body", "", "q", Convert.ToHexString(properties)));
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        await client.Consume("q", "c", noAck: true);
        WireContent delivered = await client.ExpectDelivery();
        (delivered.Text, delivered.Redelivered, Convert.ToHexString(delivered.Properties)).ShouldBe(("body", true, Convert.ToHexString(properties)));
        Publish(server, "", "q", Model with { Body = [(0x75, new byte[200_000])] });
        (await client.ExpectDelivery()).Body.Length.ShouldBe(200_000);
    }

    [Fact]
    public async Task A_quorum_queue_counts_in_its_headers()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        Publish(server, "", "q", Model);
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        (await client.Get("q")).Headers().ShouldBe(["n=I 1", "x-delivery-count=l 1", "x-acquired-count=l 1"]);
    }

    [Fact]
    public async Task A_reply_reaches_a_requester_that_waits_with_0_9_1()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        await client.Consume("amq.rabbitmq.reply-to", "replies", noAck: true);
        await client.Publish("", "requests", "?", new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, "amq.rabbitmq.reply-to").Encode());
        byte[] request = (await client.Get("requests")).Properties;
        string name = System.Text.Encoding.UTF8.GetString(request[3..]);
        server.Host.DirectReplies.TryFind(name, out IReplyConsumer? requester).ShouldBeTrue();
        Message reply = Model.ToMessage("", name);
        requester.TryDeliver(reply).ShouldBeTrue();
        (await client.ExpectDelivery()).Text.ShouldBe("body");
        reply.Body.ToArray().ShouldBe(Model.EncodeBody(), "it is its replier's still");
    }

    [Fact]
    public async Task A_headers_exchange_sees_its_application_properties()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.headers", "", Fields.Of(("x-match", "all"), ("n", 1)));
        Publish(server, "amq.headers", "", Model);
        Publish(server, "amq.headers", "", Model with { Application = Pairs.Named(("n", 2)) });
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
    }

    [Fact, Trait("Note", "100"), Trait("Note", "113")]
    public async Task Note_100_a_dead_one_tells_of_its_death()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("dead");
        await client.DeclareQueue("q", arguments: Fields.Of(("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead")));
        Publish(server, "amq.topic", "q", Model, to: "q");
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1 });
        WireContent dead = await client.Get("dead");
        dead.Text.ShouldBe("body");
        dead.Header("x-death").ShouldBe($"A [F {{count=l 1, reason=S rejected, queue=S q, time=T {StartS}, exchange=S amq.topic, routing-keys=A [S q]}}]");
        dead.Header("x-first-death-queue").ShouldBe("S q");
        dead.Header("n").ShouldBe("I 1");
    }

    [Fact]
    public async Task A_delayed_one_comes_when_it_is_time()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareExchange("later", "x-delayed-message", arguments: Fields.Of(("x-delayed-type", "direct")));
        await client.Bind("q", "later", "k");
        Message message = (Model with { Annotations = Pairs.Annotated(("x-delay", 5000)) }).ToMessage("later", "k");
        message.ArrivedAtMs = StartS * 1000;
        Send(server, "later", message);
        await client.GetNothing("q");
        server.Pass(5000);
        (await client.Get("q")).Header("x-delay").ShouldBe("l -5000");
    }

    [Fact]
    public async Task It_survives_a_restart()
    {
        var disk = new SimDisk(1);
        using (var storage = new TestStorage(disk))
        {
            await using var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task<DeclaredQueue> declared = client.DeclareQueue("q", durable: true);
            for (; !declared.IsCompleted; await Task.Yield()) storage.Commit();
            Publish(server, "", "q", Model);
            storage.Commit();
        }
        using var recovered = new TestStorage(disk.Crash());
        await using var again = new TestServer(storage: recovered);
        WireContent got = await (await again.Open()).Get("q");
        (got.Text, got.Header("n")).ShouldBe(("body", "I 1"));
    }

    private static void Publish(TestServer server, string exchange, string routingKey, MessageModel10 model, string? to = null)
    {
        Message message = model.ToMessage(exchange, routingKey);
        if (to is null) Send(server, exchange, message);
        else Enqueue(server, message, server.Queue(to));
    }

    private static void Send(TestServer server, string name, Message message)
    {
        VirtualHostTopology topology = server.Host.Topology;
        var session = new ClientSession(TestUsers.Guest, server.Host);
        var routes = new RouteSet(1);
        session.Route(topology, topology.Exchanges[name], message, routes);
        for (int i = 0; i < routes.Count; i++) Enqueue(server, message, routes[i]);
    }

    private static void Enqueue(TestServer server, Message message, Queue queue)
    {
        var session = new ClientSession(TestUsers.Guest, server.Host);
        session.Commands.Add(new QueueCommand(QueueCommandKind.Enqueue, queue, message));
        session.Commands.Run();
    }
}
