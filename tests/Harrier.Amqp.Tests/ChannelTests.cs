namespace Harrier.Amqp.Tests;

/// <summary>channel.* and access.request, the ends of channels and connections.</summary>
public class ChannelTests
{
    [Fact, Trait("Note", "10")]
    public async Task Note_10_heartbeat_on_a_channel()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Heartbeat(channel: 1));
        await client.ExpectConnectionCloseLike(505, "UNEXPECTED_FRAME - ");
    }

    [Fact, Trait("Note", "15")]
    public async Task Note_15_first_method_must_be_channel_open()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8 }, 7);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - expected 'channel.open'");
    }

    [Fact, Trait("Note", "15")]
    public async Task Note_15_second_channel_open()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ChannelOpen());
        await client.ExpectConnectionClose(504, "CHANNEL_ERROR - second 'channel.open' seen", 20, 10);
    }

    [Fact]
    public async Task Content_on_a_channel_that_is_not_open()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Header(1, channel: 9));
        await client.ExpectConnectionClose(505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead", 0, 0);
    }

    [Fact]
    public async Task Channel_method_on_channel_0()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - ");
    }

    [Fact]
    public async Task Connection_method_on_a_channel()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ConnectionOpen { VirtualHost = "/"u8 });
        await client.ExpectConnectionCloseLike(503, "COMMAND_INVALID - ");
    }

    [Fact]
    public async Task Method_that_only_servers_send()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclareOk { Queue = "q"u8 });
        await client.ExpectConnectionCloseLike(503, "COMMAND_INVALID - ");
    }

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("003C0001")]
    [InlineData("00000000")]
    public async Task Unknown_method(string id)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Frame(FrameType.Method, 1, Convert.FromHexString(id)));
        await client.ExpectConnectionCloseLike(540, "NOT_IMPLEMENTED - ");
    }

    [Fact, Trait("Note", "16")]
    public async Task Note_16_channel_limit_is_a_count()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { ChannelMax = 3 });
        await client.OpenChannel(65_535); // the number is not compared
        await client.OpenChannel(1000);
        await client.Send(new ChannelOpen(), 2);
        await client.ExpectConnectionCloseLike(530, "NOT_ALLOWED - number of channels opened (3) has reached the negotiated channel_max (3)");
    }

    [Fact, Trait("Note", "16")]
    public async Task Note_16_closed_channels_do_not_count()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { ChannelMax = 2 });
        for (ushort channel = 2; channel < 12; channel++)
        {
            await client.OpenChannel(channel);
            await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk, channel);
        }
    }

    [Fact]
    public async Task All_2047_channels_can_be_open()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        var opens = new Frames();
        for (ushort channel = 2; channel <= 2047; channel++) opens.Method(new ChannelOpen(), channel);
        await client.Send(opens);
        for (ushort channel = 2; channel <= 2047; channel++) await client.Expect(AmqpMethod.ChannelOpenOk, channel);
        await client.ExpectQuiet(2047);
    }

    [Fact, Trait("Note", "17")]
    public async Task Note_17_frames_for_a_closing_channel_are_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new QueueDeclare { Queue = "none"u8, Passive = true });
        await client.Expect(AmqpMethod.ChannelClose);
        await client.Send(new Frames()
            .Method(new QueueDeclare { Queue = "q2"u8 })
            .Publish("", "q", "lost")
            .Body([1, 2, 3]) // the rest of content whose beginning crossed with the close
            .Method(new BasicConsume { Queue = "q"u8 })
            .Method(new ChannelOpen()));
        await client.Send(new ChannelCloseOk());
        await client.OpenChannel(1);
        (await client.InspectQueue("q")).ShouldBe(new DeclaredQueue("q", 0, 0));
        await client.Send(new QueueDeclare { Queue = "q2"u8, Passive = true });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'q2' in vhost '/'", 50, 10);
    }

    [Fact, Trait("Note", "17")]
    public async Task Note_17_close_that_crosses_with_the_servers_is_answered()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames()
            .Method(new QueueDeclare { Queue = "none"u8, Passive = true })
            .Method(new ChannelClose { ReplyCode = 200 }));
        await client.Expect(AmqpMethod.ChannelClose);
        await client.Expect(AmqpMethod.ChannelCloseOk);
        await client.Send(new ChannelCloseOk());
        await client.OpenChannel(1);
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "17")]
    public async Task Note_17_other_channels_go_on_while_one_is_closing()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.OpenChannel(2);
        await client.Send(new QueueDeclare { Queue = "none"u8, Passive = true });
        await client.Expect(AmqpMethod.ChannelClose);
        await client.DeclareQueue("q", channel: 2);
        await client.ExpectQuiet(2);
    }

    [Fact, Trait("Note", "17")]
    public async Task Note_17_frames_for_a_closing_connection_are_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript other = await server.Open();
        await other.DeclareQueue("q");
        await client.Send(new ChannelOpen());
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        await client.Send(new Frames()
            .Publish("", "q", "lost")
            .Method(new ChannelOpen(), 2)
            .Header(1, channel: 0)
            .Method(new ConnectionOpen { VirtualHost = "/"u8 }, 0)
            .Heartbeat());
        await client.Send(new ConnectionCloseOk(), 0);
        await client.ExpectEnd();
        (await other.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Fact, Trait("Note", "17")]
    public async Task Note_17_connection_close_that_crosses_with_the_servers_is_answered()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ChannelOpen());
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        await client.Send(new ConnectionClose { ReplyCode = 200 }, 0);
        await client.Expect(AmqpMethod.ConnectionCloseOk, 0);
    }

    [Fact]
    public async Task Client_that_never_answers_connection_close_is_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ChannelOpen());
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        server.Clock.Advance(TimeSpan.FromSeconds(4));
        client.Served.IsCompleted.ShouldBeFalse();
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await client.ExpectEnd();
    }

    [Fact, Trait("Note", "18")]
    public async Task Note_18_exclusive_queue_is_gone_before_close_ok()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("mine", exclusive: true);
        await first.Call(new ConnectionClose { ReplyCode = 200 }, AmqpMethod.ConnectionCloseOk, 0);
        (await second.DeclareQueue("mine", exclusive: true)).MessageCount.ShouldBe(0u);
    }

    [Fact, Trait("Note", "18")]
    public async Task Note_18_exclusive_queue_is_gone_before_the_servers_own_close()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("mine", exclusive: true);
        await first.Send(new ChannelOpen());
        await first.Expect(AmqpMethod.ConnectionClose, 0);
        await second.DeclareQueue("mine", exclusive: true);
    }

    [Fact, Trait("Note", "18")]
    public async Task Note_18_exclusive_queue_goes_with_a_connection_that_is_cut()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("mine", exclusive: true);
        first.Leave();
        await first.Served.WaitAsync(TestServer.SafetyNet);
        await second.DeclareQueue("mine", exclusive: true);
    }

    [Fact, Trait("Note", "18")]
    public async Task Note_18_close_honours_acks_and_requeues_the_rest_before_close_ok()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("q");
        foreach (string text in (string[])["a", "b", "c"]) await first.Publish("", "q", text);
        await first.Consume("q", "c");
        for (int i = 0; i < 3; i++) await first.ExpectDelivery();
        await first.Send(new Frames().Method(new BasicAck { DeliveryTag = 2 }).Method(new ConnectionClose { ReplyCode = 200 }, 0));
        await first.Expect(AmqpMethod.ConnectionCloseOk, 0);
        (await second.Drain("q")).ShouldBe(["a", "c"]);
    }

    [Fact]
    public async Task Exclusive_queue_outlives_the_channel_that_declared_it()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("mine", exclusive: true);
        await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        await client.OpenChannel(2);
        await client.InspectQueue("mine", channel: 2);
    }

    [Fact, Trait("Note", "24")]
    public async Task Note_24_reply_text_is_cut_to_255_octets()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string name = new('q', 255);
        await client.Send(new QueueDeclare { Queue = WireScript.Bytes(name), Passive = true });
        string expected = "NOT_FOUND - no queue '" + new string('q', 255 - "NOT_FOUND - no queue '...".Length) + "...";
        await client.ExpectChannelClose(404, expected, 50, 10);
    }

    [Fact, Trait("Note", "24")]
    public async Task Note_24_reply_text_is_not_cut_within_a_character()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string name = new('ü', 127);
        await client.Send(new QueueDeclare { Queue = WireScript.Bytes(name), Passive = true });
        string expected = "NOT_FOUND - no queue '" + new string('ü', (252 - "NOT_FOUND - no queue '".Length) / 2) + "...";
        await client.ExpectChannelClose(404, expected, 50, 10);
    }

    [Fact]
    public async Task Access_request_is_granted_ticket_1()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireFrame frame = await client.Call(
            new AccessRequest { Realm = "/data"u8, Active = true, Read = true, Write = true }, AmqpMethod.AccessRequestOk);
        TicketOf(frame).ShouldBe(1);
    }

    [Fact, Trait("Note", "91")]
    public async Task Note_91_flow_active_is_answered()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireFrame frame = await client.Call(new ChannelFlow { Active = true }, AmqpMethod.ChannelFlowOk);
        ChannelFlowOk.Decode(frame.Arguments).Active.ShouldBeTrue();
    }

    [Fact, Trait("Note", "91")]
    public async Task Note_91_flow_inactive_is_not_implemented()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ChannelFlow { Active = false });
        await client.ExpectConnectionClose(540, "NOT_IMPLEMENTED - active=false", 20, 20);
    }

    [Fact, Trait("Note", "85")]
    public async Task Note_85_delivery_tags_start_at_1_after_the_channel_is_opened_again()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        (await client.Get("q", noAck: false)).DeliveryTag.ShouldBe(1ul);
        await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        await client.OpenChannel(1);
        (await client.Get("q", noAck: false)).DeliveryTag.ShouldBe(1ul);
    }

    [Fact]
    public async Task Late_close_ok_for_a_channel_that_is_gone_is_ignored()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ChannelCloseOk(), 5);
        await client.ExpectQuiet();
    }

    private static int TicketOf(WireFrame frame) => AccessRequestOk.Decode(frame.Arguments).Ticket;
}
