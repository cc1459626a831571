using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10;

/// <summary>Queues that come to be because a link asks for them.</summary>
internal static class DynamicNode
{
    /// <summary>A queue for one link, with a name that nobody guesses; it is its connection's alone (1.0 part 3, section 3.5.3: dynamic).</summary>
    public static Queue Declare(ClientSession client) =>
        client.DeclareQueue(default, durable: false, exclusive: true, autoDelete: false, ArgumentTable.Empty);

    /// <summary>Makes a durable queue, unless something of that name is there.</summary>
    public static void EnsureQueue(ClientSession client, Utf8Name name)
    {
        if (client.VirtualHost.TryFindQueue(name, client, out _) || client.VirtualHost.Topology.Exchanges.ContainsKey(name)) return;
        client.DeclareQueue(name, durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);
    }
}
