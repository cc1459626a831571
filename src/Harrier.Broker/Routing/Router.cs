using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Finds the queues of a message. Reads one immutable snapshot, locks nothing, keeps no state.</summary>
public static class Router
{
    /// <summary>Fills <paramref name="routes"/> with the queues that the message reaches from the exchange, none when it is unroutable.</summary>
    public static void Route(VirtualHostTopology topology, Exchange exchange, Message message, RouteSet routes)
    {
        routes.Clear();
        routes.AddExchange(exchange.Name);
        Visit(topology, exchange, message, routes);
        // Exchanges join the list as they are matched; each stands in it once, so cycles of bindings end (note 45).
        for (int i = 1; i < routes.Exchanges.Count; i++)
        {
            // A missing exchange (an alternate that does not exist) takes nothing (note 46).
            if (topology.Exchanges.TryGetValue(routes.Exchanges[i], out Exchange? next)) Visit(topology, next, message, routes);
        }
    }

    private static void Visit(VirtualHostTopology topology, Exchange exchange, Message message, RouteSet routes)
    {
        if (exchange.Name.IsEmpty)
        {
            RouteByQueueName(topology, message, routes);
            return;
        }
        int before = routes.Matches;
        exchange.Bindings.Match(message.RoutingKey, message, routes);
        if (message.ExtraRoutingKeys is { } extraKeys && exchange.Bindings.MatchesByKey)
        {
            foreach (Utf8Name key in extraKeys) exchange.Bindings.Match(key, message, routes);
        }
        if (exchange is { Type: ExchangeType.RecentHistory, History: { } history }) Remember(history, message, routes);
        if (routes.Matches == before && exchange.AlternateExchange is { } alternate) routes.AddExchange(alternate);
    }

    /// <summary>Keeps a message for queues that are bound later, unless it says that it is not to be kept.</summary>
    private static void Remember(Queue history, Message message, RouteSet routes)
    {
        routes.IsForThisMessageOnly = true;
        bool isUnwanted = message.Format.TryFindHeader(message.Properties, "x-recent-history-no-store"u8, out HeaderValue value) && value.Matches(ArgumentValue.Of(true));
        if (!isUnwanted) routes.Add(history);
    }

    /// <summary>The default exchange: the queue of that name, and those that CC and BCC name (note 47).</summary>
    private static void RouteByQueueName(VirtualHostTopology topology, Message message, RouteSet routes)
    {
        if (topology.Queues.TryGetValue(message.RoutingKey, out Queue? queue) && queue.Definition.IsOrdinary) routes.Add(queue);
        if (message.ExtraRoutingKeys is not { } extraKeys) return;
        foreach (Utf8Name key in extraKeys)
            if (topology.Queues.TryGetValue(key, out queue) && queue.Definition.IsOrdinary) routes.Add(queue);
    }
}
