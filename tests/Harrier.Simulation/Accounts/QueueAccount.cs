using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Shouldly;

namespace Harrier.Simulation.Accounts;

/// <summary>What a queue holds, and what the log knows of it.</summary>
internal sealed class QueueAccount(Queue queue)
{
    private readonly List<Placement> _logged = [];
    private readonly Dictionary<ulong, Placement> _live = [];
    private readonly SortedSet<Placement> _ready = new(Placement.ByDelivery);
    private readonly Dictionary<byte, ulong> _deliveredUpTo = [];
    private readonly List<(ulong Sequence, TicketSpan Span)> _passing = [];

    // What somebody else was given before, though it came first: it must have left in the same step.
    private readonly HashSet<Placement> _passedOver = [];

    private readonly HashSet<DiskRun> _runs = [];

    // Places that were taken and left within the step that goes on, by messages that are known.
    private readonly HashSet<ulong> _passed = [];

    /// <summary>The queue of the broker's present life.</summary>
    public Queue Queue { get; } = queue;

    public long Id => Queue.Id.Value;

    public bool IsDurable => Queue.Definition.IsDurable;

    /// <summary>Whether a message outlives a crash in it: in a quorum queue every one does (note 74).</summary>
    public bool Logs(SimulatedMessage message) => IsDurable && (message.IsPersistent || Queue.Definition.Type == QueueType.Quorum);

    /// <summary>What can be delivered, in that order.</summary>
    public IReadOnlyCollection<Placement> Ready => _ready;

    /// <summary>What has not left.</summary>
    public IReadOnlyCollection<Placement> Live => _live.Values;

    public ulong NextSequence { get; private set; } = 1;

    /// <summary>Messages that joined and left in the last step, and nobody has seen which.</summary>
    public int PassingCount { get; private set; }

    public KeyAccount Keys { get; } = new();

    public TicketSpan DeclaredAt { get; set; } = TicketSpan.Before;

    public TicketSpan EndedAt { get; set; } = TicketSpan.Never;

    public bool HasEnded { get; set; }

    /// <summary>Whether a start with the log up to a ticket finds the queue.</summary>
    public bool Exists(long upTo) => IsDurable && DeclaredAt.IsIn(upTo) && !EndedAt.IsIn(upTo);

    /// <summary>Takes up what survived.</summary>
    public void Restore(IEnumerable<Placement> placements)
    {
        foreach (Placement placement in placements)
        {
            Add(placement, placement.State);
            placement.Copy = new MessageCopy(placement);
            if (placement.WasDelivered) _deliveredUpTo[placement.Lane] = Math.Max(_deliveredUpTo.GetValueOrDefault(placement.Lane), placement.Sequence);
        }
        NextSequence = MachineView.NextSequence(Queue.Machine);
        _live.Keys.DefaultIfEmpty().Max().ShouldBeLessThan(NextSequence, "no sequence is given twice");
        foreach ((byte lane, ulong upTo) in TakeSnapshot().Delivered) _deliveredUpTo[lane] = upTo;
    }

    /// <summary>Somebody is given a message. Whether it has joined in this step.</summary>
    public Placement Deliver(SimulatedMessage message, Message delivered, ulong sequence, out bool isNew)
    {
        isNew = !_live.TryGetValue(sequence, out Placement? placement);
        if (isNew)
        {
            sequence.ShouldBeGreaterThanOrEqualTo(NextSequence, $"{Queue.NameText} gives message {message.Number}, which it does not have");
            _passed.Contains(sequence).ShouldBeFalse($"message {message.Number} is given twice");
            placement = Join(message, delivered.ArrivedAtMs, delivered.ExpiresAtMs, sequence, PlacementState.Uncertain);
        }
        placement!.Message.Number.ShouldBe(message.Number, $"{Queue.NameText} gives what stands at {sequence}");
        placement.State.ShouldNotBe(PlacementState.Unacked, $"message {message.Number} is somebody's already");
        _passedOver.Contains(placement).ShouldBeFalse($"{Queue.NameText} gives its messages in order: {message.Number} comes after one that it comes before");
        foreach (Placement before in _ready)
        {
            if (Placement.ByDelivery.Compare(before, placement) >= 0) break;
            _passedOver.Add(before);
        }
        Set(placement, PlacementState.Unacked);
        return placement;
    }

    /// <summary>Nobody is given anything: whatever is ready must turn out to have left.</summary>
    public void PassAllOver() => _passedOver.UnionWith(_ready);

