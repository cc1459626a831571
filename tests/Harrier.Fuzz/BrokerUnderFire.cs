using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.TestSupport;
using Microsoft.Extensions.Logging;

namespace Harrier.Fuzz;

/// <summary>A broker with a clock of its own, and hostile clients in memory.</summary>
internal sealed class BrokerUnderFire : IDisposable
{
    private readonly AmqpServer _server;
    private readonly ListLogger<AmqpServer> _log = new();
    private readonly SimClock _clock = new();

    public BrokerUnderFire()
    {
        var broker = new MessageBroker(["/"], new UserStore([TestUsers.Guest]), new Random(1), _clock);
        _server = new AmqpServer(broker, new ConnectionLimits(), new ServerIdentity(), _clock, _log);
    }

    /// <summary>
    /// Sends the chunks one after the other, each when the server has looked at the one before it, and hangs up. Answers what the server wrote,
    /// once it has done with the connection.
    /// </summary>
    public async Task<byte[]> TalkAsync(IEnumerable<byte[]> chunks, TimeSpan pause, int segmentBytes)
    {
        (MemoryTransport client, MemoryTransport server) = MemoryTransport.CreatePair(unreadBytesMax: int.MaxValue, segmentBytes);
        Task served = ServeAsync(server);
        Task<byte[]> answers = ReadToEndAsync(client.Input);
        foreach (byte[] chunk in chunks)
        {
            if (pause > TimeSpan.Zero) _clock.Advance(pause);
            client.Output.Write(chunk);
            if ((await client.Output.FlushAsync()).IsCompleted) break; // the server has hung up
        }
        await client.Output.CompleteAsync();
        await served;
        return await answers;
    }

    /// <summary>Asserts that nothing happened that may never happen, whatever peers do.</summary>
    public void AssertSound()
    {
        LogEntry? worst = _log.Entries.FirstOrDefault(e => e.Level >= LogLevel.Error);
        worst.ShouldBeNull(worst?.Exception?.ToString());
        _server.ConnectionCount.ShouldBe(0);
    }

    public void Dispose() => _server.Dispose();

    private async Task ServeAsync(MemoryTransport transport)
    {
        try
        {
            await _server.ServeAsync(transport, new IPEndPoint(IPAddress.Loopback, 50_000));
        }
        finally
        {
            await transport.Input.CompleteAsync();
            await transport.Output.CompleteAsync();
        }
    }

    private static async Task<byte[]> ReadToEndAsync(PipeReader reader)
    {
        var bytes = new ArrayBufferWriter<byte>();
        while (true)
        {
            ReadResult read = await reader.ReadAsync();
            foreach (ReadOnlyMemory<byte> piece in read.Buffer) bytes.Write(piece.Span);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return bytes.WrittenSpan.ToArray();
        }
    }
}
