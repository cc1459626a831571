using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Shouldly;

namespace Harrier.Simulation.Accounts;

/// <summary>
/// What a broker holds and what its log was told, as its clients know it. A start finds the state after some ticket of the log, and this account says what
/// that state is for each of them. What leaves a queue of itself is seen after each step, and must have had a reason to and a place to go.
/// </summary>
internal sealed partial class BrokerAccount
{
    private readonly Dictionary<long, SimulatedMessage> _messages = [];
    private readonly Dictionary<long, QueueAccount> _queues = [];
    private readonly List<(long Ticket, string Text)> _topologies = [(0, "")];
    private readonly Dictionary<long, List<MessageCopy>> _copies = [];
    private long _lastNumber;
    private (ObservedBroker Found, long NowMs)? _awaited;

    /// <summary>Queues that have not ended, in the order of their numbers.</summary>
    public List<QueueAccount> Queues => [.. _queues.Values.Where(q => !q.HasEnded).OrderBy(q => q.Id)];

    /// <summary>The durable topology as of the last change.</summary>
    public string Topology => _topologies[^1].Text;

    public QueueAccount Of(Queue queue) => _queues[queue.Id.Value];

    public SimulatedMessage CreateMessage(string exchange, string routingKey, int bodySize, bool isPersistent, byte key = 0)
    {
        var message = SimulatedMessage.Create(++_lastNumber, exchange, routingKey, bodySize, isPersistent, key);
        _messages.Add(message.Number, message);
        return message;
    }

    /// <summary>The same message with times and a priority.</summary>
    public SimulatedMessage Refine(SimulatedMessage message, long arrivedAtMs, long expiresAtMs, byte? priority) =>
        _messages[message.Number] = message with { ArrivedAtMs = arrivedAtMs, ExpiresAtMs = expiresAtMs, Priority = priority };

    public SimulatedMessage Find(long number) => _messages[number];

    /// <summary>The number of a message, which must be what was published.</summary>
    public long Recognize(Message message)
    {
        long number = SimulatedMessage.NumberOf(message);
        _messages.TryGetValue(number, out SimulatedMessage? published).ShouldBeTrue($"message {number} was never published");
        published!.Is(message).ShouldBeTrue($"message {number} is not what was published");
        return number;
    }

    public QueueAccount Declared(Queue queue)
    {
        if (_queues.TryGetValue(queue.Id.Value, out QueueAccount? known)) return known;
        var account = new QueueAccount(queue);
        _queues.Add(queue.Id.Value, account);
        return account;
    }

    /// <summary>The durable topology has changed with a ticket.</summary>
    public void TopologyChanged(long ticket, string text)
    {
        if (text != Topology) _topologies.Add((ticket, text));
    }

    /// <summary>Why a start with the log up to a ticket cannot find this, or null when it can.</summary>
    public string? Contradiction(long upTo, ObservedBroker found)
    {
        if (_awaited is { } awaited) return found.ContradictionTo(awaited.Found, awaited.NowMs);
        string topology = _topologies.FindLast(t => t.Ticket <= upTo).Text;
        if (topology != found.Topology) return $"the topology is\n{found.Topology}\nand should be\n{topology}";
        foreach (QueueAccount queue in _queues.Values.Where(q => q.Exists(upTo)))
        {
            if (!found.Queues.TryGetValue(queue.Id, out ObservedQueue? contents)) return $"{queue.Queue.NameText} is missing";
            if (queue.Contradiction(upTo, contents) is { } contradiction) return contradiction;
        }
        return ContradictionOfCopies(upTo, found);
    }

    /// <summary>Goes on with what a start has found and another will find: no client has been there between the two.</summary>
    public void Await(ObservedBroker found, long nowMs) => _awaited = (found, nowMs);

    /// <summary>Goes on with what a start has found.</summary>
    public void Adopt(ObservedBroker found, IEnumerable<Queue> queues)
    {
        _awaited = null;
        _queues.Clear();
        _changes.Clear();
        _copies.Clear();
        _topologies.Clear();
        _topologies.Add((0, found.Topology));
        foreach (Queue queue in queues)
        {
            QueueAccount account = Declared(queue);
            account.Restore(found.Queues[queue.Id.Value].Messages.Select(message => PlacementOf(account, message)));
            account.Keys.Restore(found.Queues[queue.Id.Value].Keys, [.. MachineView.Keys(queue.Machine)]);
            foreach (Placement placement in account.Live) Add(placement.Message.Number, placement.Copy!);
            queue.ReadyCount.ShouldBe(account.Ready.Count, $"{queue.NameText} counts what it holds");
        }
    }

    private Placement PlacementOf(QueueAccount account, in ObservedMessage found) =>
        new(_messages[found.Number], account, found.Sequence, found.Lane, isLogged: true)
        {
            State = found.ReadyAtMs == 0 ? PlacementState.Ready : PlacementState.Postponed,
            ArrivedAtMs = found.ArrivedAtMs,
            ExpiresAtMs = found.ExpiresAtMs,
            FailedBefore = found.FailedCount,
            WasDelivered = found.IsRedelivered,
            DeliveredAt = found.IsRedelivered ? TicketSpan.Before : TicketSpan.Never,
        };

    private void Add(long number, MessageCopy copy)
    {
        if (!_copies.TryGetValue(number, out List<MessageCopy>? copies)) _copies.Add(number, copies = []);
        copies.Add(copy);
    }

    /// <summary>Whether a message that moves from queue to queue is in one of them, whatever the point of the crash.</summary>
    private string? ContradictionOfCopies(long upTo, ObservedBroker found)
    {
        Dictionary<long, int> there = found.Queues.Values.SelectMany(q => q.Messages).GroupBy(m => m.Number).ToDictionary(g => g.Key, g => g.Count());
        foreach ((long number, List<MessageCopy> copies) in _copies)
        {
            int least = copies.Count(c => c.MustBeThere(upTo)), most = copies.Count(c => c.MayBeThere(upTo)), count = there.GetValueOrDefault(number);
            if (count < least) return $"message {number} is lost: {count} instead of {least}";
            if (count > most) return $"message {number} is doubled: {count} instead of {most}";
        }
        return null;
    }
}
