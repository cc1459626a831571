using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// A queue: messages in order, consumers with credit, deliveries that wait for their settlement. Pure: commands in, effects out; no I/O, no clock,
/// no chance, no threads. Owned by its shard; the counts may be read from anywhere.
/// </summary>
public sealed class QueueMachine
{
    /// <summary>Messages behind which a queue with consumers counts as backed up.</summary>
    public const int BackedUpCount = 100;

    private readonly ReadyMessages _ready = new();
    private readonly UnackedMessages _unacked = new();
    private readonly ConsumerRing _ring = new();
    private readonly List<QueueConsumer> _consumers = [];
    private ulong _nextSequence = 1;

    public int ReadyCount => _ready.Count;

    public int UnackedCount => _unacked.Count;

    public int ConsumerCount => _consumers.Count;

    /// <summary>Deliveries to consumers since the queue exists.</summary>
    public long DeliveredCount { get; private set; }

    /// <summary>Whether the queue has ended. Whatever is asked of it from then on has no effect.</summary>
    public bool IsDeleted { get; private set; }

    /// <summary>Whether there are consumers who do not keep up.</summary>
    public bool IsBackedUp => _ready.Count > BackedUpCount && _consumers.Count > 0;

    /// <summary>Carries out one command.</summary>
    public void Apply(in QueueCommand command, QueueEffects effects)
    {
        if (IsDeleted)
        {
            ApplyAfterEnd(in command, effects);
            return;
        }
        switch (command.Kind)
        {
            case QueueCommandKind.Enqueue: Enqueue(in command, effects); break;
            case QueueCommandKind.Settle: Settle(in command, effects); break;
            case QueueCommandKind.Consume: Consume(command.Consumer!, effects); break;
            case QueueCommandKind.Resume: Resume(command.Consumer!, effects); break;
            case QueueCommandKind.Cancel: Cancel(in command, effects); break;
            case QueueCommandKind.Get: Get(in command, effects); break;
            case QueueCommandKind.Purge: effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, DropReady()); break;
            case QueueCommandKind.Delete: Delete(in command, effects); break;
            case QueueCommandKind.Continue: Dispatch(command.Queue, effects); break;
        }
    }

    private void Enqueue(in QueueCommand command, QueueEffects effects)
    {
        _ready.Add(new QueueEntry(command.Message!, _nextSequence++, WasDelivered: false));
        if (command.Receipt.Sink is not null) effects.Accepted.Add(command.Receipt);
        Dispatch(command.Queue, effects);
        if (IsBackedUp) effects.BackedUp = command.Queue;
    }

    private void Settle(in QueueCommand command, QueueEffects effects)
    {
        QueueEntry entry = _unacked.Remove(command.Delivery, out QueueConsumer? consumer);
        if (command.Outcome == Outcome.Released) _ready.Return(in entry);
        else entry.Message.Release();

        if (consumer is not null)
        {
            consumer.UnackedCount--;
            if (consumer.IsActive) _ring.Add(consumer);
        }
        Dispatch(command.Queue, effects);
    }

    private void Consume(QueueConsumer consumer, QueueEffects effects)
    {
        bool inTheWay = _consumers.Count > 0 && (consumer.IsExclusive || _consumers[0].IsExclusive);
        if (!inTheWay)
        {
            _consumers.Add(consumer);
            _ring.Register(consumer);
        }
        effects.Answer = new QueueAnswer(inTheWay ? QueueAnswerStatus.ExclusiveUse : QueueAnswerStatus.Done);
    }

    private void Resume(QueueConsumer consumer, QueueEffects effects)
    {
        if (!consumer.IsRegistered) return; // cancelled meanwhile
        consumer.IsActive = true;
        _ring.Add(consumer);
        Dispatch(consumer.Queue, effects);
    }

    private void Cancel(in QueueCommand command, QueueEffects effects)
    {
        bool wasThere = _consumers.Remove(command.Consumer!);
        Retire(command.Consumer!);
        bool ends = wasThere && _consumers.Count == 0 && command.Queue.Definition.IsAutoDelete;
        if (ends) End(effects);
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, HasEnded: ends);
    }

    private void Get(in QueueCommand command, QueueEffects effects)
    {
        if (_ready.Count == 0)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.Empty);
            return;
        }
        QueueEntry entry = _ready.Take();
        DeliveryId id = default;
        if ((command.Flags & QueueCommandFlags.Settled) == QueueCommandFlags.None)
        {
            id = _unacked.Add(in entry, consumer: null);
            entry.Message.AddReferences(1); // the asker's: the queue may end before the message is written
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, _ready.Count, entry.Message, id, entry.WasDelivered);
    }

    private void Delete(in QueueCommand command, QueueEffects effects)
    {
        if ((command.Flags & QueueCommandFlags.IfUnused) != QueueCommandFlags.None && _consumers.Count > 0)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.InUse);
            return;
        }
        if ((command.Flags & QueueCommandFlags.IfEmpty) != QueueCommandFlags.None && _ready.Count > 0)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.NotEmpty);
            return;
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, End(effects));
    }

    /// <summary>Gives ready messages to consumers while both are there.</summary>
    private void Dispatch(Queue queue, QueueEffects effects)
    {
        while (_ready.Count > 0)
        {
            if (!effects.HasRoomForDelivery)
            {
                effects.Unfinished.Add(queue);
                return;
            }
            if (!_ring.TryTake(out QueueConsumer? consumer)) return;
            if (!consumer.Output.HasRoom)
            {
                consumer.IsActive = false;
                effects.AwaitingRoom.Add(consumer);
                continue;
            }
            Deliver(consumer, effects);
            if (consumer.HasCredit) _ring.Add(consumer);
        }
    }

    private void Deliver(QueueConsumer consumer, QueueEffects effects)
    {
        QueueEntry entry = _ready.Take();
        DeliveredCount++;
        DeliveryId id = default;
        if (!consumer.NoAck)
        {
            id = _unacked.Add(in entry, consumer);
            consumer.UnackedCount++;
        }
        effects.Deliver(new Delivery(consumer, entry.Message, id, entry.WasDelivered, consumer.NoAck));
    }

    private void Retire(QueueConsumer consumer)
    {
        consumer.IsActive = false;
        _ring.Unregister(consumer);
    }

    private int DropReady()
    {
        int count = _ready.Count;
        while (_ready.Count > 0) _ready.Take().Message.Release();
        return count;
    }

    private int End(QueueEffects effects)
    {
        IsDeleted = true;
        foreach (QueueConsumer consumer in _consumers) Retire(consumer);
        effects.Orphaned.AddRange(_consumers);
        _consumers.Clear();
        _unacked.Clear();
        return DropReady();
    }

    /// <summary>A queue that has ended still accepts what was routed to it before (note 70), and answers everyone else that it is gone.</summary>
    private static void ApplyAfterEnd(in QueueCommand command, QueueEffects effects)
    {
        if (command.Kind == QueueCommandKind.Enqueue)
        {
            command.Message!.Release();
            if (command.Receipt.Sink is not null) effects.Accepted.Add(command.Receipt);
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Deleted);
    }
}
