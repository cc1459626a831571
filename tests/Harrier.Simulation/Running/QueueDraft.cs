using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Simulation.Running;

/// <summary>
/// What a client asks for when it declares a queue: limits, times, priorities, and a queue for its dead letters, which is one of a higher number, so that none
/// comes back.
/// </summary>
internal sealed class QueueDraft
{
    private readonly List<Argument> _arguments = [];
    private readonly Random _random;

    private QueueDraft(Random random) => _random = random;

    public static ArgumentTable Draw(Random random, int number, int count, out bool isQuorum)
    {
        isQuorum = false;
        if (random.Next(4) == 0) return ArgumentTable.Empty;
        var draft = new QueueDraft(random);
        isQuorum = random.Next(3) == 0;
        if (isQuorum) draft.AddForQuorum();
        else if (random.Next(3) == 0) draft.Add("x-max-priority", 3);
        if (number + 1 < count && random.Next(3) > 0)
        {
            draft._arguments.Add(new Argument("x-dead-letter-exchange", ArgumentValue.Of("")));
            draft._arguments.Add(new Argument("x-dead-letter-routing-key", ArgumentValue.Of($"q{random.Next(number + 1, count)}")));
        }
        if (random.Next(3) == 0) draft.Add("x-message-ttl", random.Next(5) == 0 ? 0 : random.Next(1, 3000));
        if (random.Next(4) == 0) draft.Add("x-max-length", random.Next(random.Next(2) == 0 ? 5 : 40));
        if (random.Next(8) == 0) draft.Add("x-max-length-bytes", random.Next(6000));
        if (number == 0 && random.Next(2) == 0) draft.AddWindow();
        return new ArgumentTable([.. draft._arguments]);
    }

    /// <summary>What a policy might make of a queue's settings.</summary>
    public static QueueSettings Change(Random random, QueueSettings settings) => random.Next(5) switch
    {
        0 => settings with { MessageTtlMs = random.Next(3) == 0 ? null : random.Next(3000) },
        1 => settings with { LengthMax = random.Next(3) == 0 ? null : random.Next(10) },
        2 => settings with { DeadLetterExchange = null, KeepsUndeliveredDeadLetters = false },
        3 => settings with { DeliveryLimit = random.Next(3) == 0 ? null : random.Next(3) },
        _ => settings with { DelayedRetry = (DelayedRetry)random.Next(4), DelayedRetryMinMs = 1 + random.Next(500), DelayedRetryMaxMs = 2000 },
    };

    private void AddForQuorum()
    {
        _arguments.Add(new Argument("x-queue-type", ArgumentValue.Of("quorum")));
        Add("x-delivery-limit", _random.Next(4));
        if (_random.Next(2) == 0)
        {
            _arguments.Add(new Argument("x-delayed-retry-type", ArgumentValue.Of(_random.Next(3) switch { 0 => "all", 1 => "failed", _ => "returned" })));
            Add("x-delayed-retry-min", _random.Next(1, 500));
            Add("x-delayed-retry-max", _random.Next(500, 2000));
        }
        if (_random.Next(2) > 0) return;
        _arguments.Add(new Argument("x-dead-letter-strategy", ArgumentValue.Of("at-least-once")));
        _arguments.Add(new Argument("x-overflow", ArgumentValue.Of("reject-publish")));
    }

    private void AddWindow()
    {
        _arguments.Add(new Argument("x-message-deduplication", ArgumentValue.Of(true)));
        Add("x-cache-size", _random.Next(2) == 0 ? 3 : 100);
        if (_random.Next(2) == 0) Add("x-cache-ttl", _random.Next(1, 3000));
    }

    private void Add(string name, long value) => _arguments.Add(new Argument(name, ArgumentValue.Of(value)));
}
