using System.Net;
using System.Text;

namespace Harrier.Amqp.Tests;

/// <summary>From the protocol header to connection.open-ok, and update-secret.</summary>
public class HandshakeTests
{
    [Theory]
    [InlineData("414D515000000901")] // AMQP 0 0 9 1
    [InlineData("414D515001010009")] // AMQP 1 1 0 9, which 0-9 clients send
    public async Task Spoken_headers_are_answered_with_connection_start(string header)
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.SendBytes(Convert.FromHexString(header));
        WireFrame start = await client.Expect(AmqpMethod.ConnectionStart, 0);
        VersionOf(start).ShouldBe((0, 9));
    }

    [Theory]
    [InlineData("414D515001010008")] // AMQP 0-8
    [InlineData("414D515000000902")] // a later 0-9
    [InlineData("474554202F20485454502F312E310D0A0D0A")] // GET / HTTP/1.1
    [InlineData("16030100C8010000C40303")] // TLS hello
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("0000000000000000000000000000")]
    public async Task Other_headers_are_answered_with_what_is_spoken_and_the_end(string header)
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.SendBytes(Convert.FromHexString(header));
        (await client.ReceiveAllBytes()).ShouldBe(WireScript.ProtocolHeader);
    }

    [Fact]
    public async Task Wrong_header_that_comes_byte_by_byte_is_answered_the_same()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        client.SendsByteByByte = true;
        await client.SendBytes("GET / HT"u8.ToArray());
        (await client.ReceiveAllBytes()).ShouldBe(WireScript.ProtocolHeader);
    }

    [Fact]
    public async Task Peer_that_leaves_within_the_header_is_forgotten()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.SendBytes("AMQ"u8.ToArray());
        client.Leave();
        await client.Served.WaitAsync(TestServer.SafetyNet);
        server.ConnectionCount.ShouldBe(0);
    }

    [Fact]
    public async Task Port_check_is_not_worth_a_warning()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        client.Leave();
        await client.Served.WaitAsync(TestServer.SafetyNet);
        server.Log.Entries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task Peer_that_falls_silent_within_the_header_is_dropped_after_ten_seconds(int sent)
    {
        await using var server = new TestServer();
        int timers = server.Clock.TimerCount;
        WireScript client = server.Connect();
        while (server.Clock.TimerCount == timers) await Task.Yield(); // the time-out must have begun before time passes
        await client.SendBytes(WireScript.ProtocolHeader.AsMemory(0, sent));
        server.Clock.Advance(TimeSpan.FromSeconds(9.9));
        client.Served.IsCompleted.ShouldBeFalse();
        server.Clock.Advance(TimeSpan.FromSeconds(0.2));
        await client.ExpectEnd();
    }

    [Theory]
    [InlineData("start")]
    [InlineData("tune")]
    public async Task Client_that_falls_silent_in_the_handshake_is_dropped(string stage)
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        if (stage == "start")
        {
            await client.SendBytes(WireScript.ProtocolHeader);
            await client.Expect(AmqpMethod.ConnectionStart, 0);
        }
        else await client.Login(new OpenOptions());
        server.Clock.Advance(TimeSpan.FromSeconds(9));
        client.Served.IsCompleted.ShouldBeFalse();
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await client.ExpectEnd();
    }

    [Fact]
    public async Task Open_connection_is_not_subject_to_the_handshake_timeout()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        server.Clock.Advance(TimeSpan.FromHours(1));
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "19")]
    public async Task Note_19_capabilities_are_these_nine_all_true()
    {
        await using var server = new TestServer();
        Dictionary<string, object> properties = await ServerProperties(server);
        var capabilities = (Dictionary<string, object>)properties["capabilities"];
        string[] expected =
        [
            "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify", "connection.blocked",
            "consumer_priorities", "authentication_failure_close", "per_consumer_qos", "direct_reply_to",
        ];
        capabilities.Keys.ShouldBe(expected, ignoreOrder: true);
        capabilities.Values.ShouldAllBe(v => (long)v == 1);
    }

    [Fact, Trait("Note", "20")]
    public async Task Note_20_server_properties_are_those_that_clients_gate_on()
    {
        await using var server = new TestServer();
        Dictionary<string, object> properties = await ServerProperties(server);
        properties["product"].ShouldBe("RabbitMQ");
        ((string)properties["version"]).ShouldStartWith("4.3.");
        ((string)properties["platform"]).ShouldStartWith("Erlang/OTP 27");
        properties.Keys.ShouldContain("copyright");
        properties.Keys.ShouldContain("information");
        properties.Keys.ShouldContain("cluster_name");
    }

    [Fact, Trait("Note", "5")]
    public async Task Note_5_mechanisms_are_PLAIN_and_AMQPLAIN()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.SendBytes(WireScript.ProtocolHeader);
        WireFrame start = await client.Expect(AmqpMethod.ConnectionStart, 0);
        MechanismsOf(start).ShouldBe("PLAIN AMQPLAIN");
    }

    [Fact, Trait("Note", "7")]
    public async Task Note_7_tune_proposes_2047_131072_60()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        WireFrame tune = await client.Login(new OpenOptions());
        TuneOf(tune).ShouldBe((2047, 131_072u, 60));
    }

    [Theory, Trait("Note", "7")]
    [InlineData(0, 131_072, "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)")]
    [InlineData(2048, 131_072, "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)")]
    [InlineData(2047, 0, "negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)")]
    [InlineData(2047, 131_073, "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)")]
    [InlineData(2047, uint.MaxValue, "negotiated frame_max = 4294967295 is higher than the maximum allowed value (131072)")]
    [InlineData(2047, 4095, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)")]
    public async Task Note_7_tune_ok_beyond_the_limits_blames_connection_tune(ushort channelMax, uint frameMax, string text)
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        await client.Send(new ConnectionTuneOk { ChannelMax = channelMax, FrameMax = frameMax }, 0);
        await client.ExpectConnectionClose(530, "NOT_ALLOWED - " + text, 10, 30);
    }

    [Fact, Trait("Note", "7")]
    public async Task Note_7_server_that_follows_RabbitMQ_to_the_letter_refuses_frames_below_8192()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { FrameBytesMin = 8192 });
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        await client.Send(new ConnectionTuneOk { ChannelMax = 2047, FrameMax = 4096 }, 0);
        await client.ExpectConnectionCloseLike(530, "NOT_ALLOWED - negotiated frame_max = 4096 is lower than the minimum allowed value (8192)");
    }

    [Fact, Trait("Note", "7")]
    public async Task Note_7_old_clients_may_ask_for_4096()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { FrameMax = 4096 });
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "11")]
    public async Task Note_11_missing_virtual_host()
    {
        await using var server = new TestServer();
        await OpenRefused(server, new OpenOptions { VirtualHost = "none" }, "NOT_ALLOWED - vhost none not found");
    }

    [Fact, Trait("Note", "11")]
    public async Task Note_11_virtual_host_without_permission()
    {
        await using var server = new TestServer(virtualHosts: ["/", "closed"]);
        await OpenRefused(server, new OpenOptions { VirtualHost = "closed" }, "NOT_ALLOWED - access to vhost 'closed' refused for user 'guest'");
    }

    [Fact, Trait("Note", "11")]
    public async Task Note_11_connection_beyond_the_nodes_limit_is_told_so_when_it_opens()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { ConnectionsMax = 1 });
        WireScript first = await server.Open();
        await OpenRefused(server, new OpenOptions(), "NOT_ALLOWED - connection refused: node connection limit (1) is reached");
        await first.ExpectQuiet();
    }

    [Fact, Trait("Note", "11")]
    public async Task Note_11_connection_limit_counts_only_those_that_are_there()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { ConnectionsMax = 1 });
        WireScript first = await server.Open();
        await first.Close();
        await first.Served.WaitAsync(TestServer.SafetyNet);
        WireScript second = await server.Open();
        await second.ExpectQuiet();
    }

    [Fact]
    public async Task Virtual_hosts_do_not_see_each_other()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", "/", "other")], ["/", "other"]);
        WireScript here = await server.Open();
        WireScript there = await server.Open(new OpenOptions { VirtualHost = "other" });
        await here.DeclareQueue("q");
        await there.Send(new QueueDeclare { Queue = "q"u8, Passive = true });
        await there.ExpectChannelClose(404, "NOT_FOUND - no queue 'q' in vhost 'other'", 50, 10);
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_method_out_of_order_while_starting()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.Send(new ConnectionTuneOk { ChannelMax = 1, FrameMax = 8192 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - unexpected method in connection state starting");
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_method_out_of_order_while_tuning()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        await client.Send(new ConnectionOpen { VirtualHost = "/"u8 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - unexpected method in connection state tuning");
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_method_out_of_order_while_opening()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        await client.Send(new ConnectionTuneOk { ChannelMax = 10, FrameMax = 8192 }, 0);
        await client.Send(new ConnectionTuneOk { ChannelMax = 10, FrameMax = 8192 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - unexpected method in connection state opening");
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_second_connection_open_on_an_open_connection()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ConnectionOpen { VirtualHost = "/"u8 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - unexpected method in connection state running");
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_secure_ok_that_nobody_asked_for()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.Send(new ConnectionSecureOk { Response = "x"u8 }, 0);
        await client.ExpectConnectionCloseLike(504, "CHANNEL_ERROR - unexpected method in connection state starting");
    }

    [Fact]
    public async Task Channel_before_the_virtual_host_is_open()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        await client.Send(new ChannelOpen());
        await client.ExpectConnectionCloseLike(505, "UNEXPECTED_FRAME - ");
    }

    [Fact]
    public async Task Oversize_frame_before_tune_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.SendBytes(new byte[] { 1, 0, 0, 0, 0, 0x40, 0 });
        await client.ExpectConnectionCloseLike(501, "frame_too_large");
    }

    [Fact]
    public async Task Close_in_the_handshake_is_an_unexpected_method()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.Send(new ConnectionClose { ReplyCode = 200 }, 0);
        await client.ExpectConnectionCloseLike(504, "unexpected method in connection state starting");
    }

    [Theory]
    [InlineData("00")] // a name that is missing its value
    [InlineData("0361626353FFFFFFFF")] // a text of 4 GiB
    [InlineData("036162635300000005616263")] // a text that ends beyond the table
    [InlineData("0361626346FFFFFFF0")] // a table of nearly 4 GiB
    [InlineData("FF616263")] // a name that ends beyond the table
    public async Task Client_properties_with_lying_lengths_are_refused(string fields)
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        byte[] properties = Convert.FromHexString(fields);
        await client.Send(new ConnectionStartOk { ClientProperties = properties, Mechanism = "PLAIN"u8, Response = "\0guest\0guest"u8 }, 0);
        await client.ExpectConnectionCloseLike(501, "FRAME_ERROR - ");
    }

    [Fact, Trait("Note", "22")]
    public async Task Note_22_update_secret_with_the_right_secret()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ConnectionUpdateSecret { NewSecret = "guest"u8, Reason = "rotation"u8 }, AmqpMethod.ConnectionUpdateSecretOk, 0);
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "22")]
    public async Task Note_22_update_secret_that_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ConnectionUpdateSecret { NewSecret = "wrong"u8, Reason = "rotation"u8 }, 0);
        await client.ExpectConnectionClose(530, "NOT_ALLOWED - New secret was refused by one of the backends", 10, 70);
    }

    private static async Task<WireScript> Started(TestServer server)
    {
        WireScript client = server.Connect();
        await client.SendBytes(WireScript.ProtocolHeader);
        await client.Expect(AmqpMethod.ConnectionStart, 0);
        return client;
    }

    private static async Task OpenRefused(TestServer server, OpenOptions options, string text)
    {
        WireScript client = server.Connect();
        await client.Login(options);
        await client.Send(new ConnectionTuneOk { ChannelMax = 2047, FrameMax = 131_072 }, 0);
        await client.Send(new ConnectionOpen { VirtualHost = WireScript.Bytes(options.VirtualHost) }, 0);
        await client.ExpectConnectionClose(530, text, 10, 40);
    }

    private static async Task<Dictionary<string, object>> ServerProperties(TestServer server)
    {
        WireScript client = server.Connect();
        await client.SendBytes(WireScript.ProtocolHeader);
        WireFrame start = await client.Expect(AmqpMethod.ConnectionStart, 0);
        return ReadTable(ConnectionStart.Decode(start.Arguments).ServerProperties);
    }

    private static Dictionary<string, object> ReadTable(ReadOnlySpan<byte> fields)
    {
        var read = new Dictionary<string, object>();
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            read[Encoding.UTF8.GetString(name)] = value.Type switch
            {
                FieldType.Table => ReadTable(value.Bytes),
                FieldType.LongString => Encoding.UTF8.GetString(value.Bytes),
                _ => value.AsInteger(),
            };
        }
        return read;
    }

    private static (int, int) VersionOf(WireFrame start)
    {
        ConnectionStart method = ConnectionStart.Decode(start.Arguments);
        return (method.VersionMajor, method.VersionMinor);
    }

    private static string MechanismsOf(WireFrame start) => Encoding.UTF8.GetString(ConnectionStart.Decode(start.Arguments).Mechanisms);

    private static (int, uint, int) TuneOf(WireFrame tune)
    {
        ConnectionTune method = ConnectionTune.Decode(tune.Arguments);
        return (method.ChannelMax, method.FrameMax, method.Heartbeat);
    }
}
