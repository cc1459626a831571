using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Writes basic.deliver with its message, whether it comes from a queue or as a direct reply. Under the output's gate.</summary>
internal static class DeliverWriter
{
    /// <param name="connection">Whose output is written to.</param>
    /// <param name="channel">The channel's number.</param>
    /// <param name="consumerTag">The consumer.</param>
    /// <param name="deliveryTag">The delivery.</param>
    /// <param name="isRedelivered">Whether somebody had it before.</param>
    /// <param name="message">The message.</param>
    /// <param name="properties">Its property section as the client is to see it.</param>
    public static void Write(
        Connection091 connection, ushort channel, byte[] consumerTag, ulong deliveryTag, bool isRedelivered, Message message, ReadOnlySpan<byte> properties)
    {
        var method = new BasicDeliver
        {
            ConsumerTag = consumerTag,
            DeliveryTag = deliveryTag,
            Redelivered = isRedelivered,
            Exchange = message.ExchangeBytes,
            RoutingKey = message.RoutingKeyBytes,
        };
        ContentWriter.Write(connection.Output, channel, in method, message, properties, connection.FrameBytesMax);
    }
}