    /// <summary>Whether the log is to be told that a message was given to somebody.</summary>
    public bool IsDeliveryNews(Placement placement)
    {
        if (placement.Sequence <= _deliveredUpTo.GetValueOrDefault(placement.Lane)) return false;
        _deliveredUpTo[placement.Lane] = placement.Sequence;
        return true;
    }

    public void Set(Placement placement, PlacementState state)
    {
        if (placement.State == PlacementState.Ready) _ready.Remove(placement);
        placement.State = state;
        if (state == PlacementState.Ready) _ready.Add(placement);
        if (state != PlacementState.Gone) return;
        _live.Remove(placement.Sequence);
        _passed.Add(placement.Sequence);
    }

    /// <summary>Looks at what the queue holds after a step.</summary>
    /// <param name="account">Knows the messages.</param>
    /// <param name="arrived">Gets what nobody has seen before.</param>
    /// <param name="left">Gets what is gone and no client has taken.</param>
    public void Observe(BrokerAccount account, List<Placement> arrived, List<Placement> left)
    {
        HashSet<ulong> seen = [];
        HashSet<ulong> postponed = Queue.AsideCount > 0 ? [.. TakeSnapshot().Postponed.Select(p => p.Sequence)] : [];
        foreach (QueueEntry entry in MachineView.Ready(Queue.Machine)) Meet(in entry, isReady: true);
        foreach (QueueEntry entry in MachineView.Unready(Queue.Machine)) Meet(in entry, isReady: false);
        foreach (Placement placement in _live.Values.Where(p => !seen.Contains(p.Sequence)).OrderBy(p => p.Sequence).ToArray())
        {
            placement.State.ShouldNotBe(PlacementState.Unacked, $"{Queue.NameText} has lost message {placement.Message.Number}, which somebody has");
            if (!StaysInRun(placement)) left.Add(placement);
        }
        foreach (Placement placement in left.Where(p => p.Queue == this)) Set(placement, PlacementState.Gone);
        foreach (Placement placement in _passedOver)
            placement.State.ShouldNotBe(PlacementState.Ready, $"{Queue.NameText} has given others before message {placement.Message.Number}, which comes first");
        _passedOver.Clear();
        _runs.Clear();
        _runs.UnionWith(MachineView.Runs(Queue.Machine));
        CountPassing();

        void Meet(in QueueEntry entry, bool isReady)
        {
            seen.Add(entry.Sequence).ShouldBeTrue($"{Queue.NameText} has what stands at {entry.Sequence} once");
            bool isNew = !_live.TryGetValue(entry.Sequence, out Placement? placement);
            if (isNew) arrived.Add(placement = Join(in entry, account));
            Check(in entry, placement!, isReady, postponed);
        }
    }

    /// <summary>Notes when those joined and left that nobody has seen.</summary>
    public void NotePassing(TicketSpan span)
    {
        for (int i = _passing.Count - PassingCount; i < _passing.Count; i++) _passing[i] = (_passing[i].Sequence, span);
    }

    /// <summary>Why a start with the log up to a ticket cannot find these messages, or null when it can.</summary>
    public string? Contradiction(long upTo, ObservedQueue found)
    {
        Dictionary<ulong, ObservedMessage> rest = found.Messages.ToDictionary(m => m.Sequence);
        foreach (Placement placement in _logged.Where(p => p.MayBeThere(upTo)))
        {
            string name = $"{Queue.NameText}: message {placement.Message.Number} (at {placement.Sequence}, priority {placement.Lane}, {placement.State}, entered {placement.EnteredAt}, left {placement.LeftAt})";
            if (rest.Remove(placement.Sequence, out ObservedMessage there))
            {
                if (ContradictionOf(placement, upTo, there) is { } contradiction) return $"{name} {contradiction}: {there}";
            }
            else if (placement.MustBeThere(upTo)) return $"{name} is missing: [{string.Join(' ', found.Messages.Select(m => m.Number))}]";
        }
        foreach (ObservedMessage message in rest.Values)
            if (!_passing.Exists(p => p.Sequence == message.Sequence && p.Span.MayBeIn(upTo) && !p.Span.IsIn(upTo))) return $"{Queue.NameText}: {message} should not be there";
        return Keys.Contradiction(upTo, found.Keys) is { } key ? $"{Queue.NameText}: {key}" : null;
    }

