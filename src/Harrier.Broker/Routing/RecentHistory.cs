using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Gives a destination that was just bound the last messages of its exchange.</summary>
internal static class RecentHistory
{
    /// <summary>Ends when they are there, the oldest first.</summary>
    public static async Task ReplayAsync(VirtualHostTopology topology, Utf8Name source, Utf8Name destination, bool toQueue, ulong routeSeed)
    {
        if (topology.Exchanges.GetValueOrDefault(source)?.History is not { } history) return;
        ulong last = history.Machine.LastSequence; // what is published from now on comes by the binding
        var batch = new CommandBatch();
        var routes = new RouteSet(routeSeed);
        await foreach (BrowsedMessage kept in new QueueBrowser(history).ReadAsync())
        {
            if (kept.Sequence > last) break;
            routes.Clear();
            if (!toQueue && topology.Exchanges.TryGetValue(destination, out Exchange? exchange)) Router.Route(topology, exchange, kept.Message, routes);
            else if (toQueue && topology.Queues.TryGetValue(destination, out Queue? queue)) routes.Add(queue);
            if (routes.Count == 0) continue;
            Message message = kept.Message.Copy(kept.Message.ExchangeBytes, kept.Message.RoutingKeyBytes, kept.Message.Properties);
            message.ArriveAt(history.Shard.NowMs);
            if (routes.Count > 1) message.AddReferences(routes.Count - 1);
            foreach (Queue target in routes.Queues) batch.Add(new QueueCommand(QueueCommandKind.Enqueue, target, message));
        }
        batch.Run();
    }
}
