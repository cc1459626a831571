using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.V10.Sources;

/// <summary>What a link gets from that names an exchange, as users of Proton, Artemis and Qpid subscribe to topics: a queue of its own that is bound to it.</summary>
internal static class Subscription
{
    /// <summary>Makes the queue and its binding: with the key that was asked for, or so that everything comes.</summary>
    /// <param name="client">Whose permissions count, as in 0-9-1: to configure the queue, write to it, and read from the exchange.</param>
    /// <param name="exchange">The exchange.</param>
    /// <param name="key">The binding key, or null.</param>
    public static Queue Create(ClientSession client, Exchange exchange, Utf8Name? key)
    {
        Queue queue = DynamicNode.Declare(client);
        try
        {
            Utf8Name bindingKey = key ?? (exchange.Type == ExchangeType.Topic ? new Utf8Name("#"u8) : default);
            _ = client.Bind(exchange.Name, queue.Name, toQueue: true, bindingKey, ArgumentTable.Empty); // what the exchange has kept comes like everything else
            return queue;
        }
        catch (BrokerException)
        {
            client.DeleteQueue(queue.Name, ifUnused: false, ifEmpty: false);
            throw;
        }
    }
}
