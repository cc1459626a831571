using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Tests.Queues;

/// <summary>Drives a machine without a shard, carrying out its effects in the simplest way.</summary>
internal sealed class BareDriver : IQueueDriver
{
    private readonly QueueEffects _effects = new();

    public QueueAnswer Apply(in QueueCommand command)
    {
        command.Queue.Machine.Apply(in command, _effects);
        QueueAnswer answer = _effects.Answer;
        while (_effects.Deliveries.Length + _effects.AwaitingRoom.Count + _effects.Unfinished.Count > 0) CarryOut();
        foreach (QueueConsumer orphan in _effects.Orphaned) orphan.Output.OnQueueDeleted();
        _effects.Orphaned.Clear();
        foreach ((PublishReceipt receipt, Outcome outcome) in _effects.Receipts) receipt.Sink!.OnSettled(receipt.Number, outcome);
        _effects.Receipts.Clear();
        return answer;
    }

    private void CarryOut()
    {
        foreach (Delivery delivery in _effects.Deliveries)
        {
            delivery.Consumer.Output.Deliver([delivery]);
            delivery.Consumer.Output.Flush();
            if (delivery.IsSettled) delivery.Message.Release();
        }
        _effects.ClearDeliveries();
        QueueConsumer[] awaiting = [.. _effects.AwaitingRoom];
        _effects.AwaitingRoom.Clear();
        foreach (QueueConsumer consumer in awaiting)
        {
            if (!consumer.Output.AwaitRoom())
                consumer.Queue.Machine.Apply(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer), _effects);
        }
        Queue[] unfinished = [.. _effects.Unfinished];
        _effects.Unfinished.Clear();
        foreach (Queue queue in unfinished) queue.Machine.Apply(new QueueCommand(QueueCommandKind.Continue, queue), _effects);
    }
}

/// <summary>Drives a queue through its shard, as a session does.</summary>
internal sealed class BatchDriver : IQueueDriver
{
    private readonly CommandBatch _batch = new();

    public QueueAnswer Apply(in QueueCommand command)
    {
        if (command.Kind is not (QueueCommandKind.Enqueue or QueueCommandKind.Settle or QueueCommandKind.Resume)) return _batch.Ask(in command);
        _batch.Add(in command);
        _batch.Run();
        return default;
    }
}
