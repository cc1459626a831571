using System.Text;
using Harrier.Amqp.V10.Durable;
using Harrier.Amqp.V10.Sources;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>The source of a link to the peer, as it is effective (1.0 part 3, section 3.5.3).</summary>
/// <param name="Queue">Where messages come from.</param>
/// <param name="Address">As the peer wrote it, or as it was made for the peer; encoded.</param>
internal sealed record SourceTerminus(Queue Queue, byte[] Address)
{
    private static readonly byte[] Outcomes = Values10.Symbols("amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list");

    /// <summary>What becomes of a delivery that the receiver settles without a word.</summary>
    public Outcome DefaultOutcome { get; init; } = Outcome.Released;

    /// <summary>The encoded default outcome, or empty.</summary>
    public byte[] DefaultOutcomeBytes { get; init; } = [];

    /// <summary>Whether the queue was made for this link.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>The encoded node properties of a dynamic queue, or empty.</summary>
    public byte[] NodeProperties { get; init; } = [];

    /// <summary>Whether the queue was made for the link because it named an exchange.</summary>
    public bool IsSubscription { get; init; }

    /// <summary>Which messages pass.</summary>
    public SourceFilters Filters { get; init; } = SourceFilters.None;

    /// <summary>Whether messages are copied and stay (distribution-mode copy, 1.0 part 3, section 3.5.7).</summary>
    public bool IsBrowsed { get; init; }

    /// <summary>Whether unsettled deliveries outlive the link (1.0 part 3, section 3.5.5).</summary>
    public TerminusDurability Durability { get; init; }

    /// <summary>For how long it outlives the link.</summary>
    public TerminusPolicy Policy { get; init; }

    /// <summary>The consumer's priority.</summary>
    public long Priority { get; init; }

    /// <summary>The source that our attach tells.</summary>
    public byte[] Encode() => Values10.Composite(new Source
    {
        Address = Address,
        Durable = Durability,
        ExpiryPolicy = Policy.Symbol,
        Timeout = Policy.TimeoutSeconds,
        Dynamic = IsDynamic,
        DynamicNodeProperties = OrNull(NodeProperties),
        DistributionMode = IsBrowsed ? "copy"u8 : "move"u8,
        Filter = OrNull(Filters.Encoded),
        DefaultOutcome = DefaultOutcomeBytes.Length > 0 ? DefaultOutcomeBytes : DeliveryState.Released,
        Outcomes = Outcomes,
    });

    /// <summary>Gives up what was made for the link.</summary>
    public void End(Connection10 connection, LinkEnd how)
    {
        if (how == LinkEnd.ConnectionLost) return; // with the connection it goes anyway
        connection.DynamicNodes.Leave(connection.Session, Queue, isCreator: IsDynamic);
        if (IsSubscription && !Queue.IsDeleted) connection.Session.DeleteQueue(Queue.Name, ifUnused: false, ifEmpty: false);
    }

    private static ReadOnlySpan<byte> OrNull(byte[] bytes) => bytes.Length == 0 ? default : bytes;
}
