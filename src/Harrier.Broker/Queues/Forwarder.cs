using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Queues;

/// <summary>
/// Takes messages that leave a queue to where the queue sends them: dead letters to the dead-letter exchange, delayed messages to their own. A message leaves
/// and arrives in one group of commands, so that it is never lost and never doubled. Owned by a command batch.
/// </summary>
internal sealed class Forwarder(IQueueHost? host)
{
    // Moved in one group; and a bound for what the group takes in the log, for it is written as a whole.
    private const int GroupMax = 64;
    private const int CommandsMax = 512;
    private const long GroupBytesMax = 1 << 20;

    private readonly List<QueueCommand> _group = [];
    private readonly RouteSet _routes = new(host?.NewRouteSeed() ?? 0);
    private readonly List<Queue> _targets = [];

    /// <summary>Makes the next group of departures, from an index on; how many of them are in it.</summary>
    public int Next(List<Departure> departures, int from, out ReadOnlySpan<QueueCommand> commands)
    {
        _group.Clear();
        long bytes = 0;
        int count = 0;
        while (from + count < departures.Count && count < GroupMax && bytes < GroupBytesMax && _group.Count < CommandsMax)
        {
            Departure departure = departures[from + count++];
            bytes += departure.Message.Size;
            Forward(in departure);
        }
        commands = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_group);
        return count;
    }

    private void Forward(in Departure departure)
    {
        Queue source = departure.Queue;
        VirtualHostTopology? topology = host?.Topology(source.VirtualHost);
        Message? message = null;
        _targets.Clear();
        if (topology is not null) message = departure.Reason is { } reason ? Bury(in departure, reason, topology) : Release(in departure, topology);
        departure.Message.Release();

        bool isKept = departure is { Reason: not null, Sequence: not 0 } && source.Settings.KeepsUndeliveredDeadLetters
            && (_targets.Count == 0 || _targets.Exists(target => target.IsFull));
        if (isKept) _targets.Clear();
        if (departure.Sequence != 0)
            _group.Add(new QueueCommand(isKept ? QueueCommandKind.Retain : QueueCommandKind.Depart, source, Sequence: departure.Sequence));
        QueueCommandFlags flags = source.Settings.KeepsUndeliveredDeadLetters ? QueueCommandFlags.Unconditional : QueueCommandFlags.None;
        if (_targets.Count > 1) message!.AddReferences(_targets.Count - 1);
        foreach (Queue target in _targets) _group.Add(new QueueCommand(QueueCommandKind.Enqueue, target, message, Flags: flags));
        if (_targets.Count == 0) message?.Release();
    }

    /// <summary>Makes a dead letter of a message and finds the queues for it; null when there is no exchange for it.</summary>
    private Message? Bury(in Departure departure, DeathReason reason, VirtualHostTopology topology)
    {
        QueueSettings settings = departure.Queue.Settings;
        if (settings.DeadLetterExchange is not { } name || !topology.Exchanges.TryGetValue(name, out Exchange? exchange)) return null;
        Message dead = departure.Message;
        long nowMs = departure.Queue.Shard.NowMs;
        bool keepsKeys = settings.DeadLetterRoutingKey is null;
        byte[] properties = dead.Format.WithDeath(dead, new Death(departure.Queue.Name, reason, nowMs), keepsKeys);
        Utf8Name key = settings.DeadLetterRoutingKey ?? dead.RoutingKey;
        Message letter = dead.Copy(name.Span, key.Span, properties);
        letter.HasDeaths = true;
        (letter.ArrivedAtMs, letter.ExpiresAtMs, letter.DueAtMs) = (nowMs, 0, 0);
        letter.ExtraRoutingKeys = keepsKeys ? dead.ExtraRoutingKeys : null;
        if (exchange.StagesMessages && Staging.Applies(exchange, letter))
        {
            if (host?.StagingOf(departure.Queue.VirtualHost, exchange) is { } staging) _targets.Add(staging);
            return letter;
        }
        Router.Route(topology, exchange, letter, _routes);
        foreach (Queue target in _routes.Queues)
            if (reason == DeathReason.Rejected || !letter.Format.HasCycle(letter, target.Name)) _targets.Add(target);
        return letter;
    }

    /// <summary>Lets a message go that was delayed: its time to live begins now.</summary>
    private Message? Release(in Departure departure, VirtualHostTopology topology)
    {
        Message delayed = departure.Message;
        Utf8Name name = departure.Queue.Definition.ServedExchange;
        if (!topology.Exchanges.TryGetValue(name, out Exchange? exchange)) return null;
        long nowMs = departure.Queue.Shard.NowMs;
        Message message = delayed.Copy(name.Span, delayed.RoutingKeyBytes, delayed.Format.AfterDelay(delayed.Properties));
        (message.ArrivedAtMs, message.DueAtMs) = (nowMs, 0);
        if (delayed.ExpiresAtMs != 0) message.ExpiresAtMs = nowMs + (delayed.ExpiresAtMs - delayed.ArrivedAtMs);
        Router.Route(topology, exchange, message, _routes);
        _targets.AddRange(_routes.Queues);
        return message;
    }
}
