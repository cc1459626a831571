using System.Collections.Concurrent;
using System.Net.Sockets;
using RabbitMQ.Client;

namespace Harrier.Soak;

/// <summary>Connections whose sockets can be torn down under their clients, as a crash or a pulled cable would.</summary>
internal sealed class KillableConnections(Uri broker)
{
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();

    /// <summary>A connection that does not recover by itself.</summary>
    public Task<IConnection> OpenAsync()
    {
        var factory = new ConnectionFactory { Uri = broker, AutomaticRecoveryEnabled = false, RequestedConnectionTimeout = TimeSpan.FromSeconds(10) };
        factory.SocketFactory = _ =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _sockets[socket] = true;
            return new TcpClientAdapter(socket);
        };
        return factory.CreateConnectionAsync();
    }

    /// <summary>Resets one connection, whichever.</summary>
    public void KillOne(Random random)
    {
        Socket[] sockets = [.. _sockets.Keys];
        if (sockets.Length == 0) return;
        Socket victim = sockets[random.Next(sockets.Length)];
        _sockets.TryRemove(victim, out _);
        victim.Close(0); // a reset, not an orderly end
    }
}
