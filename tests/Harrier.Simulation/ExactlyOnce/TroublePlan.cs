using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>What befalls an exchange of messages, and how its clients behave.</summary>
internal sealed record TroublePlan
{
    public int MessageCount { get; init; } = 4;

    /// <summary>Deliveries that each client has under way at once.</summary>
    public int Window { get; init; } = 1;

    /// <summary>Messages that the sender puts into one transaction; 0 for none.</summary>
    public int TransactionSize { get; init; }

    /// <summary>The point at which the client whose turn it is loses its connection; 0 for none.</summary>
    public long LoseAt { get; init; }

    /// <summary>Whether the broker does not notice that.</summary>
    public bool IsHalfOpen { get; init; }

    /// <summary>The point at which the broker dies; 0 for none.</summary>
    public long DieAt { get; init; }

    /// <summary>The point of its disk at which the first broker dies; 0 for none.</summary>
    public long CrashAt { get; init; }

    /// <summary>How likely each point is one of trouble, as long as there is some left.</summary>
    public double TroubleChance { get; init; }

    /// <summary>How much trouble there is at most.</summary>
    public int TroublesMax { get; init; } = 30;

    /// <summary>How likely a checkpoint comes before a step.</summary>
    public double CheckpointChance { get; init; }

    /// <summary>Whether what is to be sent and settled is left to the dice, or follows an order.</summary>
    public bool IsRandom { get; init; }

    // What makes exactly once of it; a client that does without shows that the check can fail.

    public ReceiverSettleMode SenderMode { get; init; } = ReceiverSettleMode.Second;

    public ReceiverSettleMode ReceiverMode { get; init; } = ReceiverSettleMode.Second;

    public TerminusDurability Durability { get; init; } = TerminusDurability.UnsettledState;

    /// <summary>Whether messages are persistent.</summary>
    public bool IsPersistent { get; init; } = true;

    /// <summary>Whether the sender settles before it takes a message out of its outbox.</summary>
    public bool ForgetsLate { get; init; }

    /// <summary>Whether the sender settles what is in a transaction before it is discharged.</summary>
    public bool SettlesEarly { get; init; }

    /// <summary>Whether the receiver does its work in one transaction and notes the tag in another.</summary>
    public bool RecordsLate { get; init; }

    /// <summary>How long something may take that somebody waits for: for ever, if it is lost.</summary>
    public TimeSpan Patience { get; init; } = TestServer.SafetyNet;

    /// <summary>A plan of the seed's own making.</summary>
    public static TroublePlan Of(int seed)
    {
        var random = new Random(seed ^ 0x0CE);
        return new TroublePlan
        {
            MessageCount = random.Next(1, 30),
            Window = random.Next(1, 9),
            TroubleChance = random.NextDouble() / (1 << random.Next(8)),
            CheckpointChance = random.Next(3) == 0 ? random.NextDouble() / 4 : 0,
            IsRandom = true,
            TransactionSize = random.Next(2) * random.Next(1, 6),
        };
    }
}

/// <summary>A client has lost its connection.</summary>
internal sealed class ConnectionLostException : Exception;
