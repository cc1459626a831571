using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Shouldly;

namespace Harrier.Simulation.Accounts;

/// <content>What happens in a step, and what turns out to have happened after it.</content>
internal sealed partial class BrokerAccount
{
    // With fewer places a window may have forgotten a key within the step.
    private const int CertainWindowMin = 50;

    private readonly List<Change> _changes = [];
    private readonly List<(QueueAccount Queue, SimulatedMessage Message)> _expected = [];
    private readonly List<Placement> _arrived = [];

    // Published, and gone on at once to where its queue sends what it does not keep.
    private readonly List<(QueueAccount Queue, SimulatedMessage Message, bool IsCertain)> _passedOn = [];

    /// <summary>A message is on its way to a queue.</summary>
    public void Expect(QueueAccount queue, SimulatedMessage message)
    {
        _expected.Add((queue, message));
        queue.Keys.Use(message.Key);
    }

    /// <summary>A queue has given a message to somebody.</summary>
    public Placement Delivered(QueueAccount queue, Message message, ulong sequence, bool isRedelivered, bool isSettled)
    {
        Placement placement = queue.Deliver(Find(Recognize(message)), message, sequence, out bool isNew);
        if (isNew) _arrived.Add(placement);
        isRedelivered.ShouldBe(placement.WasDelivered, $"message {placement.Message.Number} was given to somebody before, or not");
        placement.WasDelivered = true;
        if (isSettled) Settled(placement);
        else if (queue.IsDeliveryNews(placement)) _changes.Add(new Change(ChangeKind.Delivered, queue, placement));
        return placement;
    }

    public void Settled(Placement placement)
    {
        placement.Queue.Set(placement, PlacementState.Gone);
        _changes.Add(new Change(ChangeKind.Settled, placement.Queue, placement));
    }

    /// <summary>A client has given a message back; what becomes of it is seen after the step.</summary>
    public void Returned(Placement placement, bool isFailure)
    {
        placement.Queue.Set(placement, PlacementState.Uncertain);
        if (isFailure) placement.Fail();
        _changes.Add(new Change(ChangeKind.Returned, placement.Queue, placement));
    }

    public void Rejected(Placement placement)
    {
        placement.IsRejected = true;
        placement.Queue.Set(placement, PlacementState.Uncertain);
    }

    public int Purged(QueueAccount queue)
    {
        Placement[] purged = [.. queue.Ready];
        if (purged.Length > 0) _changes.Add(new Change(ChangeKind.Purged, queue, null));
        foreach (Placement placement in purged) Settled(placement);
        return purged.Length;
    }

    /// <summary>
    /// Notes with which of the tickets that the step has appended the log was told what happened in it; the ticket that whoever did it has to wait for at least.
    /// </summary>
    public long EndStep(long before, long after, bool isGroup, long nowMs)
    {
        EndQueues(before);
        List<Placement> left = [];
        foreach (QueueAccount queue in Queues) queue.Observe(this, _arrived, left);
        foreach (Placement placement in _changes.Where(c => c is { Kind: ChangeKind.Returned, Placement.IsOnItsWay: true }).Select(c => c.Placement!)) placement.LeaveFailuresOpen();
        _changes.RemoveAll(c => c is { Kind: ChangeKind.Returned, Placement.IsOnItsWay: true });
        var whole = new TicketSpan(before + 1, after);
        List<Change> changes = TakeExpected(nowMs);
        changes.AddRange(_changes);
        int passing = 0;
        foreach (QueueAccount queue in Queues)
        {
            queue.NotePassing(whole);
            passing += queue.PassingCount;
            UpdateKeys(queue, whole);
        }
        changes.AddRange(_arrived.Select(a => new Change(ChangeKind.Moved, a.Queue, a)));
        changes.AddRange(left.Select(l => new Change(ChangeKind.Left, l.Queue, l)));
        bool isCertain = passing + left.Count + _arrived.Count == 0;
        Follow(left, whole, nowMs);
        _changes.Clear();
        _arrived.Clear();
        _expected.Clear();
        return Note([.. changes.Where(c => c.IsLogged)], before, after, isGroup, isCertain);
    }

