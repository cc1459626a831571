using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Shouldly;

namespace Harrier.Simulation.Accounts;

/// <summary>
/// What a broker holds and what its log was told, as its clients know it. A start finds the state after some ticket of the log, and this account says what
/// that state is for each of them.
/// </summary>
internal sealed class BrokerAccount
{
    private readonly Dictionary<long, SimulatedMessage> _messages = [];
    private readonly Dictionary<long, QueueAccount> _queues = [];
    private readonly List<(long Ticket, string Text)> _topologies = [(0, "")];
    private readonly List<Change> _changes = [];
    private long _lastNumber;
    private ObservedBroker? _awaited;

    private enum ChangeKind
    {
        Entered,
        Delivered,
        Returned,
        Left,
        Purged,
    }

    /// <summary>Queues that have not ended, in the order of their numbers.</summary>
    public List<QueueAccount> Queues => [.. _queues.Values.Where(q => !q.HasEnded).OrderBy(q => q.Id)];

    /// <summary>The durable topology as of the last change.</summary>
    public string Topology => _topologies[^1].Text;

    public QueueAccount Of(Queue queue) => _queues[queue.Id.Value];

    public SimulatedMessage CreateMessage(string exchange, string routingKey, int bodySize, bool isPersistent)
    {
        var message = SimulatedMessage.Create(++_lastNumber, exchange, routingKey, bodySize, isPersistent);
        _messages.Add(message.Number, message);
        return message;
    }

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

    public void Entered(QueueAccount queue, SimulatedMessage message) => _changes.Add(new Change(ChangeKind.Entered, queue, queue.Enter(message)));

    /// <summary>A queue has given its first message to somebody.</summary>
    public Placement Delivered(QueueAccount queue, Message message, ulong? sequence, bool isRedelivered, bool isSettled)
    {
        Placement placement = queue.Take();
        Recognize(message).ShouldBe(placement.Message.Number, $"{queue.Queue.NameText} gives its messages in order");
        isRedelivered.ShouldBe(placement.WasDelivered, $"message {placement.Message.Number} was given to somebody before, or not");
        if (sequence is not null) sequence.ShouldBe(placement.Sequence);
        placement.WasDelivered = true;
        _changes.Add(new Change(isSettled ? ChangeKind.Left : ChangeKind.Delivered, queue, placement));
        return placement;
    }

    public void Settled(QueueAccount queue, Placement placement) => _changes.Add(new Change(ChangeKind.Left, queue, placement));

    public void Returned(QueueAccount queue, Placement placement)
    {
        queue.Ready.Add(placement.Sequence, placement);
        _changes.Add(new Change(ChangeKind.Returned, queue, placement));
    }

    public int Purged(QueueAccount queue)
    {
        int count = queue.Ready.Count;
        if (count > 0) _changes.Add(new Change(ChangeKind.Purged, queue, null));
        foreach (Placement placement in queue.Ready.Values) _changes.Add(new Change(ChangeKind.Left, queue, placement));
        queue.Ready.Clear();
        return count;
    }

    /// <summary>The durable topology has changed with a ticket.</summary>
    public void TopologyChanged(long ticket, string text)
    {
        if (text != Topology) _topologies.Add((ticket, text));
    }

    /// <summary>
    /// Notes with which of the tickets that the step has appended the log was told what happened in it; the ticket that whoever did it has to wait for at least.
    /// </summary>
    public long EndStep(long before, long after, bool isGroup = false)
    {
        foreach (QueueAccount queue in _queues.Values.Where(q => q.HasEnded && q.EndedAt == TicketSpan.Never))
            queue.EndedAt = queue.IsDurable ? TicketSpan.At(before + 1) : TicketSpan.Before;
        Change[] logged = [.. _changes.Where(c => c.IsLogged)];
        _changes.Clear();
        if (logged.Length == 0) return 0;
        after.ShouldBeGreaterThan(before, "what happens to a durable queue is logged");
        List<long> shards = [.. logged.Select(c => c.Shard).Distinct()];
        if (isGroup) after.ShouldBe(before + 1, "a transaction is one unit");
        bool isExact = !isGroup && shards.Count == after - before;
        foreach (Change change in logged) change.Note(isExact ? TicketSpan.At(before + 1 + shards.IndexOf(change.Shard)) : new TicketSpan(before + 1, after));
        return isGroup ? after : logged.Where(c => c.IsPromised).Select(c => isExact ? before + 1 + shards.IndexOf(c.Shard) : before + 1).DefaultIfEmpty().Max();
    }

