using System.Text;

namespace Harrier.Amqp.Tests;

/// <summary>Direct reply-to: note 97 in all its parts.</summary>
[Trait("Note", "97")]
public class DirectReplyTests
{
    private const string ReplyQueue = "amq.rabbitmq.reply-to";

    private static readonly byte[] Request = new PropertyBytes()
        .Text(BasicPropertyFlags.ReplyTo, ReplyQueue).Text(BasicPropertyFlags.CorrelationId, "7").Encode();

    [Fact]
    public async Task Reply_reaches_its_requester()
    {
        await using var server = new TestServer();
        (WireScript requester, WireScript replier, string replyTo) = await Ask(server);
        replyTo.ShouldStartWith("amq.rabbitmq.reply-to.");
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.CorrelationId, "7").Encode();
        await replier.Publish("", replyTo, "answer", properties, mandatory: true);
        WireContent reply = await requester.ExpectDelivery();
        (reply.ConsumerTag, reply.DeliveryTag, reply.Redelivered, reply.Exchange, reply.RoutingKey, reply.Text)
            .ShouldBe(("replies", 1ul, false, "", replyTo, "answer"));
        reply.Properties.ShouldBe(properties);
        await replier.ExpectQuiet();
    }

    [Fact]
    public async Task Request_keeps_its_other_properties()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        await client.Consume(ReplyQueue, "replies", noAck: true);
        PropertyBytes With(string replyTo) => new PropertyBytes()
            .Text(BasicPropertyFlags.ContentType, "a/b")
            .Headers(Fields.Table(("z", 1), ("a", "x")))
            .Text(BasicPropertyFlags.CorrelationId, "7")
            .Text(BasicPropertyFlags.ReplyTo, replyTo)
            .Text(BasicPropertyFlags.AppId, "app");
        await client.Publish("", "requests", "?", With(ReplyQueue).Encode());
        WireContent request = await client.Get("requests");
        request.Properties.ShouldBe(With(ReplyToOf(request)).Encode());
    }

    [Fact]
    public async Task Other_reply_to_is_left_alone()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, "my.replies").Encode();
        await client.Publish("", "requests", "?", properties);
        (await client.Get("requests")).Properties.ShouldBe(properties);
    }

    [Fact]
    public async Task Consumer_must_not_acknowledge()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new BasicConsume { Queue = "amq.rabbitmq.reply-to"u8 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - reply consumer cannot acknowledge", 60, 20);
    }

    [Fact]
    public async Task One_consumer_per_channel()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Consume(ReplyQueue, "a", noAck: true);
        await client.Send(new BasicConsume { Queue = "amq.rabbitmq.reply-to"u8, ConsumerTag = "b"u8, NoAck = true });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - reply consumer already set", 60, 20);
        await client.OpenChannel(2);
        await client.Consume(ReplyQueue, "a", noAck: true);
        await client.Consume(ReplyQueue, "a", noAck: true, channel: 2);
    }

    [Fact]
    public async Task Request_without_a_consumer()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        await client.Publish("", "requests", "?", Request);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - fast reply consumer does not exist", 60, 40);
        await client.Consume(ReplyQueue, "a", noAck: true);
        await client.Call(new BasicCancel { ConsumerTag = "a"u8 }, AmqpMethod.BasicCancelOk);
        await client.Publish("", "requests", "?", Request);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - fast reply consumer does not exist", 60, 40);
        (await client.InspectQueue("requests")).MessageCount.ShouldBe(0u);
    }

    [Fact]
    public async Task Request_with_BCC_and_without_a_consumer_is_refused_the_same()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        byte[] properties = new PropertyBytes()
            .Headers(Fields.Table(("BCC", Fields.Texts("other"))))
            .Text(BasicPropertyFlags.ReplyTo, ReplyQueue)
            .Encode();
        await client.Publish("", "requests", "?", properties);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - fast reply consumer does not exist", 60, 40);
    }

    [Fact]
    public async Task Request_with_BCC_is_rewritten_in_both_places()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("requests");
        await client.DeclareQueue("copies");
        await client.Consume(ReplyQueue, "a", noAck: true);
        byte[] properties = new PropertyBytes()
            .Headers(Fields.Table(("BCC", Fields.Texts("copies")), ("a", 1)))
            .Text(BasicPropertyFlags.ReplyTo, ReplyQueue)
            .Encode();
        await client.Publish("", "requests", "body", properties);
        foreach (string queue in (string[])["requests", "copies"])
        {
            WireContent request = await client.Get(queue);
            byte[] expected = new PropertyBytes()
                .Headers(Fields.Table(("a", 1))).Text(BasicPropertyFlags.ReplyTo, ReplyToOf(request)).Encode();
            request.Properties.ShouldBe(expected);
            request.Text.ShouldBe("body");
        }
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("channel")]
    [InlineData("connection")]
    public async Task Reply_to_a_requester_that_has_gone(string how)
    {
        await using var server = new TestServer();
        (WireScript requester, WireScript replier, string replyTo) = await Ask(server);
        if (how == "cancel") await requester.Call(new BasicCancel { ConsumerTag = "replies"u8 }, AmqpMethod.BasicCancelOk);
        else if (how == "channel") await requester.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        else await requester.Close();
        await replier.Publish("", replyTo, "too late", mandatory: true);
        (await replier.ExpectReturn()).ReplyText.ShouldBe("NO_ROUTE");
        await replier.Publish("", replyTo, "too late");
        await replier.ExpectQuiet();
    }

    [Fact]
    public async Task Replies_are_confirmed()
    {
        await using var server = new TestServer();
        (WireScript requester, WireScript replier, string replyTo) = await Ask(server);
        await replier.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await replier.Publish("", replyTo, "answer");
        (await replier.ExpectAck()).ShouldBe((1ul, false));
        await requester.ExpectDelivery();
    }

    [Fact]
    public async Task Declare_tells_whether_the_requester_is_alive()
    {
        await using var server = new TestServer();
        (WireScript requester, WireScript replier, string replyTo) = await Ask(server);
        (await replier.InspectQueue(replyTo)).ShouldBe(new DeclaredQueue(replyTo, 0, 1));
        (await replier.DeclareQueue(replyTo)).ShouldBe(new DeclaredQueue(replyTo, 0, 1)); // every declare is passive here
        (await replier.InspectQueue(ReplyQueue)).ConsumerCount.ShouldBe(1u);
        await requester.Close();
        await replier.Send(new QueueDeclare { Queue = WireScript.Bytes(replyTo), Passive = true });
        await replier.ExpectChannelClose(404, $"NOT_FOUND - no queue '{replyTo}' in vhost '/'", 50, 10);
    }

    [Fact]
    public async Task Reply_queue_cannot_be_bound()
    {
        await using var server = new TestServer();
        (_, WireScript replier, string replyTo) = await Ask(server);
        const string Text = "ACCESS_REFUSED - cannot bind or unbind to a volatile (direct reply-to) queue";
        await replier.Send(new QueueBind { Queue = WireScript.Bytes(replyTo), Exchange = "amq.direct"u8 });
        await replier.ExpectChannelClose(403, Text, 50, 20);
        await replier.Send(new QueueUnbind { Queue = "amq.rabbitmq.reply-to"u8, Exchange = "amq.direct"u8 });
        await replier.ExpectChannelClose(403, Text, 50, 50);
    }

    [Fact]
    public async Task Requester_that_does_not_read_loses_replies_and_nothing_piles_up()
    {
        await using var server = new TestServer();
        WireScript requester = await server.Open(unreadBytesMax: 1024);
        WireScript replier = await server.Open();
        await requester.DeclareQueue("requests");
        await requester.Consume(ReplyQueue, "replies", noAck: true);
        await requester.Publish("", "requests", "?", Request);
        string replyTo = ReplyToOf(await replier.Get("requests"));
        string large = new('x', 100_000);
        int returned = 0;
        for (int i = 0; i < 40; i++)
        {
            await replier.Publish("", replyTo, large, mandatory: true);
            await replier.Send(new ChannelFlow { Active = true });
            WireFrame frame = await replier.Receive() ?? throw new WireScriptException("ended");
            if (frame.Method == AmqpMethod.ChannelFlowOk) continue;
            returned++;
            await replier.Expect(FrameType.Header, 1);
            await replier.Expect(FrameType.Body, 1);
            await replier.Expect(AmqpMethod.ChannelFlowOk);
        }
        returned.ShouldBeGreaterThan(10);
    }

    /// <summary>The reply-to property of a request.</summary>
    internal static string ReplyToOf(WireContent request)
    {
        BasicPropertiesReader.TryFind(request.Properties, BasicPropertyFlags.ReplyTo, out ReadOnlySpan<byte> replyTo).ShouldBeTrue();
        return Encoding.UTF8.GetString(replyTo);
    }

    private static async Task<(WireScript Requester, WireScript Replier, string ReplyTo)> Ask(TestServer server)
    {
        WireScript requester = await server.Open();
        WireScript replier = await server.Open();
        await replier.DeclareQueue("requests");
        await requester.Consume(ReplyQueue, "replies", noAck: true);
        await requester.Publish("", "requests", "?", Request);
        await requester.ExpectQuiet();
        return (requester, replier, ReplyToOf(await replier.Get("requests")));
    }
}
