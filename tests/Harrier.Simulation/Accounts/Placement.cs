using Harrier.Broker.Queues;

namespace Harrier.Simulation.Accounts;

/// <summary>Where in its queue a message is.</summary>
internal enum PlacementState
{
    Ready,
    Unacked,

    /// <summary>It waits for its time, and is ready then.</summary>
    Postponed,

    /// <summary>It waits to leave: until it is read, or until there is a queue for it.</summary>
    Leaving,

    /// <summary>Given back or rejected in the step that goes on: whoever looks at the queue after it knows more.</summary>
    Uncertain,

    Gone,
}

/// <summary>A message in a queue, and when the log was told what of it.</summary>
internal sealed class Placement(SimulatedMessage message, QueueAccount queue, ulong sequence, byte lane, bool isLogged)
{
    private readonly List<TicketSpan> _failures = [];

    public static Comparer<Placement> ByDelivery { get; } = Comparer<Placement>.Create(static (a, b) =>
        a.Lane != b.Lane ? b.Lane.CompareTo(a.Lane) : a.Sequence.CompareTo(b.Sequence));

    public SimulatedMessage Message { get; } = message;

    public QueueAccount Queue { get; } = queue;

    public ulong Sequence { get; } = sequence;

    public byte Lane { get; } = lane;

    public bool IsLogged { get; } = isLogged;

    public PlacementState State { get; set; }

    /// <summary>The run on disk that it stands in, as far as a look at the queue has told.</summary>
    public DiskRun? Run { get; set; }

    public long ArrivedAtMs { get; set; }

    /// <summary>When the message's own time ends; 0 for never, as for dead letters.</summary>
    public long ExpiresAtMs { get; set; }

    public bool WasDelivered { get; set; }

    public bool IsRejected { get; set; }

    /// <summary>Whether it was seen on its way out: it had a reason to leave then.</summary>
    public bool IsDoomed { get; set; }

    /// <summary>How often it was delivered in vain before the present life of the broker.</summary>
    public int FailedBefore { get; init; }

    public int FailedCount => FailedBefore + _failures.Count;

    /// <summary>Whether it does not stay in the queue.</summary>
    public bool IsOnItsWay => State is PlacementState.Leaving or PlacementState.Gone;

    /// <summary>The one message that this is a station of, for a message that outlives a restart.</summary>
    public MessageCopy? Copy { get; set; }

    public TicketSpan EnteredAt { get; set; } = TicketSpan.Before;

    public TicketSpan DeliveredAt { get; set; } = TicketSpan.Never;

    public TicketSpan LeftAt { get; set; } = TicketSpan.Never;

    /// <summary>Whether a broker that knows the log up to a ticket has it for certain.</summary>
    public bool MustBeThere(long upTo) => IsLogged && EnteredAt.IsIn(upTo) && !LeftAt.MayBeIn(upTo);

    /// <summary>Whether a broker that knows the log up to a ticket can have it.</summary>
    public bool MayBeThere(long upTo) => IsLogged && EnteredAt.MayBeIn(upTo) && !LeftAt.IsIn(upTo);

    /// <summary>Notes a delivery in vain, whose ticket is told later.</summary>
    public void Fail() => _failures.Add(TicketSpan.Never);

    public void NoteFailures(TicketSpan span)
    {
        for (int i = 0; i < _failures.Count; i++)
            if (_failures[i] == TicketSpan.Never) _failures[i] = span;
    }

    /// <summary>It leaves because of its last failure: that is not told to the log, but a checkpoint may put it down.</summary>
    public void LeaveFailuresOpen() => NoteFailures(new TicketSpan(0, long.MaxValue));

    /// <summary>Whether a broker that knows the log up to a ticket can have counted so many deliveries in vain.</summary>
    public bool MayHaveFailed(int count, long upTo) =>
        count >= FailedBefore + _failures.Count(f => f.IsIn(upTo)) && count <= FailedBefore + _failures.Count(f => f.MayBeIn(upTo));
}

/// <summary>A message on its way through queues: it is in one of them at a time, until it ends.</summary>
internal sealed class MessageCopy(Placement first)
{
    public TicketSpan EndedAt { get; set; } = TicketSpan.Never;

    public bool MustBeThere(long upTo) => first.EnteredAt.IsIn(upTo) && !EndedAt.MayBeIn(upTo);

    public bool MayBeThere(long upTo) => first.EnteredAt.MayBeIn(upTo) && !EndedAt.IsIn(upTo);
}
