using Microsoft.AspNetCore.Connections;

namespace Harrier.Amqp.Transport;

/// <summary>Kestrel's way in.</summary>
public sealed class AmqpConnectionHandler(AmqpServer server) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection) => server.ServeAsync(connection.Transport, connection.RemoteEndPoint);
}
