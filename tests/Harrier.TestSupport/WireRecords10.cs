using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

// The performatives of 1.0 as a client has received them.

/// <summary>A SASL frame that offers mechanisms.</summary>
public sealed record WireMechanisms(string[] Names);

/// <summary>A SASL challenge.</summary>
public sealed record WireChallenge(byte[] Challenge);

/// <summary>How SASL has ended.</summary>
public sealed record WireOutcome(SaslCode Code, byte[] AdditionalData);

public sealed record WireOpen(
    string ContainerId, uint MaxFrameSize, ushort ChannelMax, uint? IdleTimeOutMs, string[] OfferedCapabilities, Dictionary<string, string> Properties);

public sealed record WireBegin(ushort? RemoteChannel, uint NextOutgoingId, uint IncomingWindow, uint OutgoingWindow, uint HandleMax);

public sealed record WireAttach(string Name, uint Handle, Role Role, SenderSettleMode SndSettleMode, ReceiverSettleMode RcvSettleMode)
{
    public bool HasSource { get; init; }

    public bool HasTarget { get; init; }

    public bool IsCoordinator { get; init; }

    public string? SourceAddress { get; init; }

    public bool IsSourceDynamic { get; init; }

    public string? DistributionMode { get; init; }

    /// <summary>The filters of its source: their names in order.</summary>
    public string[] SourceFilters { get; init; } = [];

    public WireState? DefaultOutcome { get; init; }

    public string? TargetAddress { get; init; }

    public bool IsTargetDynamic { get; init; }

    public string[] SourceOutcomes { get; init; } = [];

    /// <summary>The capabilities of its target, or of the coordinator.</summary>
    public string[] TargetCapabilities { get; init; } = [];

    /// <summary>What the server's end of the link can do.</summary>
    public string[] OfferedCapabilities { get; init; } = [];

    public uint? InitialDeliveryCount { get; init; }

    public ulong? MaxMessageSize { get; init; }

    /// <summary>The unsettled deliveries by their tags in hexadecimal; null when there is no map.</summary>
    public Dictionary<string, WireState?>? Unsettled { get; init; }

    public bool IncompleteUnsettled { get; init; }

    /// <summary>How durable the server's end is, when it expires, and how many seconds after that.</summary>
    public (TerminusDurability Durability, string? ExpiryPolicy, uint TimeoutSeconds) Terminus { get; init; }

    public override string ToString() =>
        $"attach {Name} {Handle} {Role} {{{string.Join(", ", (Unsettled ?? []).Select(d => $"{d.Key}: {d.Value?.Name}"))}}}{(IncompleteUnsettled ? " incomplete" : "")}";
}

public sealed record WireFlow(uint? NextIncomingId, uint IncomingWindow, uint NextOutgoingId, uint OutgoingWindow)
{
    public uint? Handle { get; init; }

    public uint? DeliveryCount { get; init; }

    public uint? LinkCredit { get; init; }

    public uint? Available { get; init; }

    public bool Drain { get; init; }

    public bool Echo { get; init; }
}

public sealed record WireTransfer(uint Handle, uint? DeliveryId, byte[] DeliveryTag, bool? Settled, bool More, byte[] Payload)
{
    public uint? MessageFormat { get; init; }

    public bool Aborted { get; init; }

    public bool Resume { get; init; }

    public override string ToString() =>
        $"transfer {DeliveryId} '{Convert.ToHexString(DeliveryTag)}'{(Resume ? " resume" : "")}{(Settled == true ? " settled" : "")}{(More ? " more" : "")} {Payload.Length} bytes";
}

public sealed record WireDisposition(Role Role, uint First, uint? Last, bool Settled, WireState? State);

/// <summary>A delivery state.</summary>
/// <param name="Name">What it is: accepted, rejected, released, modified, received, declared, transactional-state.</param>
public sealed record WireState(string Name)
{
    /// <summary>Of rejected.</summary>
    public WireError? Error { get; init; }

    /// <summary>The transaction, of declared and transactional-state, in hexadecimal.</summary>
    public string? TransactionId { get; init; }

    /// <summary>The outcome within a transactional-state.</summary>
    public WireState? Outcome { get; init; }
}

public sealed record WireDetach(uint Handle, bool Closed, WireError? Error);

public sealed record WireEnd(WireError? Error);

public sealed record WireClose(WireError? Error);

/// <summary>A frame without a body: a sign of life.</summary>
public sealed record WireEmpty;

public sealed record WireError(string Condition, string? Description);
