using Harrier.Amqp.V10.Durable;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Finds or makes what the source of a link names. Refusals are thrown.</summary>
internal static class SourceFactory
{
    public static SourceTerminus Create(Connection10 connection, in Source source)
    {
        ClientSession client = connection.Session;
        Outcome defaultOutcome = DeliveryState.Read(source.DefaultOutcome).Outcome ?? Outcome.Released;
        if (source.Dynamic)
        {
            Queue made = DynamicNode.Declare(client);
            return new SourceTerminus(made, Values10.Text(Addresses10.OfQueue(made.Name)))
            {
                IsDynamic = true,
                NodeProperties = source.DynamicNodeProperties.ToArray(),
                DefaultOutcome = defaultOutcome,
                DefaultOutcomeBytes = source.DefaultOutcome.ToArray(),
            };
        }
        Address10 address = Addresses10.Parse(source.Address, connection.Limits.AllowsAddressVersion1);
        if (address.Kind is not (AddressKind.Queue or AddressKind.Name))
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "messages come from queues only");
        if (address.Kind == AddressKind.Name && connection.Limits.CreatesQueues) DynamicNode.EnsureQueue(client, address.Name);
        return new SourceTerminus(client.QueueToRead(address.Name), source.Address.ToArray())
        {
            DefaultOutcome = defaultOutcome,
            DefaultOutcomeBytes = source.DefaultOutcome.ToArray(),
            Durability = source.Durable,
            Policy = TerminusPolicy.Read(source.ExpiryPolicy, source.Timeout),
        };
    }
}
