using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Queues;

/// <summary>
/// Moves messages from a queue back to the queues that they died in, or to an exchange; one by one, each in one piece: it is in the one place or in the other,
/// whatever happens. Messages that somebody else takes meanwhile are left alone.
/// </summary>
/// <param name="source">The queue, as a rule one of dead letters.</param>
/// <param name="virtualHost">Its virtual host.</param>
/// <param name="time">The clock, for the rate.</param>
public sealed class Redrive(Queue source, VirtualHost virtualHost, TimeProvider time)
{
    private readonly CommandBatch _batch = new();
    private readonly Routing.RouteSet _routes = new(virtualHost.NewRouteSeed());

    /// <summary>Which messages are moved; null for all.</summary>
    public MessageFilter? Filter { get; init; }

    /// <summary>The exchange that they are published to; null for the queue that each died in last.</summary>
    public Utf8Name? Exchange { get; init; }

    /// <summary>The key that they are published with; null for the one that they have. Only with an exchange.</summary>
    public Utf8Name? RoutingKey { get; init; }

    /// <summary>Messages a second at most; null for as fast as it goes.</summary>
    public int? RatePerSecond { get; init; }

    /// <summary>Messages at most.</summary>
    public int CountMax { get; init; } = int.MaxValue;

    /// <summary>Whether messages are only counted.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Moves what is there now. Ends when it is through the queue.</summary>
    /// <returns>Messages that were moved, and those that stay because there is nowhere to move them.</returns>
    public async Task<RedriveResult> RunAsync(CancellationToken stop = default)
    {
        int moved = 0, stayed = 0;
        ulong last = source.Machine.LastSequence; // what arrives from now on, also what comes back around, is for another time
        await foreach (BrowsedMessage found in new QueueBrowser(source) { Filter = Filter }.ReadAsync(stop))
        {
            if (moved == CountMax) break;
            if (found.Sequence > last) continue;
            if (!TryFindTargets(found.Message, out Message? message))
            {
                stayed++;
                continue;
            }
            if (IsDryRun || TryMove(found, message)) moved++;
            message.Release();
            if (RatePerSecond is { } rate && !IsDryRun) await Task.Delay(TimeSpan.FromSeconds(1.0 / rate), time, stop);
        }
        return new RedriveResult(moved, stayed);
    }

    /// <summary>Finds the queues for a message, and makes the message that they get.</summary>
    private bool TryFindTargets(Message dead, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Message? message)
    {
        message = null;
        _routes.Clear();
        VirtualHostTopology topology = virtualHost.Topology;
        if (Exchange is { } name)
        {
            if (!topology.Exchanges.TryGetValue(name, out Exchange? exchange)) return false;
            message = Copy(dead, name, RoutingKey ?? dead.RoutingKey);
            Routing.Router.Route(topology, exchange, message, _routes);
        }
        else if (dead.Format.FindLastDeath(dead) is { } origin && topology.Queues.TryGetValue(origin.Queue, out Queue? queue) && queue.Definition.IsOrdinary)
        {
            message = Copy(dead, origin.Exchange, origin.RoutingKey);
            _routes.Add(queue);
        }
        if (message is not null && _routes.Count > 0) return true;
        message?.Release();
        return false;
    }

    private Message Copy(Message dead, Utf8Name exchange, Utf8Name key)
    {
        Message copy = dead.Copy(exchange.Span, key.Span, dead.Properties);
        (copy.ArrivedAtMs, copy.ExpiresAtMs, copy.DueAtMs) = (source.Shard.NowMs, 0, 0);
        return copy;
    }

    private bool TryMove(in BrowsedMessage found, Message message)
    {
        if (_batch.Ask(found.DetachFrom(source)).Status != QueueAnswerStatus.Done) return false;
        message.AddReferences(_routes.Count);
        QueueCommand[] group =
        [
            new QueueCommand(QueueCommandKind.Depart, source, Sequence: found.Sequence),
            .. _routes.Queues.Select(target => new QueueCommand(QueueCommandKind.Enqueue, target, message, Flags: QueueCommandFlags.Unconditional)),
        ];
        _batch.RunAtomically(group);
        return true;
    }
}

/// <summary>What a redrive came to.</summary>
/// <param name="Moved">Messages that were moved, or would be.</param>
/// <param name="Stayed">Messages that stay: the queue or exchange that they should go to is not there, or no queue is bound.</param>
public readonly record struct RedriveResult(int Moved, int Stayed);
