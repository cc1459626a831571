using Harrier.Broker.Messages;
using Harrier.TestSupport;

namespace Harrier.Simulation.Accounts;

/// <summary>A property section that begins with the message's number, and says then which key it has; the rest means nothing.</summary>
internal sealed class SimulatedFormat : PlainFormat
{
    /// <summary>The header with the key that deduplication looks at.</summary>
    public const string KeyHeader = "x-deduplication-header";

    public const int KeyAt = sizeof(long);

    public static readonly SimulatedFormat Instance = new();

    public static readonly MessageFormats Formats = new(Instance);

    [ThreadStatic]
    private static Action? _onUse;

    /// <summary>Called whenever the broker asks something of a message: in the middle of what it does, where its other threads may do something too.</summary>
    public static Action? OnUse
    {
        get => _onUse;
        set => _onUse = value;
    }

    public override byte Id
    {
        get
        {
            OnUse?.Invoke();
            return 1;
        }
    }

    public override bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
    {
        bool isThere = name.SequenceEqual("x-deduplication-header"u8) && properties[KeyAt] != 0;
        value = isThere ? new HeaderValue(ArgumentKind.Text, 0, 0, properties.Slice(KeyAt, 1)) : default;
        return isThere;
    }

    public override byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies)
    {
        OnUse?.Invoke();
        return base.WithDeath(message, in death, keepsCarbonCopies);
    }
}
