using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Beginning and ending sessions, and their windows (1.0 part 2, section 2.5).</summary>
public class SessionTests
{
    [Theory]
    [InlineData(0, 0u)]
    [InlineData(63, 4_294_967_295u)]
    public async Task Begin_is_answered_on_the_same_channel(ushort channel, uint nextOutgoingId)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        WireBegin begin = await client.Begin(channel, nextOutgoingId);
        begin.RemoteChannel.ShouldBe(channel);
        begin.HandleMax.ShouldBe(255u);
        begin.IncomingWindow.ShouldBeGreaterThan(0u);
        begin.OutgoingWindow.ShouldBeGreaterThan(0u);
        await client.SendFlow(echo: true, channel: channel);
        (await client.Expect<WireFlow>(channel)).NextIncomingId.ShouldBe(nextOutgoingId);
    }

    [Fact]
    public async Task As_many_sessions_as_channel_max_allows_live_side_by_side()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        for (ushort channel = 0; channel < 64; channel++)
        {
            if (channel != 1) await client.Begin(channel);
            await client.AttachSender(channel: channel);
        }
        for (ushort channel = 0; channel < 64; channel++) await client.Publish("x", channel: channel);
        server.Queue("q").ReadyCount.ShouldBe(64);
    }

    [Fact]
    public async Task Channel_may_be_used_again_after_end()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.EndSession();
        WireBegin begin = await client.Begin();
        begin.NextOutgoingId.ShouldBe(0u);
        await client.AttachSender(); // its handles are free as well
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task End_with_an_error_is_answered_like_any_other()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new End { Error = Encoded10.Composite(new AmqpError { Condition = "x:y"u8 }) });
        (await client.Expect<WireEnd>()).Error.ShouldBeNull();
        await client.Begin();
    }

    [Fact]
    public async Task Session_that_ends_leaves_the_others_alone()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        await client.AttachSender(channel: 2);
        await client.EndSession();
        await client.Publish("x", channel: 2);
    }

    [Fact, Trait("Note", "107")]
    public async Task What_a_session_has_unsettled_goes_back_when_it_ends()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        for (int i = 0; i < 3; i++) await client.Publish($"{i}");
        await client.AttachReceiver();
        await client.Grant(2);
        await client.ExpectDelivery();
        await client.ExpectDelivery();
        await client.EndSession();
        server.Queue("q").ReadyCount.ShouldBe(3);

        await client.Begin();
        await client.AttachReceiver();
        await client.Grant(3);
        for (int i = 0; i < 3; i++)
        {
            WireDelivery10 delivery = await client.ExpectDelivery();
            delivery.Text.ShouldBe($"{i}");
            delivery.DeliveryCount.ShouldBe(0u);
            delivery.FirstAcquirer.ShouldBe(i == 2);
        }
    }

    [Fact]
    public async Task Answers_that_are_due_come_before_the_end()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Send(new Frames10().Message(0, Message10.Of("x")).Add(new End()));
        await client.ExpectDisposition("accepted", 0);
        (await client.Expect<WireEnd>()).Error.ShouldBeNull();
    }

    [Fact]
    public async Task Answers_that_are_due_come_before_the_close()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Send(new Frames10().Message(0, Message10.Of("x")).Add(new Close(), 0));
        await client.ExpectDisposition("accepted", 0);
        (await client.Expect<WireClose>(0)).Error.ShouldBeNull();
        await client.ExpectEndOfStream();
    }

    [Fact]
    public async Task Flow_is_echoed_when_that_is_asked_for()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.SendFlow();
        await client.SendFlow(echo: true);
        WireFlow flow = await client.Expect<WireFlow>();
        flow.Handle.ShouldBeNull();
        flow.DeliveryCount.ShouldBeNull();
        flow.Echo.ShouldBeFalse();
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Transfers_are_counted_and_the_window_is_opened_again()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { IncomingWindowMax = 4 });
        server.Declare("q");
        WireScript10 client = server.Connect10();
        await client.Open();
        (await client.Begin(1, nextOutgoingId: uint.MaxValue)).IncomingWindow.ShouldBe(4u);
        await client.AttachSender();
        await client.Publish("1");
        await client.Transfer("2");
        WireFlow flow = await client.Expect<WireFlow>();
        flow.NextIncomingId.ShouldBe(1u); // ids go round
        flow.IncomingWindow.ShouldBe(4u);
        await client.ExpectDisposition("accepted", 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Transfers_stop_at_the_clients_window(int window)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        client.IncomingWindow = (uint)window;
        await client.Open();
        await client.Begin();
        await client.AttachSender();
        for (int i = 0; i < 5; i++) await client.Publish($"{i}");
        await client.AttachReceiver();
        await client.Grant(5);
        for (int i = 0; i < window; i++) (await client.ExpectDelivery()).Text.ShouldBe($"{i}");
        client.IncomingWindow = 0;
        await client.ExpectQuiet();
        client.IncomingWindow = 1;
        await client.SendFlow();
        (await client.ExpectDelivery()).Text.ShouldBe($"{window}");
        client.IncomingWindow = 100;
        await client.SendFlow();
        for (int i = window + 1; i < 5; i++) (await client.ExpectDelivery()).Text.ShouldBe($"{i}");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Window_may_close_within_a_delivery()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        client.IncomingWindow = 1;
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        await client.Begin();
        await client.AttachSender();
        await client.Publish(new string('x', 1200));
        await client.Publish("next");
        await client.AttachReceiver();
        await client.Grant(10);
        string received = "";
        for (bool more = true; more;)
        {
            WireTransfer transfer = await client.Expect<WireTransfer>();
            received += System.Text.Encoding.UTF8.GetString(transfer.Payload);
            more = transfer.More;
            client.IncomingWindow = 0;
            await client.ExpectQuiet();
            client.IncomingWindow = 1;
            if (more) await client.SendFlow();
        }
        received.ShouldEndWith(new string('x', 1200));
        await client.SendFlow();
        (await client.ExpectDelivery()).Text.ShouldBe("next");
    }

    [Fact]
    public async Task Window_is_counted_from_what_the_client_has_seen()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        for (int i = 0; i < 5; i++) await client.Publish($"{i}");
        await client.AttachReceiver();
        await client.Grant(3);
        for (int i = 0; i < 3; i++) await client.ExpectDelivery();
        await client.Send(new Flow { NextIncomingId = 1, IncomingWindow = 2, OutgoingWindow = 1 }); // written when two were on their way
        await client.Send(new Flow { NextIncomingId = 1, IncomingWindow = 3, OutgoingWindow = 1, Handle = 1, DeliveryCount = 3, LinkCredit = 9 });
        (await client.ExpectDelivery()).Text.ShouldBe("3");
        await client.Send(new Flow { NextIncomingId = 1, IncomingWindow = 3, OutgoingWindow = 1, Echo = true });
        await client.Expect<WireFlow>();
    }

    [Fact]
    public async Task One_session_without_a_window_does_not_hold_up_another()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Send(new Begin { IncomingWindow = 0, OutgoingWindow = 1 }, 2);
        await client.Expect<WireBegin>(2);
        await client.AttachReceiver(channel: 2);
        client.IncomingWindow = 0;
        await client.Grant(1, channel: 2);
        client.IncomingWindow = 100;
        await client.AttachSender();
        await client.AttachReceiver();
        await client.Grant(10);
        for (int i = 0; i < 4; i++) await client.Transfer($"{i}", settled: true);
        for (int i = 0; i < 4; i++) (await client.ExpectDelivery()).Text.ShouldBe($"{i}");
        await client.EndSession(2);
    }

    [Fact, Trait("Note", "109")]
    public async Task Client_that_has_seen_more_than_was_sent_loses_its_session()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        await client.Send(new Flow { NextIncomingId = 1, IncomingWindow = 10, OutgoingWindow = 10 });
        await client.ExpectSessionEnd("amqp:session:window-violation");
        await client.ExpectQuiet(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_after_the_servers_end_is_passed_over(bool isByteByByte)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        client.SendsByteByByte = isByteByByte;
        await client.AttachSender();
        await client.Begin(2);
        await client.Send(new Frames10()
            .Add(new Detach { Handle = 7 })
            .Message(0, Message10.Of("late"))
            .Add(new Flow { Echo = true })
            .Add(new Detach { Handle = 0 })
            .Add(new Disposition { Role = Role.Receiver, First = 3, Settled = true }));
        await client.ExpectSessionEnd("amqp:session:unattached-handle");
        server.Queue("q").ReadyCount.ShouldBe(0);
        await client.ExpectQuiet(2);
    }

    [Theory, MemberData(nameof(WithoutSession))]
    public async Task Nothing_but_begin_is_taken_on_a_channel_without_a_session(string _, byte[] performative)
    {
        await using var server = new TestServer();
        WireScript10 other = await server.Open10();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Frame(performative, 5));
        await client.ExpectClose("amqp:illegal-state");
        await other.ExpectQuiet();
    }

    public static TheoryData<string, byte[]> WithoutSession => new()
    {
        { "attach", Encoded10.Composite(Links10.Sender(0, "/queues/q")) },
        { "flow", Encoded10.Composite(new Flow()) },
        { "transfer", Encoded10.Composite(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8 }) },
        { "disposition", Encoded10.Composite(new Disposition()) },
        { "detach", Encoded10.Composite(new Detach()) },
        { "end", Encoded10.Composite(new End()) },
        { "open", Encoded10.Composite(new Open { ContainerId = "c"u8 }) },
    };

    [Fact]
    public async Task Begin_on_a_channel_that_has_a_session_closes_the_connection()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Begin { IncomingWindow = 1, OutgoingWindow = 1 });
        await client.ExpectClose("amqp:illegal-state");
    }

    [Fact]
    public async Task Open_on_a_channel_that_has_a_session_closes_the_connection()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Open { ContainerId = "again"u8 });
        await client.ExpectClose("amqp:illegal-state");
    }
}