    private static long Note(List<Change> logged, long before, long after, bool isGroup, bool isCertain)
    {
        if (logged.Count == 0) return 0;
        after.ShouldBeGreaterThan(before, $"what happens to a durable queue is logged: {string.Join(' ', logged.Select(c => $"{c.Kind} of {c.Placement?.Message.Number} ({c.Placement?.State}) in {c.Queue.Queue.NameText}"))}");
        if (isGroup && isCertain) after.ShouldBe(before + 1, "a transaction is one unit");
        foreach (Change change in logged) change.Note(isGroup && change.IsOfGroup && isCertain ? TicketSpan.At(before + 1) : new TicketSpan(before + 1, after));
        // Each shard has a ticket of its own, unless all are in a transaction.
        int promised = logged.Where(c => c.IsPromised).Select(c => c.Shard).Distinct().Count();
        return promised == 0 ? 0 : before + (isGroup ? 1 : promised);
    }

    private void EndQueues(long before)
    {
        foreach (QueueAccount queue in _queues.Values.Where(q => q.HasEnded && q.EndedAt == TicketSpan.Never))
        {
            queue.EndedAt = queue.IsDurable ? TicketSpan.At(before + 1) : TicketSpan.Before;
            foreach (Placement placement in queue.Live)
                if (placement.Copy is { } copy) copy.EndedAt = queue.EndedAt;
        }
    }

    /// <summary>Finds what was published among what has arrived, in that order. What remains has come from other queues.</summary>
    private List<Change> TakeExpected(long nowMs)
    {
        List<Change> entered = [];
        Dictionary<QueueAccount, ulong> last = [];
        foreach ((QueueAccount queue, SimulatedMessage message) in _expected)
        {
            bool hasKey = message.Key != 0 && queue.Queue.Settings.Deduplication is not null;
            bool isKnown = hasKey && queue.Keys.Knows(message.Key, nowMs);
            if (_arrived.Find(a => a.Queue == queue && a.Message.Number == message.Number) is not { } placement)
            {
                bool isTwin = hasKey && _expected.Exists(e => e.Queue == queue && e.Message.Key == message.Key && e.Message.Number < message.Number);
                bool isCertain = !isKnown && !isTwin && !queue.HasEnded && queue.Queue.Settings.Overflow == Overflow.DropHead;
                if (isCertain) queue.PassingCount.ShouldBeGreaterThan(0, $"{queue.Queue.NameText} takes message {message.Number}");
                if (queue.PassingCount > 0) _passedOn.Add((queue, message, isCertain));
                continue;
            }
            if (isKnown && queue.Queue.Settings.Deduplication!.SizeMax >= CertainWindowMin)
                throw new InvalidOperationException($"{queue.Queue.NameText} knows the key {message.Key} and takes message {message.Number}");
            placement.Sequence.ShouldBeGreaterThan(last.GetValueOrDefault(queue), $"{queue.Queue.NameText} keeps the order of what it takes");
            last[queue] = placement.Sequence;
            _arrived.Remove(placement);
            entered.Add(new Change(ChangeKind.Entered, queue, placement));
            Begin(placement);
        }
        return entered;
    }

    private void Begin(Placement placement)
    {
        if (!placement.IsLogged) return;
        placement.Copy = new MessageCopy(placement);
        Add(placement.Message.Number, placement.Copy);
    }

    private void UpdateKeys(QueueAccount queue, TicketSpan span)
    {
        queue.Keys.Update([.. MachineView.Keys(queue.Queue.Machine)], span, IsLogged);

        bool IsLogged(byte key)
        {
            bool[] logged = [.. _expected.Where(e => e.Queue == queue && e.Message.Key == key).Select(e => queue.Logs(e.Message))];
            return logged.Length > 0 && Array.TrueForAll(logged, l => l);
        }
    }

