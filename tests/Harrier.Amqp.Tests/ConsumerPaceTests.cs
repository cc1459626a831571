using Harrier.Amqp.Transport;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.Tests;

/// <summary>When publishers nap so that deliveries go first.</summary>
public sealed class ConsumerPaceTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private readonly OneAtATime _consumer = new();
    private readonly NapCounter _naps;
    private readonly ConsumerPace _pace;
    private readonly CommandBatch _commands;
    private readonly Queue _queue;

    public ConsumerPaceTests()
    {
        _naps = new NapCounter(_server.Clock);
        _pace = new ConsumerPace(_naps);
        _server.Declare("q");
        _queue = _server.Queue("q");
        ClientSession session = _server.Session();
        _commands = session.Commands;
        var consumer = new QueueConsumer(_queue, _consumer) { PrefetchCount = 1 };
        session.Consume(consumer);
        _commands.Add(new QueueCommand(QueueCommandKind.Resume, _queue, Consumer: consumer));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_long_queue_is_worth_a_nap_while_its_consumer_works()
    {
        Publish(5_010);
        await _pace.LetCatchUpAsync(_commands);
        _naps.Count.ShouldBe(1, "nothing was delivered meanwhile");

        Publish(1);
        await _pace.LetCatchUpAsync(_commands);
        _naps.Count.ShouldBe(1, "the consumer stands still");

        _commands.Add(new QueueCommand(QueueCommandKind.Settle, _queue, Delivery: _consumer.Last));
        Publish(1);
        await _pace.LetCatchUpAsync(_commands);
        _naps.Count.ShouldBe(2, "it has taken one since the last look");
    }

    [Fact]
    public async Task A_short_queue_is_not()
    {
        Publish(5_000);
        await _pace.LetCatchUpAsync(_commands);
        _naps.Count.ShouldBe(0);
    }

    private void Publish(int count)
    {
        for (int i = 0; i < count; i++) _commands.Add(new QueueCommand(QueueCommandKind.Enqueue, _queue, Message.Rent(MessageFormat091.Instance, default, "q"u8, default, 0)));
        _commands.Run();
        _commands.BackedUp.ShouldBe(_queue);
    }

    private sealed class OneAtATime : IConsumer
    {
        public DeliveryId Last { get; private set; }

        public bool HasRoom => true;

        public void Deliver(ReadOnlySpan<Delivery> deliveries) => Last = deliveries[^1].Id;

        public void Flush()
        {
        }

        public bool AwaitRoom() => false;

        public void OnOverdue(DeliveryId delivery, long timeoutMs)
        {
        }

        public void OnQueueDeleted()
        {
        }
    }

    private sealed class NapCounter(TimeProvider clock) : TimeProvider
    {
        public int Count { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Count++;
            return clock.CreateTimer(callback, state, dueTime, period);
        }
    }
}
