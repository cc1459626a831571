namespace Harrier.Amqp.Tests;

/// <summary>Heartbeats in both directions, by a clock that the tests move.</summary>
public class HeartbeatTests
{
    [Fact, Trait("Note", "9")]
    public async Task Note_9_server_sends_every_half_interval()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 10 });
        await Settle(server, client);
        for (int i = 0; i < 3; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(6));
            await client.Expect(FrameType.Heartbeat, 0);
            await client.Send(new Frames().Heartbeat());
        }
    }

    [Fact, Trait("Note", "9")]
    public async Task Note_9_client_that_is_silent_for_two_intervals_is_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 10 });
        server.Clock.Advance(TimeSpan.FromSeconds(19));
        client.Served.IsCompleted.ShouldBeFalse();
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await client.Served.WaitAsync(TestServer.SafetyNet);
        await ExpectOnlyHeartbeatsUntilTheEnd(client);
    }

    [Fact, Trait("Note", "9")]
    public async Task Note_9_heartbeats_keep_a_client_alive()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 2 });
        for (int i = 0; i < 10; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(3));
            await client.Send(new Frames().Heartbeat());
        }
        client.Served.IsCompleted.ShouldBeFalse();
    }

    [Fact, Trait("Note", "9")]
    public async Task Note_9_any_byte_is_a_sign_of_life()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 2 });
        byte[] slowly = new Frames().Method(new QueueDeclare { Queue = "slow"u8 }).Bytes;
        foreach (byte octet in slowly)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(3));
            await client.SendBytes(new[] { octet });
        }
        await SkipHeartbeatsTo(client, AmqpMethod.QueueDeclareOk);
    }

    [Fact, Trait("Note", "9")]
    public async Task Note_9_traffic_to_the_client_needs_no_heartbeats_beside_it()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 10 });
        for (int i = 0; i < 20; i++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(2));
            await client.ExpectQuiet(); // an answer, and no heartbeat before it
        }
    }

    [Fact, Trait("Note", "8")]
    public async Task Note_8_value_of_the_client_is_used_as_it_is()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 1000 }); // more than proposed
        server.Clock.Advance(TimeSpan.FromSeconds(499));
        await client.ExpectQuiet();
        server.Clock.Advance(TimeSpan.FromSeconds(510));
        await client.Expect(FrameType.Heartbeat, 0);
        client.Served.IsCompleted.ShouldBeFalse();
    }

    [Fact, Trait("Note", "8")]
    public async Task Note_8_zero_switches_both_directions_off()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { HeartbeatSeconds = 0 });
        server.Clock.Advance(TimeSpan.FromDays(1));
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Unacked_messages_of_a_silent_client_are_ready_again()
    {
        await using var server = new TestServer();
        WireScript silent = await server.Open(new OpenOptions { HeartbeatSeconds = 5 });
        WireScript other = await server.Open();
        await other.DeclareQueue("q");
        await other.Publish("", "q", "x");
        await silent.Get("q", noAck: false);
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        await silent.Served.WaitAsync(TestServer.SafetyNet);
        (await other.Get("q")).Redelivered.ShouldBeTrue();
    }

    [Fact]
    public async Task Silent_clients_never_make_the_clock_fail()
    {
        for (int round = 0; round < 20; round++)
        {
            await using var server = new TestServer();
            for (int i = 0; i < 20; i++) await server.Open(new OpenOptions { HeartbeatSeconds = 1 });
            Should.NotThrow(() => server.Clock.Advance(TimeSpan.FromSeconds(10)), "an exception in a timer's callback ends the process");
        }
    }

    // The first beat after the handshake takes note of what was sent in it.
    private static async Task Settle(TestServer server, WireScript client)
    {
        server.Clock.Advance(TimeSpan.FromSeconds(0.5));
        await client.ExpectQuiet();
        server.Clock.Advance(TimeSpan.FromSeconds(0.5));
    }

    private static async Task SkipHeartbeatsTo(WireScript client, AmqpMethod method)
    {
        while (true)
        {
            WireFrame frame = await client.Receive() ?? throw new WireScriptException("The stream has ended.");
            if (frame.Type == FrameType.Heartbeat) continue;
            frame.Method.ShouldBe(method);
            return;
        }
    }

    private static async Task ExpectOnlyHeartbeatsUntilTheEnd(WireScript client)
    {
        while (await client.Receive() is { } frame) frame.Type.ShouldBe(FrameType.Heartbeat);
    }
}
