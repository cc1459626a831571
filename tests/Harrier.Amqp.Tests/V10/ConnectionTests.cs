using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Opening and closing connections (1.0 part 2, section 2.4).</summary>
public class ConnectionTests
{
    [Fact, Trait("Note", "108")]
    public async Task Open_tells_what_the_server_takes()
    {
        await using var server = new TestServer();
        WireOpen open = await server.Connect10().Open();
        open.ContainerId.ShouldBe(new ServerIdentity().ClusterName);
        open.MaxFrameSize.ShouldBe(131_072u);
        open.ChannelMax.ShouldBe((ushort)63);
        open.IdleTimeOutMs.ShouldBe(30_000u);
        open.OfferedCapabilities.ShouldBe(["LINK_PAIR_V1_0", "ANONYMOUS-RELAY"]);
    }

    [Fact, Trait("Note", "116")]
    public async Task Open_properties_are_those_that_client_libraries_look_for()
    {
        await using var server = new TestServer();
        Dictionary<string, string> properties = (await server.Connect10().Open()).Properties;
        properties["product"].ShouldBe("RabbitMQ");
        properties["version"].ShouldMatch(@"^4\.\d+\.\d+$");
        properties["node"].ShouldBe(properties["cluster_name"]);
        properties["server"].ShouldBe("Harrier");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(64)]
    public async Task Conversation_in_segments_of_any_size_is_the_same(int segmentBytes)
    {
        await using var server = new TestServer();
        server.Declare("q");
        await TalkAsync(server.Connect10(segmentBytes: segmentBytes));
    }

