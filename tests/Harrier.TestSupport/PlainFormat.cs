using Harrier.Broker.Messages;

namespace Harrier.TestSupport;

/// <summary>A message format without headers: properties are bytes that mean nothing.</summary>
public class PlainFormat : IMessageFormat
{
    public virtual byte Id => 200;

    public virtual bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
    {
        value = default;
        return false;
    }

    public virtual bool TryFindProperty(ReadOnlySpan<byte> properties, MessageProperty property, out HeaderValue value)
    {
        value = default;
        return false;
    }

    public virtual byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies) => message.Properties.ToArray();

    public virtual DeathPlace? FindLastDeath(Message message) => null;

    public virtual bool HasCycle(Message message, Utf8Name queue) => false;

    public virtual byte[] AfterDelay(ReadOnlySpan<byte> properties) => properties.ToArray();
}