    /// <summary>What has arrived of itself has left another queue, and what has left of itself had a reason, and has arrived where it should.</summary>
    private void Follow(List<Placement> left, TicketSpan span, long nowMs)
    {
        List<Placement> rest = [.. left];
        foreach (Placement arrived in _arrived)
        {
            Placement[] sources = [.. rest.Where(l => l.Message.Number == arrived.Message.Number)];
            if (sources.Length == 0 && TryTakePassedOn(arrived))
            {
                Begin(arrived);
                continue;
            }
            if (sources.Length == 0) throw new InvalidOperationException($"message {arrived.Message.Number} has come to {arrived.Queue.Queue.NameText} and has not left another queue");
            Placement source = Array.Find(sources, s => TargetOf(s.Queue) == arrived.Queue) ?? sources[0];
            rest.Remove(source);
            Mourn(source, nowMs);
            if (source.Copy is { } copy && arrived.IsLogged && IsLoggedBetween(source.Queue, arrived)) arrived.Copy = copy;
            else
            {
                if (source.Copy is { } ended) ended.EndedAt = span;
                Begin(arrived);
            }
        }
        foreach (Placement source in rest)
        {
            Mourn(source, nowMs);
            if (source.Copy is { } copy) copy.EndedAt = span;
            AssertGone(source.Queue, source.Message);
        }
        foreach ((QueueAccount queue, SimulatedMessage message, bool isCertain) in _passedOn)
        {
            if (isCertain) AssertGone(queue, message);
            // It came and went within the step, but in units of their own where something had to be read from disk between: a crash may find it (seed 903926360).
            if (queue.Logs(message)) Add(message.Number, new MessageCopy(new Placement(message, queue, 0, 0, isLogged: true) { EnteredAt = span }) { EndedAt = span });
        }
        _passedOn.Clear();
    }

    /// <summary>Whether the log has a message all the way: one of the queues that it has passed through since may be transient, and a crash finds nothing in that.</summary>
    private bool IsLoggedBetween(QueueAccount from, Placement arrived)
    {
        QueueAccount? station = TargetOf(from);
        for (int steps = 0; steps < _queues.Count && station is not null && station != arrived.Queue; steps++)
        {
            if (!station.Logs(arrived.Message)) return false;
            station = TargetOf(station);
        }
        return true;
    }

    private bool TryTakePassedOn(Placement arrived)
    {
        int at = _passedOn.FindIndex(p => p.Message.Number == arrived.Message.Number && TargetOf(p.Queue) == arrived.Queue);
        if (at < 0) at = _passedOn.FindIndex(p => p.Message.Number == arrived.Message.Number);
        if (at >= 0) _passedOn.RemoveAt(at);
        return at >= 0;
    }

    /// <summary>Whether a message that has left a queue and arrived nowhere had nowhere to go, or went on from there.</summary>
    private void AssertGone(QueueAccount from, SimulatedMessage message)
    {
        if (TargetOf(from) is { PassingCount: 0, Queue.Settings.Overflow: Overflow.DropHead } target)
            throw new InvalidOperationException($"message {message.Number} has left {from.Queue.NameText} and has not come to {target.Queue.NameText}: {from.Queue.Settings}");
    }

    /// <summary>The queue for a queue's dead letters, or null.</summary>
    private QueueAccount? TargetOf(QueueAccount queue)
    {
        QueueSettings settings = queue.Queue.Settings;
        if (settings.DeadLetterExchange is not { IsEmpty: true } || settings.DeadLetterRoutingKey is not { } key) return null;
        return _queues.Values.FirstOrDefault(q => !q.HasEnded && q.Queue.Name == key);
    }

    private static void Mourn(Placement placement, long nowMs)
    {
        QueueSettings settings = placement.Queue.Queue.Settings;
        bool isExpired = placement.ExpiresAtMs != 0 && placement.ExpiresAtMs <= nowMs;
        bool isTooOld = settings.MessageTtlMs is { } ttlMs && placement.ArrivedAtMs + ttlMs <= nowMs;
        bool isOverLimit = settings.DeliveryLimit is { } limit && placement.FailedCount > limit;
        bool hasReason = placement.IsRejected || placement.IsDoomed || isExpired || isTooOld || isOverLimit || settings.LengthMax is not null || settings.BytesMax is not null;
        hasReason.ShouldBeTrue($"message {placement.Message.Number} leaves {placement.Queue.Queue.NameText} for a reason");
    }
}
