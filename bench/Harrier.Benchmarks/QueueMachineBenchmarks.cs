using BenchmarkDotNet.Attributes;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Benchmarks;

/// <summary>A message through one queue: enqueue, deliver, settle; through the session's batch and the shard, with a consumer that writes nothing.</summary>
public class QueueMachineBenchmarks
{
    private const int Messages = 500;

    private readonly CommandBatch _batch = new();
    private readonly NullConsumer _output = new();
    private Queue _queue = null!;

    [Params(false, true)]
    public bool Acked { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        var definition = new QueueDefinition("q", QueueType.Classic, IsDurable: true, IsExclusive: false, IsAutoDelete: false, ArgumentTable.Empty);
        _queue = new QueueFactory(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1)).Create("/", definition, QueueSettings.None, owner: null);
        var consumer = new QueueConsumer(_queue, _output) { NoAck = !Acked };
        _batch.Ask(new QueueCommand(QueueCommandKind.Consume, _queue, Consumer: consumer));
        _batch.Ask(new QueueCommand(QueueCommandKind.Resume, _queue, Consumer: consumer));
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public void EnqueueDeliverSettle()
    {
        for (int i = 0; i < Messages; i++)
        {
            Message message = Message.Rent(null!, default, "q"u8, [0, 0], 16);
            _batch.Add(new QueueCommand(QueueCommandKind.Enqueue, _queue, message));
        }
        _batch.Run();
        foreach (DeliveryId id in _output.Unsettled) _batch.Add(new QueueCommand(QueueCommandKind.Settle, _queue, Delivery: id));
        _batch.Run();
        _output.Unsettled.Clear();
    }

    private sealed class NullConsumer : IConsumer
    {
        public List<DeliveryId> Unsettled { get; } = [];

        public bool HasRoom => true;

        public void Deliver(ReadOnlySpan<Delivery> deliveries)
        {
            foreach (ref readonly Delivery delivery in deliveries)
                if (!delivery.IsSettled) Unsettled.Add(delivery.Id);
        }

        public void Flush()
        {
        }

        public bool AwaitRoom() => false;

        public void OnQueueDeleted()
        {
        }
    }
}