    /// <summary>Why a start with the log up to a ticket cannot find this, or null when it can.</summary>
    public string? Contradiction(long upTo, ObservedBroker found)
    {
        if (_awaited is not null) return found.ContradictionTo(_awaited);
        string topology = _topologies.FindLast(t => t.Ticket <= upTo).Text;
        if (topology != found.Topology) return $"the topology is\n{found.Topology}\nand should be\n{topology}";
        foreach (QueueAccount queue in _queues.Values.Where(q => q.Exists(upTo)))
        {
            if (!found.Queues.TryGetValue(queue.Id, out IReadOnlyList<ObservedMessage>? messages)) return $"{queue.Queue.NameText} is missing";
            if (queue.Contradiction(upTo, messages) is { } contradiction) return contradiction;
        }
        return null;
    }

    /// <summary>Goes on with what a start has found and another will find: no client has been there between the two.</summary>
    public void Await(ObservedBroker found) => _awaited = found;

    /// <summary>Goes on with what a start has found.</summary>
    public void Adopt(ObservedBroker found, IEnumerable<Queue> queues)
    {
        _awaited = null;
        _queues.Clear();
        _changes.Clear();
        _topologies.Clear();
        _topologies.Add((0, found.Topology));
        foreach (Queue queue in queues)
        {
            QueueAccount account = Declared(queue);
            foreach (ObservedMessage message in found.Queues[queue.Id.Value])
                account.Restore(new Placement(_messages[message.Number], message.Sequence, true)
                {
                    WasDelivered = message.IsRedelivered,
                    DeliveredAt = message.IsRedelivered ? TicketSpan.Before : TicketSpan.Never,
                });
            lock (queue.Shard.Gate)
            {
                Broker.Durability.QueueSnapshot snapshot = queue.Machine.Collect(queue, index: 0, new HashSet<Storage.Segments.SegmentFile>());
                snapshot.Abandon();
                account.NextSequence = snapshot.NextSequence;
                account.DeliveredUpTo = snapshot.Delivered.Count > 0 ? snapshot.Delivered[0].DeliveredUpTo : 0;
            }
            account.Ready.Keys.LastOrDefault().ShouldBeLessThan(account.NextSequence, "no sequence is given twice");
            queue.ReadyCount.ShouldBe(account.Ready.Count, $"{queue.NameText} counts what it holds");
        }
    }

    private sealed record Change(ChangeKind Kind, QueueAccount Queue, Placement? Placement)
    {
        public long Shard => Queue.Id % ShardSet.Count;

        public bool IsLogged { get; } = IsToldToLog(Kind, Queue, Placement);

        public bool IsPromised => Kind is ChangeKind.Entered or ChangeKind.Purged;

        public void Note(TicketSpan span)
        {
            if (Kind == ChangeKind.Entered) Placement!.EnteredAt = span;
            if (Kind == ChangeKind.Left) Placement!.LeftAt = span;
            if (Kind is ChangeKind.Delivered or ChangeKind.Returned && Placement!.DeliveredAt == TicketSpan.Never) Placement.DeliveredAt = span;
        }

        private static bool IsToldToLog(ChangeKind kind, QueueAccount queue, Placement? placement)
        {
            if (!queue.IsDurable) return false;
            if (kind == ChangeKind.Purged) return true;
            if (kind != ChangeKind.Delivered) return placement!.IsLogged;
            if (placement!.Sequence <= queue.DeliveredUpTo) return false;
            queue.DeliveredUpTo = placement.Sequence;
            return true;
        }
    }
}

/// <summary>What a start has found: the durable topology, and the messages of each queue.</summary>
internal sealed record ObservedBroker(string Topology, IReadOnlyDictionary<long, IReadOnlyList<ObservedMessage>> Queues)
{
    public static ObservedBroker Empty { get; } = new("", new Dictionary<long, IReadOnlyList<ObservedMessage>>());

    /// <summary>In what it differs, or null when it does not.</summary>
    public string? ContradictionTo(ObservedBroker other)
    {
        if (Topology != other.Topology) return $"the topology was\n{other.Topology}\nat the last start and is\n{Topology}";
        foreach ((long id, IReadOnlyList<ObservedMessage> messages) in other.Queues)
            if (!messages.SequenceEqual(Queues[id])) return $"queue {id} held [{string.Join(' ', messages)}] at the last start and holds [{string.Join(' ', Queues[id])}]";
        return null;
    }
}
