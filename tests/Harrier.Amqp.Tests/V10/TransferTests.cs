using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Messages in one transfer and in many, either way (1.0 part 2, sections 2.6.14 and 2.7.5).</summary>
public class TransferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task Message_may_come_in_pieces_of_any_size(int payloadBytes)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Rich("in pieces");
        await client.Send(new Frames10().Message(0, message, payloadBytes));
        await AssertArrivesAsync(client, message, "in pieces");
    }

    [Fact]
    public async Task Message_may_come_in_two_pieces_split_anywhere()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Rich("split");
        await client.Grant((uint)message.Length);
        for (int at = 0; at <= message.Length; at++)
        {
            uint id = client.NextDeliveryId();
            await client.Send(new Frames10()
                .Add(new Transfer { DeliveryId = id, DeliveryTag = Frames10.Tag(id), More = true }, payload: message.AsSpan(0, at))
                .Add(new Transfer(), payload: message.AsSpan(at)));
            var delivery = await NextDeliveryAsync(client);
            delivery.Text.ShouldBe("split");
            delivery.Bare.ShouldBe(BareOf(message));
            if (at < message.Length) await client.Grant((uint)message.Length);
        }
    }

    [Theory]
    [InlineData(512, 0)]
    [InlineData(512, 20_000)]
    [InlineData(513, 1_000)]
    [InlineData(1_024, 5_000)]
    [InlineData(65_536, 300_000)]
    [InlineData(131_072, 300_000)]
    public async Task Large_messages_go_out_in_frames_that_the_client_takes(int frameBytesMax, int size)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = (uint)frameBytesMax });
        await client.AttachSender();
        await client.AttachReceiver();
        byte[] message = Rich(new string('x', size));
        await client.Send(new Frames10().Message(client.NextDeliveryId(), message, 100_000));
        await client.ExpectDisposition("accepted", 0);
        await client.Grant(1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.Bare.ShouldBe(BareOf(message));
        delivery.FrameSizes.ShouldAllBe(bytes => bytes <= frameBytesMax);
        delivery.FrameSizes.SkipLast(1).ShouldAllBe(bytes => bytes > frameBytesMax - 64, "frames are filled");
    }

    [Fact]
    public async Task Frame_sizes_around_the_border_of_one_frame_are_right()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = 512 });
        await client.AttachSender();
        await client.AttachReceiver();
        await client.Grant(1000);
        for (int size = 250; size < 550; size++)
        {
            string body = new('x', size);
            await client.Transfer(body, settled: true);
            (await client.ExpectDelivery()).Text.ShouldBe(body);
        }
    }

    [Fact]
    public async Task Deliveries_of_two_links_may_come_interleaved()
    {
        await using var server = new TestServer();
        server.Declare("q", "p");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0);
        await client.AttachSender(1, "/queues/p");
        byte[] one = Message10.Of("one"), two = Message10.Of("two");
        await client.Send(new Frames10()
            .Add(new Transfer { Handle = 0, DeliveryId = 0, DeliveryTag = "0"u8, More = true }, payload: one.AsSpan(0, 4))
            .Add(new Transfer { Handle = 1, DeliveryId = 1, DeliveryTag = "1"u8, More = true }, payload: two.AsSpan(0, 2))
            .Add(new Transfer { Handle = 0, More = true }, payload: one.AsSpan(4, 1))
            .Add(new Transfer { Handle = 1 }, payload: two.AsSpan(2))
            .Add(new Transfer { Handle = 0 }, payload: one.AsSpan(5)));
        await client.ExpectDisposition("accepted", 1);
        await client.ExpectDisposition("accepted", 0);
        await AssertInQueueAsync(client, "one", "/queues/q");
        await AssertInQueueAsync(client, "two", "/queues/p");
    }

    [Fact]
    public async Task Delivery_id_and_tag_may_be_told_again()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("again");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, MessageFormat = 0, Settled = false, More = true }, payload: message.AsSpan(0, 4))
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, MessageFormat = 0, Settled = false }, payload: message.AsSpan(4)));
        await client.ExpectDisposition("accepted", 0);
    }

    [Fact]
    public async Task Message_may_end_with_a_transfer_without_payload()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, More = true }, payload: Message10.Of("x"))
            .Add(new Transfer()));
        await client.ExpectDisposition("accepted", 0);
    }

    [Fact]
    public async Task Last_transfer_may_settle_the_delivery()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("x");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { Settled = true }, payload: message.AsSpan(3)));
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Aborted_delivery_has_not_been(bool more)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Rich("aborted");
        foreach (int at in (int[])[0, 5, message.Length])
        {
            uint id = client.NextDeliveryId();
            await client.Send(new Frames10()
                .Add(new Transfer { DeliveryId = id, DeliveryTag = "t"u8, More = true }, payload: message.AsSpan(0, at))
                .Add(new Transfer { Aborted = true, More = more }, payload: message));
        }
        await client.Send(new Transfer { DeliveryId = client.NextDeliveryId(), DeliveryTag = "t"u8, Aborted = true });
        await client.ExpectQuiet();
        await client.Publish("next");
        await AssertInQueueAsync(client, "next", "/queues/q");
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task Aborted_deliveries_use_credit_which_comes_again()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { LinkCreditMax = 4 });
        WireScript10 client = await server.OpenWithAsync(0);
        for (int i = 0; i < 10; i++) await client.Send(new Transfer { DeliveryId = client.NextDeliveryId(), DeliveryTag = "t"u8, Aborted = true });
        for (int i = 1; i <= 5; i++) (await client.Expect<WireFlow>()).DeliveryCount.ShouldBe((uint)i * 2);
    }

    [Theory]
    [InlineData("detach")]
    [InlineData("end")]
    [InlineData("close")]
    [InlineData("vanish")]
    public async Task Delivery_that_is_not_complete_at_the_end_has_not_been(string how)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("half");
        await client.Send(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, More = true }, payload: message[..^1]);
        switch (how)
        {
            case "detach": await client.Detach(0); break;
            case "end": await client.EndSession(); break;
            case "close": await client.Close(); break;
            default: client.Leave(); break;
        }
        if (how is "close" or "vanish") await client.Served.WaitAsync(TestServer.SafetyNet);
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(1)]
    public async Task Message_of_the_largest_size_is_taken_and_one_beyond_is_not(int payloadBytes)
    {
        await using var server = new TestServer(limits: new ConnectionLimits { MessageBytesMax = 2_000, IncomingWindowMax = 100_000 });
        WireScript10 client = await server.OpenWithAsync(0);
        await client.AttachSender(2);
        byte[] largest = new Message10().Data(new byte[2_000 - 8]).Bytes;
        largest.Length.ShouldBe(2_000);
        await client.Send(new Frames10().Message(client.NextDeliveryId(), largest, payloadBytes));
        await client.ExpectDisposition("accepted", 0);
        await client.Send(new Frames10().Message(client.NextDeliveryId(), [.. largest, 0], payloadBytes));
        await client.ExpectDetach("amqp:link:message-size-exceeded");
        await client.Publish("others go on", 2);
    }

    [Theory, MemberData(nameof(Malformed))]
    public async Task What_is_no_message_costs_the_link(string _, byte[] message)
    {
        foreach (bool isPieced in (bool[])[false, true])
        {
            await using var server = new TestServer(limits: new ConnectionLimits { IncomingWindowMax = 100_000 });
            WireScript10 client = await server.OpenWithAsync(0);
            await client.AttachSender(2);
            await client.Send(new Frames10().Message(client.NextDeliveryId(), message.Length == 0 ? [0] : message, isPieced ? 1 : int.MaxValue));
            await client.ExpectDetach("amqp:decode-error");
            await client.Publish("others go on", 2);
            server.Queue("q").ReadyCount.ShouldBe(1);
        }
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "text", "hello"u8.ToArray() },
        { "properties that are cut", new Message10().To("x").Bytes[..^1] },
        { "half a descriptor", [.. new Message10().To("x").Bytes, 0x00, 0x53] },
        { "a footer only", new Message10().Footer().Bytes },
        { "a footer for a body", new Message10().To("x").Footer().Bytes },
        { "sections in the wrong order", new Message10().To("x").Header(new MessageHeader()).Data("x").Bytes },
        { "a section twice", new Message10().To("x").To("y").Data("x").Bytes },
        { "two values", new Message10().Value([0x40]).Value([0x40]).Bytes },
        { "data and a value", new Message10().Data("x").Value([0x40]).Bytes },
        { "a header behind the body", new Message10().Data("x").Header(new MessageHeader()).Bytes },
        { "two footers", new Message10().Data("x").Footer().Footer().Bytes },
        { "a section that there is not", new Message10().Section(0x79, [0x40]).Data("x").Bytes },
        { "a performative", Encoded10.Composite(new Begin()) },
        { "data that is text", new Message10().Section(Descriptors.Data, Encoded10.String("x")).Bytes },
        { "a sequence that is a map", new Message10().Section(Descriptors.AmqpSequence, Encoded10.Map()).Bytes },
        { "annotations that are a list", new Message10().Section(Descriptors.MessageAnnotations, [0x45]).Data("x").Bytes },
        { "properties that are a map", new Message10().Section(MessageProperties.Code, Encoded10.Map()).Data("x").Bytes },
        { "a map with a key too many", new Message10().Section(Descriptors.MessageAnnotations, [0xC1, 2, 1, 0x40]).Data("x").Bytes },
        { "a map with fewer items than announced", new Message10().Section(Descriptors.ApplicationProperties, [0xC1, 3, 4, 0x40, 0x40]).Data("x").Bytes },
        { "a size beyond the end", [.. new Message10().To("x").Bytes, 0x00, 0x53, 0x75, 0xB0, 0x7F, 0xFF, 0xFF, 0xFF, 1] },
        { "a data section that is cut", Message10.Of("hello")[..^1] },
        { "a value that is cut", new Message10().Value([0x81, 1, 2]).Bytes },
        { "a value of no type", new Message10().Value([0x3F]).Bytes },
        { "more behind the body", [.. Message10.Of("x"), 0x40] },
        { "application properties too deep", new Message10().ApplicationProperties(("a", Encoded10.Nested(100))).Data("x").Bytes },
        { "annotations too deep", new Message10().MessageAnnotations(("a", Encoded10.Nested(5_000))).Data("x").Bytes },
        { "a descriptor without an end", [.. Enumerable.Repeat((byte)0, 500)] },
        { "too many sections in front of the body", [.. new Message10().Section(MessageProperties.Code, [0xD0, 0x10, 0, 0, 1, 0, 0, 0, 0]).Bytes] },
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Message_may_have_no_body(bool hasProperties)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = hasProperties ? new Message10().To(null, "nothing else").Bytes : new Message10().Header(new MessageHeader { Durable = true }).Bytes;
        await client.ExpectDisposition("accepted", await client.Transfer(message)); // the standard wants one, but clients do without
        await client.Grant(1);
        (await client.ExpectDelivery()).Bare.ShouldBe(hasProperties ? message : []);
    }

    [Theory]
    [InlineData("no delivery-id")]
    [InlineData("no delivery-tag")]
    [InlineData("another delivery before the end")]
    public async Task Transfer_that_is_wrong_costs_the_link(string what)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.AttachSender(2);
        byte[] message = Message10.Of("x");
        await client.Send(what switch
        {
            "no delivery-id" => new Frames10().Add(new Transfer { DeliveryTag = "t"u8 }, payload: message),
            "no delivery-tag" => new Frames10().Add(new Transfer { DeliveryId = 0 }, payload: message),
            _ => new Frames10()
                .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, More = true }, payload: message)
                .Add(new Transfer { DeliveryId = 1, DeliveryTag = "u"u8 }, payload: message),
        });
        await client.ExpectDetach("amqp:invalid-field");
        server.Queue("q").ReadyCount.ShouldBe(0);
        await client.Publish("others go on", 2);
    }

    [Fact]
    public async Task Transfer_on_a_link_to_the_client_ends_the_session()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Begin(2);
        await client.Send(new Frames10().Message(0, Message10.Of("x"), handle: 1));
        await client.ExpectSessionEnd("amqp:not-allowed");
        await client.ExpectQuiet(2);
    }

    [Fact]
    public async Task What_comes_after_the_servers_detach_is_passed_over()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(new Frames10()
            .Message(0, [1, 2, 3])
            .Message(1, Message10.Of("late"))
            .Add(new Flow { Handle = 0, Echo = true })
            .Add(new Disposition { Role = Role.Sender, First = 0, Settled = true }));
        await client.ExpectDetach("amqp:decode-error");
        server.Queue("q").ReadyCount.ShouldBe(0);
        await client.AttachSender();
        await client.Send(new Frames10().Message(2, Message10.Of("again")));
        await client.ExpectDisposition("accepted", 2);
    }

    [Fact]
    public async Task Many_messages_in_many_pieces_keep_their_order()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        var frames = new Frames10();
        for (uint id = 0; id < 200; id++) frames.Message(id, Rich($"{id}"), payloadBytesMax: (int)(id % 20) + 1, settled: true);
        await client.Send(frames);
        await client.Grant(200);
        int count = 0;
        while (count < 200)
        {
            WireFrame10? frame = await client.Receive();
            if (frame!.Performative is WireFlow) continue;
            var transfer = frame.Performative.ShouldBeOfType<WireTransfer>();
            new WireDelivery10(1, 0, [], true, transfer.Payload, []).Read().Text.ShouldBe($"{count++}");
        }
    }

    [Fact]
    public async Task Pieces_of_a_delivery_of_different_tags_cost_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("x");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { DeliveryTag = "u"u8 }, payload: message.AsSpan(3)));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.7.5
    }

    [Fact]
    public async Task Tag_of_more_than_32_bytes_costs_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(new Transfer { DeliveryId = 0, DeliveryTag = new byte[33] }, payload: Message10.Of("x"));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.8.7
    }

    [Fact]
    public async Task Pieces_of_a_delivery_of_different_formats_cost_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("x");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, MessageFormat = 0, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { MessageFormat = 1 }, payload: message.AsSpan(3)));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.7.5
    }

    // Every section, so that pieces may end within each of them.
    private static byte[] Rich(string body) => new Message10()
        .Header(new MessageHeader { Durable = false, Priority = 3 })
        .DeliveryAnnotations(("hop", Encoded10.ULong(1)))
        .MessageAnnotations(("x-opt-a", Encoded10.String("b")))
        .Properties(new MessageProperties { MessageId = Encoded10.ULong(7), Subject = "s"u8 })
        .ApplicationProperties(("k", Encoded10.String("v")))
        .Data(body)
        .Footer(("f", Encoded10.String("g")))
        .Bytes;

    private static byte[] BareOf(byte[] message) => new WireDelivery10(0, 0, [], true, message, []).Read().Bare;

    private static async Task<WireDelivery10> NextDeliveryAsync(WireScript10 client)
    {
        WireDelivery10? delivery = null;
        bool isAnswered = false;
        while (delivery is null || !isAnswered)
        {
            switch ((await client.Receive())!.Performative)
            {
                case WireTransfer transfer: delivery = new WireDelivery10(1, transfer.DeliveryId!.Value, [], false, transfer.Payload, []).Read(); break;
                case WireDisposition { State.Name: "accepted" }: isAnswered = true; break;
                case WireFlow: break;
                case var other: throw new WireScriptException($"Expected a delivery and its answer, but got {other}.");
            }
        }
        return delivery;
    }

    private static async Task AssertArrivesAsync(WireScript10 client, byte[] message, string text)
    {
        await client.ExpectDisposition("accepted", 0);
        await client.Grant(1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.Text.ShouldBe(text);
        delivery.Bare.ShouldBe(BareOf(message));
    }

    private static async Task AssertInQueueAsync(WireScript10 client, string text, string address)
    {
        await client.AttachReceiver(7, address);
        await client.Grant(1, 7);
        (await client.ExpectDelivery(7)).Text.ShouldBe(text);
        await client.Settle(0, States10.Accepted, int.MaxValue);
        await client.Detach(7);
    }
}
