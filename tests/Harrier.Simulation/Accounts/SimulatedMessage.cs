using System.Buffers.Binary;
using System.Text;
using Harrier.Broker.Messages;
using Harrier.TestSupport;

namespace Harrier.Simulation.Accounts;

/// <summary>A message as its publisher knows it. Its properties begin with a number that no other message has.</summary>
internal sealed record SimulatedMessage(long Number, string Exchange, string RoutingKey, byte[] Properties, byte[] Body, bool IsPersistent)
{
    public static SimulatedMessage Create(long number, string exchange, string routingKey, int bodySize, bool isPersistent)
    {
        var content = new Random((int)number);
        byte[] properties = new byte[sizeof(long) + content.Next(16)], body = new byte[bodySize];
        content.NextBytes(properties);
        content.NextBytes(body);
        BinaryPrimitives.WriteInt64LittleEndian(properties, number);
        return new SimulatedMessage(number, exchange, routingKey, properties, body, isPersistent);
    }

    public static long NumberOf(Message message) => BinaryPrimitives.ReadInt64LittleEndian(message.Properties);

    /// <summary>The message as the broker gets it, with one reference.</summary>
    public Message Rent()
    {
        Message message = Message.Rent(SimulatedFormat.Instance, Encoding.UTF8.GetBytes(Exchange), Encoding.UTF8.GetBytes(RoutingKey), Properties, Body.Length);
        message.AppendBody(Body, Body.Length);
        message.IsPersistent = IsPersistent;
        return message;
    }

    /// <summary>Whether this is what was published, to the last byte.</summary>
    public bool Is(Message message) =>
        message.Body.SequenceEqual(Body) && message.Properties.SequenceEqual(Properties) && message.IsPersistent == IsPersistent
        && message.Exchange == new Utf8Name(Exchange) && message.RoutingKey == new Utf8Name(RoutingKey);
}

/// <summary>A property section without headers.</summary>
internal sealed class SimulatedFormat : PlainFormat
{
    public static readonly SimulatedFormat Instance = new();

    public static readonly MessageFormats Formats = new(Instance);

    public override byte Id => 1;
}
