using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>
/// Delays made of queues, as NServiceBus and Celery build them: one topic exchange and one queue for each bit of the delay. The queue of bit n
/// keeps a message for 2^n units and passes it on to the exchange of the next lower bit; the exchange passes a message whose bit is not set on
/// at once. The routing key is the bits of the delay, the highest first, and then the address.
/// </summary>
internal sealed class DelayLevels(Session session, Func<int, string> nameOf, string deliveryExchange, string queueType, int unitMs)
{
    private const int BitCount = 28;

    public static string KeyFor(int delay, string address) => $"{string.Join('.', Convert.ToString(delay, toBase: 2).PadLeft(BitCount, '0').AsEnumerable())}.{address}";

    public async Task DeclareAsync()
    {
        await session.ExchangeAsync(ExchangeType.Topic, deliveryExchange);
        for (var bit = 0; bit < BitCount; bit++)
        {
            await session.ExchangeAsync(ExchangeType.Topic, nameOf(bit));
            await session.QueueAsync(nameOf(bit), Level(bit));
            await session.Channel.QueueBindAsync(nameOf(bit), nameOf(bit), Pattern(bit, isSet: true));
            await session.Channel.ExchangeBindAsync(Next(bit), nameOf(bit), Pattern(bit, isSet: false));
        }
    }

    private Dictionary<string, object?> Level(int bit)
    {
        var arguments = Arguments.DeadLetters(Next(bit))
            .And("x-queue-type", queueType)
            .And("x-overflow", "reject-publish")
            .And("x-message-ttl", (1L << bit) * unitMs);
        return queueType == "quorum" ? arguments.And("x-dead-letter-strategy", "at-least-once") : arguments;
    }

    private string Next(int bit) => bit == 0 ? deliveryExchange : nameOf(bit - 1);

    private static string Pattern(int bit, bool isSet) =>
        string.Concat(Enumerable.Repeat("*.", BitCount - 1 - bit)) + (isSet ? "1.#" : "0.#");
}
