using System.Net;
using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Security;
using Microsoft.Extensions.Logging;

namespace Harrier.TestSupport;

/// <summary>A broker that serves AMQP over memory, by a clock of its own. The names that it gives are the same in every run.</summary>
public sealed class TestServer : IAsyncDisposable
{
    /// <summary>For waits that end at once unless something is broken.</summary>
    public static readonly TimeSpan SafetyNet = TimeSpan.FromSeconds(10);

    private readonly List<WireClient> _clients = [];
    private readonly AmqpServer _server;

    /// <param name="users">Who may log in; guest when there are none.</param>
    /// <param name="virtualHosts">The virtual hosts; "/" when there are none.</param>
    /// <param name="limits">The limits; RabbitMQ's when absent.</param>
    /// <param name="storage">The data directory; without one, everything is in memory.</param>
    /// <param name="anonymousUser">Who clients without a name are; nobody when absent.</param>
    public TestServer(
        IEnumerable<User>? users = null, IEnumerable<string>? virtualHosts = null, ConnectionLimits? limits = null, TestStorage? storage = null,
        string? anonymousUser = null)
    {
        var known = new UserStore(users ?? [TestUsers.Guest], anonymousUser);
        Clock = storage?.Clock ?? new SimClock();
        Broker = storage?.CreateBroker(virtualHosts ?? ["/"], known) ?? new MessageBroker(virtualHosts ?? ["/"], known, new Random(1), Clock);
        _server = new AmqpServer(Broker, limits ?? new ConnectionLimits(), new ServerIdentity(), Clock, Log);
    }

    public SimClock Clock { get; }

    public ListLogger<AmqpServer> Log { get; } = new();

    public MessageBroker Broker { get; }

    public int ConnectionCount => _server.ConnectionCount;

    /// <summary>Connects a client of 0-9-1 that has sent nothing yet.</summary>
    public WireScript Connect(EndPoint? from = null, int unreadBytesMax = 1 << 20, int segmentBytes = 0) =>
        Connect((transport, served) => new WireScript(transport, served), from, unreadBytesMax, segmentBytes);

    /// <summary>Connects a client of 1.0 that has sent nothing yet.</summary>
    public WireScript10 Connect10(EndPoint? from = null, int unreadBytesMax = 1 << 20, int segmentBytes = 0) =>
        Connect((transport, served) => new WireScript10(transport, served), from, unreadBytesMax, segmentBytes);

    /// <summary>Connects a client, opens the virtual host and channel 1.</summary>
    public async Task<WireScript> Open(OpenOptions? options = null, int unreadBytesMax = 1 << 20, int segmentBytes = 0)
    {
        WireScript script = Connect(unreadBytesMax: unreadBytesMax, segmentBytes: segmentBytes);
        await script.Open(options ?? new OpenOptions());
        await script.OpenChannel(1);
        return script;
    }

    /// <summary>Connects a client of 1.0, opens the connection and begins a session on channel 1.</summary>
    public async Task<WireScript10> Open10(OpenOptions10? options = null, int unreadBytesMax = 1 << 20, int segmentBytes = 0)
    {
        WireScript10 script = Connect10(unreadBytesMax: unreadBytesMax, segmentBytes: segmentBytes);
        await script.Open(options);
        await script.Begin();
        return script;
    }

    /// <summary>Starts a graceful stop.</summary>
    public Task Shutdown(CancellationToken stop = default) => _server.ShutdownAsync(stop);

    /// <summary>Ends all connections. Fails when one of them ended by an exception or broke an invariant: no peer may be able to.</summary>
    public async ValueTask DisposeAsync()
    {
        Broker.Flow.Set(Harrier.Broker.Flow.FlowReasons.Memory | Harrier.Broker.Flow.FlowReasons.Disk, holds: false);
        foreach (WireClient client in _clients) client.Leave();
        foreach (WireClient client in _clients)
        {
            await client.Served.WaitAsync(SafetyNet);
        }
        _server.Dispose();
        LogEntry? worst = Log.Entries.FirstOrDefault(e => e.Level >= LogLevel.Error);
        if (worst is not null) throw new WireScriptException($"The server logged: {worst.Text} {worst.Exception}");
    }

    private TClient Connect<TClient>(Func<MemoryTransport, Task, TClient> create, EndPoint? from, int unreadBytesMax, int segmentBytes) where TClient : WireClient
    {
        (MemoryTransport client, MemoryTransport server) = MemoryTransport.CreatePair(unreadBytesMax, segmentBytes);
        TClient script = create(client, ServeAsync(server, from ?? new IPEndPoint(IPAddress.Loopback, 50_000)));
        _clients.Add(script);
        return script;
    }

    private async Task ServeAsync(MemoryTransport transport, EndPoint from)
    {
        await Task.Yield();
        try
        {
            await _server.ServeAsync(transport, from);
        }
        finally
        {
            await transport.Input.CompleteAsync();
            await transport.Output.CompleteAsync();
        }
    }
}
