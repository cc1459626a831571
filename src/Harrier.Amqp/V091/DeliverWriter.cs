using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Writes basic.deliver with its message, whether it comes from a queue or as a direct reply. Under the output's gate.</summary>
internal static class DeliverWriter
{
    public static void Write(Connection091 connection, ushort channel, byte[] consumerTag, ulong deliveryTag, bool isRedelivered, Message message)
    {
        var method = new BasicDeliver
        {
            ConsumerTag = consumerTag,
            DeliveryTag = deliveryTag,
            Redelivered = isRedelivered,
            Exchange = message.ExchangeBytes,
            RoutingKey = message.RoutingKeyBytes,
        };
        ContentWriter.Write(connection.Output, channel, in method, message, connection.FrameBytesMax);
    }
}
