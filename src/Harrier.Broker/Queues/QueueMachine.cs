using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// A queue: messages in order, consumers with credit, deliveries that wait for their settlement. Pure: commands in, effects out; no I/O, no clock,
/// no chance, no threads. Owned by its shard; the counts may be read from anywhere.
/// </summary>
public sealed partial class QueueMachine
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

    /// <summary>The highest sequence that was ever given to somebody.</summary>
    internal ulong DeliveredUpTo { get; private set; }

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
        FreshBytes before = _ready.FreshBytes;
        try
        {
            Carry(in command, effects);
        }
        finally
        {
            effects.Fresh += _ready.FreshBytes - before;
        }
    }

    private void Carry(in QueueCommand command, QueueEffects effects)
    {
        switch (command.Kind)
        {
            case QueueCommandKind.Enqueue: Enqueue(in command, effects); break;
            case QueueCommandKind.Settle: Settle(in command, effects); break;
            case QueueCommandKind.Consume: Consume(command.Consumer!, effects); break;
            case QueueCommandKind.Resume: Resume(command.Consumer!, effects); break;
            case QueueCommandKind.Cancel: Cancel(in command, effects); break;
            case QueueCommandKind.Get: Get(in command, effects); break;
            case QueueCommandKind.Purge: Purge(command.Queue, effects); break;
            case QueueCommandKind.Delete: Delete(in command, effects); break;
            case QueueCommandKind.Continue: Dispatch(command.Queue, effects); break;
            case QueueCommandKind.Loaded: Loaded(command.Load!, effects); break;
            case QueueCommandKind.Configure: command.Queue.Settings = command.Settings!; break;
        }
    }

    private void Enqueue(in QueueCommand command, QueueEffects effects)
    {
        Message message = command.Message!;
        bool isLogged = message.IsPersistent && command.Queue.IsLogged;
        if (isLogged) effects.Log!.Enqueued(command.Queue, _nextSequence, message);
        _ready.Add(new QueueEntry(message, _nextSequence++, IsLogged: isLogged));
        if (command.Receipt.Sink is not null) effects.Accepted.Add(command.Receipt);
        Dispatch(command.Queue, effects);
        if (IsBackedUp) effects.BackedUp = command.Queue;
    }

    private void Settle(in QueueCommand command, QueueEffects effects)
    {
        QueueEntry entry = _unacked.Remove(command.Delivery, out QueueConsumer? consumer);
        if (command.Outcome is Outcome.Released or Outcome.Failed) Return(command.Queue, in entry, effects);
        else
        {
            Forget(command.Queue, in entry, effects);
            entry.Message?.Release();
        }

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
        if (ends) End(command.Queue, effects);
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, HasEnded: ends);
    }

    private void Get(in QueueCommand command, QueueEffects effects)
    {
        if (_ready.Count == 0)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.Empty);
            return;
        }
        if (!_ready.CanTake)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.OnDisk, Load: Load(command.Queue, effects));
            return;
        }
        QueueEntry entry = _ready.Take();
        DeliveryId id = default;
        if ((command.Flags & QueueCommandFlags.Settled) != QueueCommandFlags.None) Forget(command.Queue, in entry, effects);
        else
        {
            id = _unacked.Add(entry with { Message = Kept(in entry) }, consumer: null);
            if (Kept(in entry) is { } kept) kept.AddReferences(1); // the asker's: the queue may end before the message is written
            MarkDelivered(command.Queue, entry.Sequence, effects);
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, _ready.Count, entry.Message, id, entry.WasDelivered);
    }

    private void Purge(Queue queue, QueueEffects effects)
    {
        if (queue.IsLogged && _ready.Count > 0)
            effects.Log!.Purged(queue, _nextSequence, [.. _unacked.Entries.Where(e => e.IsLogged).Select(e => e.Sequence)]);
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, _ready.Clear());
    }

    private void Loaded(BacklogLoad load, QueueEffects effects)
    {
        load.IsWanted = _ready.FinishLoad(load, DeliveredUpTo);
        if (load.IsWanted && load.Failure is null) Dispatch(load.Queue, effects);
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
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, End(command.Queue, effects));
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
            if (!_ready.CanTake)
            {
                _ring.Add(consumer);
                Load(queue, effects);
                return;
            }
            Deliver(consumer, effects);
            if (consumer.HasCredit) _ring.Add(consumer);
            if (_ready.WantsLoad) Load(queue, effects);
        }
    }

    private void Deliver(QueueConsumer consumer, QueueEffects effects)
    {
        QueueEntry entry = _ready.Take();
        DeliveredCount++;
        DeliveryId id = default;
        Message? kept = null;
        if (consumer.NoAck) Forget(consumer.Queue, in entry, effects);
        else
        {
            kept = Kept(in entry);
            id = _unacked.Add(entry with { Message = kept }, consumer);
            consumer.UnackedCount++;
            MarkDelivered(consumer.Queue, entry.Sequence, effects);
        }
        effects.Deliver(new Delivery(consumer, entry.Message!, id, entry.WasDelivered, consumer.NoAck, IsHandedOver: kept is null));
    }

    // What stands on disk is read again if it ever comes back: a client that takes and never acknowledges would pull all of a backlog into memory.
    private static Message? Kept(in QueueEntry entry) => entry.Stored.File is null ? entry.Message : null;

    /// <summary>Strikes a message out for good. The message itself is left to whoever has it now.</summary>
    private static void Forget(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        if (entry.IsLogged) effects.Log!.Settled(queue, entry.Sequence);
        entry.Stored.Release();
    }

    private void Return(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        QueueEntry returned = entry with { DeliveryCount = entry.DeliveryCount + 1 };
        if (entry.IsLogged) effects.Log!.Returned(queue, returned.Sequence, returned.DeliveryCount);
        _ready.Return(in returned);
    }

    // Fresh messages leave in order, so one number tells which of those that a restart finds had been given to somebody.
    private void MarkDelivered(Queue queue, ulong sequence, QueueEffects effects)
    {
        if (sequence <= DeliveredUpTo) return;
        DeliveredUpTo = sequence;
        if (queue.IsLogged) effects.Log!.Delivered(queue);
    }

    private BacklogLoad Load(Queue queue, QueueEffects effects)
    {
        BacklogLoad load = _ready.BeginLoad(queue, out bool isNew);
        if (isNew) effects.Loads.Add(load);
        return load;
    }

    private void Retire(QueueConsumer consumer)
    {
        consumer.IsActive = false;
        _ring.Unregister(consumer);
    }

    private int End(Queue queue, QueueEffects effects)
    {
        IsDeleted = true;
        if (queue.IsLogged) effects.Log!.Ended(queue);
        foreach (QueueConsumer consumer in _consumers) Retire(consumer);
        effects.Orphaned.AddRange(_consumers);
        _consumers.Clear();
        _unacked.Clear();
        return _ready.Clear();
    }

    /// <summary>A queue that has ended still accepts what was routed to it before (note 70), and answers everyone else that it is gone.</summary>
    private static void ApplyAfterEnd(in QueueCommand command, QueueEffects effects)
    {
        if (command.Kind == QueueCommandKind.Enqueue)
        {
            command.Message!.Release();
            if (command.Receipt.Sink is not null) effects.Accepted.Add(command.Receipt);
        }
        if (command.Load is { } load) load.Discard();
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Deleted);
    }
}
