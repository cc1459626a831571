using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V091;
using Harrier.Amqp.V10;
using Harrier.Amqp.V10.Durable;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Microsoft.Extensions.Logging;

namespace Harrier.Amqp;

/// <summary>
/// Serves AMQP on whatever transports it is given: finds out which protocol a peer speaks, runs its connection, and keeps the clock of all. Thread-safe.
/// </summary>
public sealed class AmqpServer : IDisposable
{
    private static readonly TimeSpan BeatInterval = TimeSpan.FromMilliseconds(500);

    // Connections beyond the limit that are let in as far as it takes to tell them so.
    private const int RefusalsMax = 100;

    private readonly ConcurrentDictionary<ServedConnection, byte> _connections = new();
    private readonly ITimer _beats;
    private int _connectionCount;
    private volatile bool _isShuttingDown;

    public AmqpServer(MessageBroker broker, ConnectionLimits limits, ServerIdentity identity, TimeProvider time, ILogger<AmqpServer> log)
    {
        Broker = broker;
        Limits = limits;
        Time = time;
        Log = log;
        Identity = identity;
        ServerProperties = V091.ServerProperties.Encode(identity);
        OpenProperties = V10.OpenProperties.Encode(identity);
        _beats = time.CreateTimer(_ => Beat(), null, BeatInterval, BeatInterval);
    }

    /// <summary>The formats in which messages come in, for those who store them.</summary>
    public static IMessageFormat[] MessageFormats => [MessageFormat091.Instance, MessageFormat10.Instance];

    /// <summary>Connections that are being served.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    internal MessageBroker Broker { get; }

    /// <summary>Who has which durable terminus.</summary>
    internal TerminusRegistry Termini { get; } = new();

    internal ConnectionLimits Limits { get; }

    internal TimeProvider Time { get; }

    internal ILogger Log { get; }

    internal ServerIdentity Identity { get; }

    internal byte[] ServerProperties { get; }

    internal byte[] OpenProperties { get; }

    internal PipeScheduler Scheduler => PipeScheduler.ThreadPool;

    /// <summary>Serves one peer until it leaves. Does not complete the transport.</summary>
    public async Task ServeAsync(IDuplexPipe transport, EndPoint? from)
    {
        int count = Interlocked.Increment(ref _connectionCount);
        try
        {
            if (count > Limits.ConnectionsMax + RefusalsMax)
            {
                Log.TooManyConnections(from?.ToString(), Limits.ConnectionsMax);
                return;
            }
            bool isBeyondLimit = count > Limits.ConnectionsMax;
            switch (await ProtocolHeader.NegotiateAsync(transport, this, from))
            {
                case PeerProtocol.V091: await ServeAsync(new Connection091(transport, from, this) { IsBeyondLimit = isBeyondLimit }); break;
                case PeerProtocol.V10: await ServeAsync(new Connection10(transport, from, this, withSasl: false) { IsBeyondLimit = isBeyondLimit }); break;
                case PeerProtocol.V10WithSasl: await ServeAsync(new Connection10(transport, from, this, withSasl: true) { IsBeyondLimit = isBeyondLimit }); break;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _connectionCount);
        }
    }

    /// <summary>Closes every connection with 320 and waits until the clients have gone, or the token says that it has been long enough.</summary>
    public async Task ShutdownAsync(CancellationToken stop)
    {
        _isShuttingDown = true;
        foreach (ServedConnection connection in _connections.Keys) connection.RequestShutdown();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20), Time);
        try
        {
            while (!_connections.IsEmpty) await poll.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // Whoever has not gone by now is cut off with the listener.
        }
    }

    public void Dispose() => _beats.Dispose();

    private async Task ServeAsync(ServedConnection connection)
    {
        _connections.TryAdd(connection, 0);
        try
        {
            if (_isShuttingDown) connection.RequestShutdown();
            await connection.RunAsync();
        }
        finally
        {
            _connections.TryRemove(connection, out _);
        }
    }

    private void Beat()
    {
        foreach ((ServedConnection connection, _) in _connections) connection.OnBeat();
    }
}
