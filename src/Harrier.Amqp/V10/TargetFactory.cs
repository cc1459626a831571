using Harrier.Amqp.V10.Durable;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Finds or makes what the target of a link names. Refusals are thrown.</summary>
internal static class TargetFactory
{
    public static PublishTerminus Create(Connection10 connection, in Target target)
    {
        ClientSession client = connection.Session;
        bool allowsVersion1 = connection.Limits.AllowsAddressVersion1;
        if (target.Dynamic)
        {
            Queue queue = connection.DynamicNodes.Declare(client, target.DynamicNodeProperties);
            var place = new Address10(AddressKind.Exchange, default, queue.Name);
            return new PublishTerminus(client, place, Values10.Text(Addresses10.OfQueue(queue.Name)), allowsVersion1)
            {
                DynamicQueue = queue,
                NodeProperties = target.DynamicNodeProperties.ToArray(),
            };
        }
        Address10 address = Addresses10.Parse(target.Address, allowsVersion1);
        if (address.Kind == AddressKind.Name && connection.Limits.CreatesQueues) DynamicNode.EnsureQueue(client, address.Name);
        return new PublishTerminus(client, Locate(client, address), target.Address.ToArray(), allowsVersion1)
        {
            Durability = target.Durable,
            Policy = TerminusPolicy.Read(target.ExpiryPolicy, target.Timeout),
        };
    }

    /// <summary>The exchange and routing key that an address stands for, once it is sure that they are there and that the client may publish to them.</summary>
    public static Address10 Locate(ClientSession client, Address10 address)
    {
        switch (address.Kind)
        {
            case AddressKind.Anonymous: return address;
            case AddressKind.Queue: return LocateQueue(client, address.Name);
            case AddressKind.Exchange:
                client.ExchangeToPublishTo(address.Name);
                return address;
            case AddressKind.Name when Exists(client, address.Name): return LocateQueue(client, address.Name);
            case AddressKind.Name:
                client.ExchangeToPublishTo(address.Name); // its keys are the messages' subjects
                return address with { Kind = AddressKind.Exchange };
            default: throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "nothing can be published to this address");
        }
    }

    private static Address10 LocateQueue(ClientSession client, Utf8Name name)
    {
        if (!DirectReplies.IsReplyName(name.Span) && !Exists(client, name)) throw ErrorCatalogue.NoQueue(name.ToString(), client.VirtualHost.Name);
        client.ExchangeToPublishTo(default);
        return new Address10(AddressKind.Exchange, default, name);
    }

    // Also another connection's exclusive queue: anybody may publish to it, as in 0-9-1, or nobody could answer a request.
    private static bool Exists(ClientSession client, Utf8Name queue) =>
        client.VirtualHost.Topology.Queues.TryGetValue(queue, out Queue? found) && found.Definition.IsOrdinary;
}
