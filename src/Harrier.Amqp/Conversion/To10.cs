using Harrier.Broker.Messages;
namespace Harrier.Amqp.Conversion;
internal static class To10 { public static Message Convert(Message message) => throw new NotSupportedException(); }
