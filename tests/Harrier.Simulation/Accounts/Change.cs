using Harrier.Broker.Queues;

namespace Harrier.Simulation.Accounts;

/// <summary>What can happen to a message in a queue.</summary>
internal enum ChangeKind
{
    /// <summary>It was published, and joined.</summary>
    Entered,

    /// <summary>It joined because it had left another queue.</summary>
    Moved,
    Delivered,
    Returned,

    /// <summary>A client has taken it for good.</summary>
    Settled,

    /// <summary>It left, and no client has taken it.</summary>
    Left,
    Purged,
}

/// <summary>Something that the log is told, if the queue and the message are such.</summary>
internal sealed record Change(ChangeKind Kind, QueueAccount Queue, Placement? Placement)
{
    public long Shard => Queue.Id % ShardSet.Count;

    public bool IsLogged => Queue.IsDurable && (Kind is ChangeKind.Purged or ChangeKind.Delivered || Placement!.IsLogged);

    /// <summary>Whether somebody is told when it is durable.</summary>
    public bool IsPromised => Kind is ChangeKind.Entered or ChangeKind.Purged;

    /// <summary>Whether it is a part of what a transaction does at once.</summary>
    public bool IsOfGroup => Kind is ChangeKind.Entered or ChangeKind.Settled;

    public void Note(TicketSpan span)
    {
        switch (Kind)
        {
            case ChangeKind.Entered or ChangeKind.Moved: Placement!.EnteredAt = span; break;
            case ChangeKind.Left or ChangeKind.Settled: Placement!.LeftAt = span; break;
            case ChangeKind.Delivered or ChangeKind.Returned when Placement!.DeliveredAt == TicketSpan.Never: Placement.DeliveredAt = span; break;
        }
        if (Kind == ChangeKind.Settled && Placement!.Copy is { } copy) copy.EndedAt = span;
        if (Kind == ChangeKind.Returned) Placement!.NoteFailures(span);
    }
}
