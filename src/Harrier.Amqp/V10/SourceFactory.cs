using Harrier.Amqp.V10.Durable;
using Harrier.Amqp.V10.Sources;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Finds or makes what the source of a link names. Refusals are thrown.</summary>
internal static class SourceFactory
{
    public static SourceTerminus Create(Connection10 connection, in Source source)
    {
        SourceTerminus terminus = Find(connection, in source) with
        {
            DefaultOutcome = DeliveryState.Read(source.DefaultOutcome).Outcome ?? Outcome.Released,
            DefaultOutcomeBytes = source.DefaultOutcome.ToArray(),
            IsBrowsed = source.DistributionMode.SequenceEqual("copy"u8),
        };
        bool isOwned = terminus.IsDynamic || terminus.IsSubscription; // the queue goes with the link, and what is unsettled with it
        if (isOwned || terminus.IsBrowsed) return terminus;
        return terminus with { Durability = source.Durable, Policy = TerminusPolicy.Read(source.ExpiryPolicy, source.Timeout) };
    }

    private static SourceTerminus Find(Connection10 connection, in Source source)
    {
        ClientSession client = connection.Session;
        if (source.Dynamic)
        {
            SourceFilters filters = SourceFilters.Read(source.Filter);
            Queue made = connection.DynamicNodes.Declare(client, source.DynamicNodeProperties);
            return new SourceTerminus(made, Values10.Text(Addresses10.OfQueue(made.Name)))
            {
                IsDynamic = true, Filters = filters, NodeProperties = source.DynamicNodeProperties.ToArray(),
            };
        }
        Address10 address = Addresses10.Parse(source.Address, connection.Limits.AllowsAddressVersion1);
        if (address.Kind is not (AddressKind.Queue or AddressKind.Name))
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "messages come from queues only");
        if (address.Kind == AddressKind.Name && ExchangeOf(client, address.Name) is { } exchange)
        {
            SourceFilters filters = SourceFilters.Read(source.Filter, bindsExchange: true);
            return new SourceTerminus(Subscription.Create(client, exchange, filters.BindingKey), source.Address.ToArray()) { IsSubscription = true, Filters = filters };
        }
        if (address.Kind == AddressKind.Name && connection.Limits.CreatesQueues) DynamicNode.EnsureQueue(client, address.Name);
        return new SourceTerminus(client.QueueToRead(address.Name), source.Address.ToArray()) { Filters = SourceFilters.Read(source.Filter) };
    }

    // A plain name is a queue's first.
    private static Exchange? ExchangeOf(ClientSession client, Utf8Name name) =>
        client.VirtualHost.Topology.Queues.ContainsKey(name) ? null : client.VirtualHost.Topology.Exchanges.GetValueOrDefault(name);
}
