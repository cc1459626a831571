using System.Buffers.Binary;
using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Simulation.Accounts;

/// <summary>A message as its publisher knows it. Its properties begin with a number that no other message has.</summary>
internal sealed record SimulatedMessage(long Number, string Exchange, string RoutingKey, byte[] Properties, byte[] Body, bool IsPersistent)
{
    public long ArrivedAtMs { get; init; }

    /// <summary>When its own time to live ends; 0 for never.</summary>
    public long ExpiresAtMs { get; init; }

    public byte? Priority { get; init; }

    /// <summary>The key that counts when copies are dropped; 0 for none.</summary>
    public byte Key => Properties[SimulatedFormat.KeyAt];

    public static SimulatedMessage Create(long number, string exchange, string routingKey, int bodySize, bool isPersistent, byte key = 0)
    {
        var content = new Random((int)number);
        byte[] properties = new byte[SimulatedFormat.KeyAt + 1 + content.Next(16)], body = new byte[bodySize];
        content.NextBytes(properties);
        content.NextBytes(body);
        BinaryPrimitives.WriteInt64LittleEndian(properties, number);
        properties[SimulatedFormat.KeyAt] = key;
        return new SimulatedMessage(number, exchange, routingKey, properties, body, isPersistent);
    }

    public static long NumberOf(Message message) => BinaryPrimitives.ReadInt64LittleEndian(message.Properties);

    /// <summary>The message as the broker gets it, with one reference.</summary>
    public Message Rent()
    {
        Message message = Message.Rent(SimulatedFormat.Instance, Encoding.UTF8.GetBytes(Exchange), Encoding.UTF8.GetBytes(RoutingKey), Properties, Body.Length);
        message.AppendBody(Body, Body.Length);
        (message.IsPersistent, message.ArrivedAtMs, message.ExpiresAtMs, message.Priority) = (IsPersistent, ArrivedAtMs, ExpiresAtMs, Priority);
        return message;
    }

    /// <summary>Whether this is what was published, to the last byte; or its dead letter.</summary>
    public bool Is(Message message) =>
        message.Body.SequenceEqual(Body) && message.Properties.SequenceEqual(Properties) && message.IsPersistent == IsPersistent && message.Priority == Priority
        && (message.HasDeaths ? message.ExpiresAtMs == 0 && message.Exchange.IsEmpty : IsAddressedLike(message));

    private bool IsAddressedLike(Message message) =>
        message.ArrivedAtMs >= ArrivedAtMs && message.ExpiresAtMs == ExpiresAtMs
        && message.Exchange == new Utf8Name(Exchange) && message.RoutingKey == new Utf8Name(RoutingKey);
}
