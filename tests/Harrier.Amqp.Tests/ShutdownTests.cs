using Harrier.Broker.Flow;

namespace Harrier.Amqp.Tests;

/// <summary>A broker that stops closes its clients with 320.</summary>
public class ShutdownTests
{
    private const string Text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";

    [Fact, Trait("Note", "23")]
    public async Task Note_23_every_client_is_closed_with_320()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        Task shutdown = server.Shutdown();
        await first.ExpectConnectionClose(320, Text, 0, 0);
        await second.ExpectConnectionClose(320, Text, 0, 0);
        await Complete(server, shutdown);
    }

    [Fact, Trait("Note", "23")]
    public async Task Note_23_client_in_the_handshake_is_closed_too()
    {
        await using var server = new TestServer();
        WireScript client = server.Connect();
        await client.Login(new OpenOptions());
        Task shutdown = server.Shutdown();
        await client.ExpectConnectionClose(320, Text, 0, 0);
        await Complete(server, shutdown);
    }

    [Fact]
    public async Task Client_that_comes_while_the_broker_stops_is_closed_too()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        Task shutdown = server.Shutdown();
        WireScript late = server.Connect();
        await late.SendBytes(WireScript.ProtocolHeader);
        await late.Expect(AmqpMethod.ConnectionStart, 0);
        await late.ExpectConnectionClose(320, Text, 0, 0);
        await first.ExpectConnectionClose(320, Text, 0, 0);
        await Complete(server, shutdown);
    }

    [Fact]
    public async Task Client_that_does_not_answer_is_waited_for_only_so_long()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        Task shutdown = server.Shutdown();
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        shutdown.IsCompleted.ShouldBeFalse();
        server.Clock.Advance(TimeSpan.FromSeconds(6));
        await client.ExpectEnd();
        await Complete(server, shutdown);
    }

    [Fact]
    public async Task Shutdown_ends_when_it_has_been_long_enough()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        using var enough = new CancellationTokenSource();
        Task shutdown = server.Shutdown(enough.Token);
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        await enough.CancelAsync();
        await shutdown.WaitAsync(TestServer.SafetyNet);
    }

    [Fact]
    public async Task Shutdown_without_clients_ends_at_once()
    {
        await using var server = new TestServer();
        await server.Shutdown().WaitAsync(TestServer.SafetyNet);
    }

    [Fact, Trait("Note", "23")]
    public async Task Note_23_publisher_that_is_held_back_is_closed_with_320_too()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("", "none", "x");
        await client.Expect(AmqpMethod.ConnectionBlocked, 0);
        Task shutdown = server.Shutdown();
        WireFrame? frame = await client.Receive();
        frame?.Method.ShouldBe(AmqpMethod.ConnectionClose);
        await client.Send(new ConnectionCloseOk(), 0);
        await client.ExpectEnd();
        await Complete(server, shutdown);
    }

    // The server looks from time to time whether all have gone; this lets the time pass.
    private static async Task Complete(TestServer server, Task shutdown)
    {
        while (!shutdown.IsCompleted)
        {
            server.Clock.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Yield();
        }
        await shutdown;
    }
}
