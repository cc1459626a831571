namespace Harrier.Simulation.Accounts;

/// <summary>When something was written to the log: with one ticket, or with one of several that cannot be told apart from outside.</summary>
internal readonly record struct TicketSpan(long First, long Last)
{
    /// <summary>It was true before this life of the broker.</summary>
    public static TicketSpan Before => default;

    public static TicketSpan Never => new(long.MaxValue, long.MaxValue);

    public override string ToString() => this == Never ? "never" : First == Last ? $"{First}" : $"{First}..{Last}";

    public static TicketSpan At(long ticket) => new(ticket, ticket);

    /// <summary>Whether it is in the log up to a ticket.</summary>
    public bool IsIn(long upTo) => Last <= upTo;

    /// <summary>Whether it can be in the log up to a ticket.</summary>
    public bool MayBeIn(long upTo) => First <= upTo;
}
