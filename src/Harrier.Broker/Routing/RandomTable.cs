using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Sends each message along one binding by chance; keys do not matter. For x-random and, with fewer bindings allowed, x-local-random.</summary>
internal sealed class RandomTable(ImmutableArray<Binding> bindings) : IBindingTable
{
    public static readonly RandomTable Empty = new([]);

    public bool MatchesByKey => false;

    public IBindingTable With(Binding binding) => new RandomTable(bindings.Add(binding));

    public IBindingTable Without(Binding binding) => new RandomTable(bindings.Remove(binding));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        if (!bindings.IsEmpty) routes.Add(bindings[routes.Draw(bindings.Length)].Destination);
    }

    /// <summary>Refuses what an x-local-random exchange cannot take: only classic queues with an empty key.</summary>
    public static void ValidateLocal(Binding binding)
    {
        if (!binding.RoutingKey.IsEmpty) throw ErrorCatalogue.LocalRandomKey(binding.RoutingKey.ToString());
        if (binding.Destination.Queue is not { } queue) throw ErrorCatalogue.LocalRandomExchange();
        if (queue.Definition.Type != QueueType.Classic) throw ErrorCatalogue.LocalRandomQueueType(QueueArguments.RabbitName(queue.Definition.Type));
    }
}
