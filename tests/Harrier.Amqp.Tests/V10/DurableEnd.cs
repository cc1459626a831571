using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>How a client attaches a link that outlives its connection.</summary>
internal sealed record DurableEnd
{
    public uint Handle { get; init; }

    public string Name { get; init; } = "durable";

    public string Address { get; init; } = "/queues/q";

    public TerminusDurability Durability { get; init; } = TerminusDurability.UnsettledState;

    public string Policy { get; init; } = "never";

    public uint TimeoutSeconds { get; init; }

    public ReceiverSettleMode Mode { get; init; } = ReceiverSettleMode.Second;

    /// <summary>The encoded filters of a source, or nothing.</summary>
    public byte[] Filter { get; init; } = [];

    /// <summary>What the client has not settled: texts for tags, states or null.</summary>
    public (string Tag, byte[]? State)[] Unsettled { get; init; } = [];

    /// <summary>A map of unsettled deliveries that is sent instead.</summary>
    public byte[]? RawUnsettled { get; init; }

    public bool IsIncomplete { get; init; }

    public ushort Channel { get; init; } = 1;

    /// <summary>What a client has not settled that knows nothing of it but that it was under way.</summary>
    public static (string, byte[]?)[] Unknown(params string[] tags) => [.. tags.Select(tag => (tag, (byte[]?)null))];

    /// <summary>The attach of a sender.</summary>
    public Attach ToAttachOfSender() => Links10.Sender(Handle, Encoded10.Composite(new Target
    {
        Address = Encoded10.String(Address), Durable = Durability, ExpiryPolicy = Encoding.ASCII.GetBytes(Policy), Timeout = TimeoutSeconds,
    })) with { Name = Encoding.UTF8.GetBytes(Name), RcvSettleMode = Mode, Unsettled = Map(), IncompleteUnsettled = IsIncomplete };

    /// <summary>The attach of a receiver.</summary>
    public Attach ToAttachOfReceiver() => Links10.Receiver(Handle, Encoded10.Composite(new Source
    {
        Address = Encoded10.String(Address), Durable = Durability, ExpiryPolicy = Encoding.ASCII.GetBytes(Policy), Timeout = TimeoutSeconds,
        Filter = Filter,
    })) with { Name = Encoding.UTF8.GetBytes(Name), RcvSettleMode = Mode, Unsettled = Map(), IncompleteUnsettled = IsIncomplete };

    private byte[] Map() => RawUnsettled ?? Encoded10.Of((ref ValueWriter writer) =>
    {
        int map = writer.BeginMap();
        foreach ((string tag, byte[]? state) in Unsettled)
        {
            writer.WriteBinary(DurableConversations.Tag(tag));
            if (state is null) writer.WriteNull();
            else writer.WriteRaw(state);
        }
        writer.End(map, Unsettled.Length * 2);
    });
}
