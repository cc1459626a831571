namespace Harrier.Simulation.Accounts;

/// <summary>A message that a start has found in a queue.</summary>
/// <param name="Number">Which one.</param>
/// <param name="Sequence">Its place.</param>
/// <param name="Lane">Its priority there.</param>
/// <param name="IsRedelivered">Whether somebody had it before.</param>
/// <param name="FailedCount">How many of these times count as failed.</param>
/// <param name="ReadyAtMs">When it may be delivered again; 0 for at once.</param>
/// <param name="ArrivedAtMs">When it joined the queue.</param>
/// <param name="ExpiresAtMs">When its own time ends; 0 for never.</param>
internal readonly record struct ObservedMessage(
    long Number, ulong Sequence, byte Lane, bool IsRedelivered, int FailedCount, long ReadyAtMs, long ArrivedAtMs, long ExpiresAtMs);

/// <summary>What a start has found in a queue: its messages in the order of delivery, and the keys that it remembers.</summary>
internal sealed record ObservedQueue(IReadOnlyList<ObservedMessage> Messages, IReadOnlyList<(byte Key, long UntilMs)> Keys);

/// <summary>What a start has found: the durable topology, and what is in each queue.</summary>
internal sealed record ObservedBroker(string Topology, IReadOnlyDictionary<long, ObservedQueue> Queues)
{
    public static ObservedBroker Empty { get; } = new("", new Dictionary<long, ObservedQueue>());

    /// <summary>In what it differs from what was found before, when a start in between went no further than to forget the keys whose time is over; or null.</summary>
    public string? ContradictionTo(ObservedBroker other, long nowMs)
    {
        if (Topology != other.Topology) return $"the topology was\n{other.Topology}\nat the last start and is\n{Topology}";
        foreach ((long id, ObservedQueue then) in other.Queues)
        {
            ObservedQueue now = Queues[id];
            if (!then.Messages.SequenceEqual(now.Messages)) return $"queue {id} held [{string.Join(' ', then.Messages)}] at the last start and holds [{string.Join(' ', now.Messages)}]";
            bool isKept = then.Keys.Where(k => k.UntilMs > nowMs).SequenceEqual(now.Keys.Where(k => k.UntilMs > nowMs)) && now.Keys.All(then.Keys.Contains);
            if (!isKept) return $"queue {id} knew [{string.Join(' ', then.Keys)}] at the last start and knows [{string.Join(' ', now.Keys)}]";
        }
        return null;
    }
}
