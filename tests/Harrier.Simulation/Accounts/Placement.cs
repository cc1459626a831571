namespace Harrier.Simulation.Accounts;

/// <summary>A message in a queue, and when the log was told what of it.</summary>
internal sealed class Placement(SimulatedMessage message, ulong sequence, bool isLogged)
{
    public SimulatedMessage Message { get; } = message;

    public ulong Sequence { get; } = sequence;

    public bool IsLogged { get; } = isLogged;

    public bool WasDelivered { get; set; }

    public TicketSpan EnteredAt { get; set; } = TicketSpan.Before;

    public TicketSpan DeliveredAt { get; set; } = TicketSpan.Never;

    public TicketSpan LeftAt { get; set; } = TicketSpan.Never;

    /// <summary>Whether a broker that knows the log up to a ticket has it for certain.</summary>
    public bool MustBeThere(long upTo) => IsLogged && EnteredAt.IsIn(upTo) && !LeftAt.MayBeIn(upTo);

    /// <summary>Whether a broker that knows the log up to a ticket can have it.</summary>
    public bool MayBeThere(long upTo) => IsLogged && EnteredAt.MayBeIn(upTo) && !LeftAt.IsIn(upTo);
}