    private static string? ContradictionOf(Placement placement, long upTo, ObservedMessage found)
    {
        if (found.Number != placement.Message.Number) return "is another";
        if (found.Lane != placement.Lane) return "has another priority";
        if (placement.DeliveredAt.IsIn(upTo) && !found.IsRedelivered) return "was delivered and does not say so";
        // What was on its way out may have been overtaken by the mark of what was given after it.
        bool stays = !placement.IsDoomed && placement.State != PlacementState.Gone;
        if (stays && !placement.WasDelivered && found.IsRedelivered) return "says that it was delivered, and was not";
        if (!placement.MayHaveFailed(found.FailedCount, upTo)) return $"has failed {placement.FailedCount} times by now";
        if (found.ExpiresAtMs != placement.ExpiresAtMs) return "has another time to live";
        // Of what has expired on disk and is being read on its way out, nobody knows when it arrived; nor does it matter.
        bool isOut = placement is { IsDoomed: true, ExpiresAtMs: not 0 } && found.ArrivedAtMs == 0;
        return isOut || found.ArrivedAtMs == placement.ArrivedAtMs ? null : "has arrived at another time";
    }

    private Broker.Durability.QueueSnapshot TakeSnapshot()
    {
        lock (Queue.Shard.Gate)
        {
            Broker.Durability.QueueSnapshot snapshot = Queue.Machine.Collect(Queue, index: 0, new HashSet<Storage.Segments.SegmentFile>());
            snapshot.Abandon();
            return snapshot;
        }
    }

    private Placement Join(SimulatedMessage message, long arrivedAtMs, long expiresAtMs, ulong sequence, PlacementState state)
    {
        var placement = new Placement(message, this, sequence, LaneOf(message), Logs(message)) { ArrivedAtMs = arrivedAtMs, ExpiresAtMs = expiresAtMs };
        Add(placement, state);
        return placement;
    }

    private void Add(Placement placement, PlacementState state)
    {
        placement.State = PlacementState.Uncertain;
        _live.Add(placement.Sequence, placement);
        if (placement.IsLogged) _logged.Add(placement);
        Set(placement, state);
    }

    private byte LaneOf(SimulatedMessage message)
    {
        QueueSettings settings = Queue.Settings;
        return settings.PriorityMax == 0 ? (byte)0 : (byte)Math.Min(message.Priority ?? settings.PriorityDefault, settings.PriorityMax);
    }

    // Nothing comes into a run but what was ready when it was made.
    private bool StaysInRun(Placement placement)
    {
        DiskRun? run = placement.State == PlacementState.Ready ? MachineView.FindRun(Queue.Machine, placement.Lane, placement.Sequence) : null;
        if (run is null || (placement.Run != run && _runs.Contains(run))) return false;
        placement.Run = run;
        return true;
    }

    private Placement Join(in QueueEntry entry, BrokerAccount account)
    {
        entry.Sequence.ShouldBeGreaterThanOrEqualTo(NextSequence, $"{Queue.NameText} has again what had left it");
        _passed.Contains(entry.Sequence).ShouldBeFalse($"{Queue.NameText} has again what somebody has taken");
        return Join(account.Find(account.Recognize(entry.Message!)), entry.ArrivedAtMs, entry.ExpiresAtMs, entry.Sequence, PlacementState.Uncertain);
    }

    private void Check(in QueueEntry entry, Placement placement, bool isReady, HashSet<ulong> postponed)
    {
        placement.Run = null;
        entry.Lane.ShouldBe(placement.Lane, $"message {placement.Message.Number} has its priority");
        entry.IsLogged.ShouldBe(placement.IsLogged);
        if (placement.State == PlacementState.Unacked) isReady.ShouldBeFalse($"message {placement.Message.Number} is somebody's");
        else
        {
            if (isReady) placement.IsRejected.ShouldBeFalse($"message {placement.Message.Number} was rejected");
            bool isPostponed = !isReady && postponed.Contains(entry.Sequence);
            placement.IsDoomed |= !isReady && !isPostponed;
            Set(placement, isReady ? PlacementState.Ready : isPostponed ? PlacementState.Postponed : PlacementState.Leaving);
        }
    }

    private void CountPassing()
    {
        ulong next = MachineView.NextSequence(Queue.Machine);
        PassingCount = 0;
        for (ulong sequence = NextSequence; sequence < next; sequence++)
        {
            if (_live.ContainsKey(sequence) || _passed.Contains(sequence)) continue;
            _passing.Add((sequence, TicketSpan.Never));
            PassingCount++;
        }
        NextSequence = next;
        _passed.Clear();
    }
}