    [Fact]
    public async Task Conversation_byte_by_byte_is_the_same()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        client.SendsByteByByte = true;
        await TalkAsync(client);
    }

    [Fact]
    public async Task Whole_conversation_may_be_sent_at_once()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.Send(new Frames10()
            .Raw(WireScript10.SaslHeader)
            .Sasl(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 })
            .Raw(WireScript10.ProtocolHeader)
            .Add(new Open { ContainerId = "c"u8 }, 0)
            .Add(new Begin { IncomingWindow = 1, OutgoingWindow = 1 })
            .Add(new End())
            .Add(new Close(), 0));
        await client.ExpectHeader(WireScript10.SaslHeader);
        await client.Expect<WireMechanisms>(0);
        (await client.Expect<WireOutcome>(0)).Code.ShouldBe(SaslCode.Ok);
        await client.ExpectHeader(WireScript10.ProtocolHeader);
        await client.Expect<WireOpen>(0);
        await client.Expect<WireBegin>();
        await client.Expect<WireEnd>();
        (await client.Expect<WireClose>(0)).Error.ShouldBeNull();
        await client.ExpectEndOfStream();
    }

    [Fact]
    public async Task Peer_without_sasl_is_told_to_use_it()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.SendBytes(WireScript10.ProtocolHeader);
        await client.ExpectHeader(WireScript10.SaslHeader);
        await client.ExpectEndOfStream();
    }

    [Fact]
    public async Task Peer_without_sasl_is_the_anonymous_user_if_there_is_one()
    {
        await using var server = new TestServer(anonymousUser: "guest");
        WireScript10 client = server.Connect10();
        await client.SendBytes(WireScript10.ProtocolHeader);
        await client.ExpectHeader(WireScript10.ProtocolHeader);
        await client.SendOpen(new OpenOptions10());
        await client.Expect<WireOpen>(0);
        await client.Begin();
        await client.Close();
    }

    [Theory]
    [InlineData("414D515000010001")] // 1.0, revision 1
    [InlineData("414D515003010100")] // SASL 1.1
    [InlineData("414D515002010000")] // TLS within AMQP
    public async Task Other_headers_of_version_1_are_answered_with_the_one_of_sasl(string header)
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.SendBytes(Convert.FromHexString(header));
        (await client.ReceiveAllBytes()).ShouldBe(WireScript10.SaslHeader);
    }

    [Theory]
    [InlineData("414D515000000901")] // 0-9-1
    [InlineData("414D515003010000")] // SASL once more
    [InlineData("0000000C02000000")] // no header
    public async Task Another_header_after_sasl_is_answered_with_the_right_one_and_the_end(string header)
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.BeginSasl();
        await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 }));
        await client.Expect<WireOutcome>(0);
        await client.SendBytes(Convert.FromHexString(header));
        (await client.ReceiveAllBytes()).ShouldBe(WireScript10.ProtocolHeader);
    }

    [Theory, Trait("Note", "108")]
    [InlineData(0u)]
    [InlineData(511u)]
    public async Task Max_frame_size_below_512_is_refused(uint size)
    {
        await using var server = new TestServer();
        await AssertOpenIsRefusedAsync(server, new OpenOptions10 { MaxFrameSize = size }, "amqp:invalid-field");
    }

    [Theory]
    [InlineData(512u)]
    [InlineData(uint.MaxValue)]
    public async Task Any_other_max_frame_size_is_fine(uint size)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = size });
        await client.ExpectQuiet();
        await client.Close();
    }

    [Theory, Trait("Note", "108")]
    [InlineData(1u)]
    [InlineData(999u)]
    public async Task Idle_time_out_below_a_second_is_refused(uint timeoutMs)
    {
        await using var server = new TestServer();
        await AssertOpenIsRefusedAsync(server, new OpenOptions10 { IdleTimeOutMs = timeoutMs }, "amqp:invalid-field");
    }

    [Fact, Trait("Note", "108")]
    public async Task Hostname_selects_the_virtual_host()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", "/", "other")], ["/", "other"]);
        server.Declare("q");
        WireScript10 client = await server.Open10(new OpenOptions10 { Hostname = "vhost:other" });
        await client.Send(Links10.Receiver(0, "/queues/q"));
        (await client.Expect<WireAttach>()).HasSource.ShouldBeFalse();
        (await client.ExpectDetach("amqp:not-found")).Description!.ShouldContain("vhost 'other'");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("vhost:/")]
    public async Task Any_other_hostname_is_the_default_virtual_host(string? hostname)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10(new OpenOptions10 { Hostname = hostname });
        await client.AttachReceiver();
    }

    [Fact]
    public async Task Virtual_host_that_is_not_there_is_refused()
    {
        await using var server = new TestServer();
        await AssertOpenIsRefusedAsync(server, new OpenOptions10 { Hostname = "vhost:nowhere" }, "amqp:not-found");
    }

    [Fact]
    public async Task Virtual_host_of_others_is_refused()
    {
        await using var server = new TestServer(virtualHosts: ["/", "other"]);
        await AssertOpenIsRefusedAsync(server, new OpenOptions10 { Hostname = "vhost:other" }, "amqp:not-allowed");
    }

    [Fact]
    public async Task Connection_beyond_the_limit_is_refused()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { ConnectionsMax = 1 });
        WireScript10 first = await server.Open10();
        await AssertOpenIsRefusedAsync(server, new OpenOptions10(), "amqp:resource-limit-exceeded");
        await first.ExpectQuiet();
    }

    [Fact]
    public async Task Channel_above_channel_max_closes_the_connection()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Begin(63);
        await client.Send(new Begin { IncomingWindow = 1, OutgoingWindow = 1 }, 64);
        (await client.ExpectClose("amqp:connection:framing-error")).Description.ShouldBe("channel number (64) exceeds maximum channel number (63)");
    }

    [Fact]
    public async Task Close_is_answered_whatever_its_reason()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Close { Error = Encoded10.Composite(new AmqpError { Condition = "x:y"u8, Description = "enough"u8 }) }, 0);
        (await client.Expect<WireClose>(0)).Error.ShouldBeNull();
        await client.ExpectEndOfStream();
        server.ConnectionCount.ShouldBe(0);
    }

    [Fact]
    public async Task What_comes_after_close_is_not_looked_at()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10()
            .Add(new Close(), 0)
            .Add(new Begin { IncomingWindow = 1, OutgoingWindow = 1 }, 2)
            .Raw(0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0));
        (await client.Expect<WireClose>(0)).Error.ShouldBeNull();
        await client.ExpectEndOfStream();
    }

    [Fact]
    public async Task What_comes_after_an_error_is_passed_over_until_close()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Add(new End(), 2).Add(new Begin { IncomingWindow = 1, OutgoingWindow = 1 }, 3).Add(new End()).Add(new Transfer(), 9));
        await client.ExpectClose("amqp:illegal-state");
    }

    [Fact]
    public async Task Peer_that_does_not_answer_close_is_dropped()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new End(), 2);
        await client.Expect<WireClose>(0);
        server.Pass(4_900);
        client.Served.IsCompleted.ShouldBeFalse();
        server.Pass(1_000);
        await client.ExpectEndOfStream();
    }

    [Fact]
    public async Task Server_that_ends_says_so()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        Task shutdown = server.Shutdown();
        await client.ExpectClose("amqp:connection:forced");
        while (!shutdown.IsCompleted)
        {
            server.Pass(1_000);
            await Task.Yield();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Signs_of_life_come_when_nothing_else_does(int seconds)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10(new OpenOptions10 { IdleTimeOutMs = (uint)seconds * 1000 });
        for (int i = 0; i < 5; i++)
        {
            server.Pass(seconds * 1000);
            int count = 0;
            await client.SendFlow(echo: true);
            while ((await client.Receive())?.Performative is WireEmpty) count++;
            count.ShouldBeInRange(1, 3);
        }
    }

    [Fact]
    public async Task Peer_that_says_something_now_and_then_lives()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        for (int i = 0; i < 10; i++)
        {
            server.Pass(29_000);
            await client.Send(new Frames10().Empty());
        }
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Peer_that_asks_for_no_signs_of_life_gets_none()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { HeartbeatSeconds = 0 });
        WireScript10 client = await server.Open10(new OpenOptions10 { IdleTimeOutMs = 0 });
        server.Pass(10_000_000);
        await client.ExpectQuiet();
    }

    [Theory, Trait("Note", "108")]
    [InlineData(59_000, true)]
    [InlineData(62_000, false)]
    public async Task Silent_peer_is_given_twice_the_time_that_was_announced(int silentMs, bool lives)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        server.Pass(silentMs);
        if (lives)
        {
            await client.ExpectQuiet();
            return;
        }
        (await client.Receive())?.Performative.ShouldBeOfType<WireClose>(); // or the end
    }

    [Fact]
    public async Task Silent_peer_is_told_why_its_connection_is_closed()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        server.Pass(200_000);
        (await client.Expect<WireClose>(0)).Error!.Condition.ShouldBe("amqp:resource-limit-exceeded"); // 1.0 part 2, section 2.4.5
    }

    [Fact]
    public async Task Begin_that_answers_nothing_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Begin { RemoteChannel = 7, IncomingWindow = 1, OutgoingWindow = 1 }, 5);
        (await client.Receive())!.Performative.ShouldBeOfType<WireClose>(); // 1.0 part 2, section 2.7.2: it is set in answers only
    }

    private static async Task TalkAsync(WireScript10 client)
    {
        await client.Open();
        await client.Begin();
        await client.AttachSender();
        await client.AttachReceiver();
        await client.Grant(10);
        await client.Transfer("one");
        (await client.ExpectDelivery()).Text.ShouldBe("one");
        await client.ExpectDisposition("accepted", 0);
        await client.Settle(1, States10.Accepted);
        await client.Detach(0);
        await client.Detach(1);
        await client.EndSession();
        await client.Close();
    }

    private static async Task AssertOpenIsRefusedAsync(TestServer server, OpenOptions10 options, string condition)
    {
        WireScript10 client = server.Connect10();
        await client.Login();
        await client.SendOpen(options);
        client.FrameBytesMax = 512;
        await client.Expect<WireOpen>(0); // a close may follow an open only
        await client.ExpectClose(condition);
    }
}
