using System.Text;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;

namespace Harrier.Broker.Tests.Features;

/// <summary>
/// Durable queues with settings, a clock that only the test moves, and a disk from which everything is read before anybody looks. The settings apply again
/// after a restart.
/// </summary>
internal sealed class FeatureBench : IDisposable
{
    private const long StepMs = 5;

    private readonly Dictionary<string, QueueSettings> _settings = [];
    private readonly FakeSink _sink = new();
    private ulong _publications;

    /// <param name="isTransient">Whether queues are transient ones, whose messages a checkpoint writes to files for the time being.</param>
    public FeatureBench(bool isTransient = false)
    {
        IsTransient = isTransient;
        Durable = new DurableBench(new NotedFormat(), new StorageSettings { UnloggedBytesMax = isTransient ? 0 : 1 << 30 });
    }

    public bool IsTransient { get; }

    public DurableBench Durable { get; }

    /// <summary>Milliseconds since 1970.</summary>
    public long NowMs => Durable.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public Queue this[string name] => Durable.Queue(name);

    public void Dispose() => Durable.Dispose();

    public void Declare(string name, QueueSettings? settings = null, QueueType type = QueueType.Classic)
    {
        Argument[] arguments = type == QueueType.Quorum ? [new Argument("x-queue-type", ArgumentValue.Of("quorum"))] : [];
        Durable.Session.Queue(name, durable: !IsTransient, arguments: arguments);
        if (settings is not null) Configure(name, settings);
    }

    public void Configure(string name, QueueSettings settings)
    {
        _settings[name] = settings;
        Ask(new QueueCommand(QueueCommandKind.Configure, this[name], Settings: settings));
        Settle();
    }

    public static Message MessageOf(int number, int size = 10, byte? priority = null, bool isPersistent = true, string key = "", string routingKey = "q")
    {
        byte[] body = new byte[Math.Max(size, sizeof(int))];
        BitConverter.TryWriteBytes(body, number);
        Message message = Message.Rent(new NotedFormat(), [], Encoding.UTF8.GetBytes(routingKey), NotedFormat.Properties(key), body.Length);
        message.AppendBody(body, body.Length);
        (message.IsPersistent, message.Priority) = (isPersistent, priority);
        return message;
    }

    /// <summary>Publishes; what the publisher is told.</summary>
    public Outcome Publish(
        int number, long? expirationMs = null, int size = 10, byte? priority = null, bool isPersistent = true, string key = "", string queue = "q")
    {
        Message message = MessageOf(number, size, priority, isPersistent, key, queue);
        message.ArrivedAtMs = NowMs;
        if (expirationMs is { } ms) message.ExpiresAtMs = NowMs + ms;
        Run(new QueueCommand(QueueCommandKind.Enqueue, this[queue], message, new PublishReceipt(_sink, _publications++)));
        Settle();
        return _sink.Settled[^1].Outcome;
    }

    /// <summary>Takes a message, whatever has to be read for it; null when there is none.</summary>
    public Taken? Get(string queue = "q", bool isSettled = false)
    {
        while (true)
        {
            QueueCommandFlags flags = isSettled ? QueueCommandFlags.Settled : QueueCommandFlags.None;
            QueueAnswer answer = Ask(new QueueCommand(QueueCommandKind.Get, this[queue], Flags: flags));
            if (answer.Status == QueueAnswerStatus.OnDisk)
            {
                Settle();
                continue;
            }
            if (answer.Message is not { } message) return null;
            var taken = new Taken(
                DurableBench.NumberOf(message), answer.Delivery, answer.IsRedelivered, answer.DeliveryCount, answer.Sequence, string.Join(",", NotedFormat.DeathsOf(message)));
            message.Release();
            Settle();
            return taken;
        }
    }

    public List<Taken> GetAll(string queue = "q")
    {
        List<Taken> all = [];
        while (Get(queue, isSettled: true) is { } taken) all.Add(taken);
        return all;
    }

    public List<int> Numbers(string queue = "q") => [.. GetAll(queue).Select(taken => taken.Number)];

    public void Settle(DeliveryId id, Outcome outcome, string queue = "q", Message? replacement = null)
    {
        Run(new QueueCommand(QueueCommandKind.Settle, this[queue], replacement, Delivery: id, Outcome: outcome));
        Settle();
    }

    public QueueConsumer Consume(FakeConsumer output, int prefetch = 0, long priority = 0, long? timeoutMs = null, bool noAck = false, string queue = "q")
    {
        var consumer = new QueueConsumer(this[queue], output) { PrefetchCount = prefetch, Priority = priority, TimeoutMs = timeoutMs, NoAck = noAck };
        Begin(consumer);
        return consumer;
    }

    /// <summary>Lets a consumer have what it can get.</summary>
    public void Begin(QueueConsumer consumer)
    {
        Ask(new QueueCommand(QueueCommandKind.Consume, consumer.Queue, Consumer: consumer));
        Run(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
        Settle();
    }

    public void Cancel(QueueConsumer consumer)
    {
        Ask(new QueueCommand(QueueCommandKind.Cancel, consumer.Queue, Consumer: consumer));
        Settle();
    }

    public QueueAnswer Ask(in QueueCommand command) => Durable.Session.Commands.Ask(in command);

    public void Run(in QueueCommand command)
    {
        Durable.Session.Commands.Add(in command);
        Durable.Session.Commands.Run();
    }

    /// <summary>Lets time pass, and what is due happen. Reading takes no time.</summary>
    public void Advance(long ms)
    {
        for (long left = ms; left > 0; left -= StepMs)
        {
            Durable.Clock.Advance(TimeSpan.FromMilliseconds(Math.Min(left, StepMs)));
            Settle();
        }
    }

    /// <summary>Moves everything to disk.</summary>
    public void Checkpoint()
    {
        Durable.Checkpoint();
        Settle();
    }

    public void Restart(bool withCheckpoint = false)
    {
        Durable.Restart(withCheckpoint);
        foreach ((string name, QueueSettings settings) in _settings) Configure(name, settings);
        Settle();
    }

    /// <summary>Reads what is to be read, and does what is due at once.</summary>
    public void Settle()
    {
        do Durable.Clock.Advance(TimeSpan.Zero);
        while (Durable.ReadBack());
    }
}

/// <summary>What somebody got.</summary>
internal sealed record Taken(int Number, DeliveryId Id, bool IsRedelivered, int DeliveryCount, ulong Sequence, string Deaths);
