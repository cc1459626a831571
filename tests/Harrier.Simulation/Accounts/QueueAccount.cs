using Harrier.Broker.Queues;
using Shouldly;

namespace Harrier.Simulation.Accounts;

/// <summary>What a queue holds, and what the log knows of it.</summary>
internal sealed class QueueAccount(Queue queue)
{
    private readonly List<Placement> _logged = [];

    /// <summary>The queue of the broker's present life.</summary>
    public Queue Queue { get; } = queue;

    public long Id => Queue.Id.Value;

    public bool IsDurable => Queue.Definition.IsDurable;

    public SortedDictionary<ulong, Placement> Ready { get; } = [];

    public ulong NextSequence { get; set; } = 1;

    /// <summary>How far the log knows that messages were given out.</summary>
    public ulong DeliveredUpTo { get; set; }

    public TicketSpan DeclaredAt { get; set; } = TicketSpan.Before;

    public TicketSpan EndedAt { get; set; } = TicketSpan.Never;

    public bool HasEnded { get; set; }

    public Placement Enter(SimulatedMessage message)
    {
        var placement = new Placement(message, NextSequence++, message.IsPersistent && IsDurable);
        Ready.Add(placement.Sequence, placement);
        if (placement.IsLogged) _logged.Add(placement);
        return placement;
    }

    /// <summary>Takes up a message that survived.</summary>
    public void Restore(Placement placement)
    {
        Ready.Add(placement.Sequence, placement);
        _logged.Add(placement);
    }

    /// <summary>Takes the message that is next.</summary>
    public Placement Take()
    {
        Ready.Count.ShouldBeGreaterThan(0, $"{Queue.NameText} gives a message and has none");
        Placement first = Ready.First().Value;
        Ready.Remove(first.Sequence);
        return first;
    }

    /// <summary>Whether a start with the log up to a ticket finds the queue.</summary>
    public bool Exists(long upTo) => IsDurable && DeclaredAt.IsIn(upTo) && !EndedAt.IsIn(upTo);

    /// <summary>Why a start with the log up to a ticket cannot find these messages, or null when it can.</summary>
    public string? Contradiction(long upTo, IReadOnlyList<ObservedMessage> found)
    {
        List<Placement> possible = [.. _logged.Where(p => p.MayBeThere(upTo))];
        int at = 0;
        foreach (Placement placement in possible)
        {
            bool isThere = at < found.Count && found[at].Number == placement.Message.Number;
            if (!isThere && placement.MustBeThere(upTo)) return $"{Queue.NameText}: message {placement.Message.Number} is missing at place {at}: {Describe(found, at)}";
            if (!isThere) continue;
            if (placement.DeliveredAt.IsIn(upTo) && !found[at].IsRedelivered) return $"{Queue.NameText}: message {placement.Message.Number} was delivered and does not say so";
            if (!placement.WasDelivered && found[at].IsRedelivered) return $"{Queue.NameText}: message {placement.Message.Number} says that it was delivered, and was not";
            if (found[at].Sequence != placement.Sequence) return $"{Queue.NameText}: message {placement.Message.Number} has sequence {found[at].Sequence}, not {placement.Sequence}";
            at++;
        }
        return at == found.Count ? null : $"{Queue.NameText}: message {found[at].Number} should not be there: {Describe(found, at)}";
    }

    private static string Describe(IReadOnlyList<ObservedMessage> found, int at) =>
        $"{found.Count} found, from there on [{string.Join(' ', found.Skip(at).Take(8).Select(m => m.Number))}]";
}

/// <summary>A message that a queue gave.</summary>
internal readonly record struct ObservedMessage(long Number, ulong Sequence, bool IsRedelivered);
