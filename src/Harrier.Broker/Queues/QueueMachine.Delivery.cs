using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>How ready messages get to consumers, and what comes back from them.</summary>
public sealed partial class QueueMachine
{
    // Consumers that were cancelled and have something unacked.
    private readonly List<QueueConsumer> _cancelled = [];

    private readonly List<QueueConsumer> _draining = [];
    private QueueConsumer? _single;
    private bool _isHandingOver;

    /// <summary>Gives ready messages to consumers while both are there; who drains its credit has it used up by what finds none.</summary>
    private void Dispatch(Queue queue, QueueEffects effects)
    {
        GiveOut(queue, effects);
        if (_searches is not null) RunSearches(queue, effects);
        if (_draining.Count > 0) EndDrains(effects);
    }

    private void GiveOut(Queue queue, QueueEffects effects)
    {
        if (!TryDropExpiredHeads(queue, effects)) return;
        while (_ready.Count > 0 && !IsPaused)
        {
            if (!effects.HasRoomForDelivery)
            {
                effects.Unfinished.Add(queue);
                return;
            }
            Lane lane = _ready.First;
            if (_mayExpire && lane.CanTake && IsExpired(lane.Peek(), effects.NowMs))
            {
                if (!TryDropExpiredHeads(queue, effects)) return;
                continue;
            }
            if (!_ring.TryTake(out QueueConsumer? consumer)) return;
            if (!consumer.Output.HasRoom)
            {
                consumer.IsActive = false;
                effects.AwaitingRoom.Add(consumer);
                continue;
            }
            if (!lane.CanTake)
            {
                _ring.Add(consumer);
                if (Load(queue, lane, effects).Failure is not null) effects.Unreadable.Add(consumer);
                return;
            }
            Deliver(consumer, lane, effects);
            if (consumer.HasCredit) AddToRing(consumer);
            if (lane.WantsLoad) Load(queue, lane, effects);
        }
    }

    private void Deliver(QueueConsumer consumer, Lane lane, QueueEffects effects)
    {
        QueueEntry entry = lane.Take();
        if (!consumer.NoAck) MarkDelivered(consumer.Queue, lane, entry.Sequence, effects);
        Hand(consumer, in entry, effects);
    }

    private void Hand(QueueConsumer consumer, in QueueEntry entry, QueueEffects effects)
    {
        DeliveredCount++;
        consumer.DeliveryCount++;
        DeliveryId id = default;
        Message? kept = null;
        if (consumer.NoAck) Forget(consumer.Queue, in entry, effects);
        else
        {
            kept = Kept(in entry);
            if (consumer.UnackedCount++ == 0 && TimeoutOf(consumer) is { } timeoutMs) effects.Alarms?.Set(consumer.Queue, effects.NowMs + timeoutMs);
            id = _unacked.Add(entry with { Message = kept }, consumer, effects.NowMs);
            if (consumer.Holder != 0 && entry.IsLogged) LogHeld(consumer, in entry, effects);
        }
        effects.Deliver(new Delivery(
            consumer, entry.Message!, id, entry.AcquiredCount, entry.DeliveryCount, consumer.NoAck, IsHandedOver: kept is null,
            entry.Sequence));
    }

    // The delivery is known to its terminus by how often the message was given out before, so a restart has to find that as it was.
    private static void LogHeld(QueueConsumer consumer, in QueueEntry entry, QueueEffects effects)
    {
        if (entry.WasDelivered) effects.Log!.Returned(consumer.Queue, in entry, readyAtMs: 0);
        effects.Log!.Held(consumer.Queue, in entry, consumer.Holder);
    }

    // What stands on disk is read again if it ever comes back: a client that takes and never acknowledges would pull all of a backlog into memory.
    private static Message? Kept(in QueueEntry entry) => entry.Stored.File is null ? entry.Message : null;

    private void Settle(in QueueCommand command, QueueEffects effects)
    {
        Queue queue = command.Queue;
        if (!_unacked.TryRemove(command.Delivery, out QueueEntry entry, out QueueConsumer? consumer))
        {
            command.Message?.Release();
            return; // its lease had ended
        }
        if (command.Message is { } replacement) entry = Replace(queue, in entry, replacement, effects);
        switch (command.Outcome)
        {
            case Outcome.Accepted:
                Forget(queue, in entry, effects);
                entry.Message?.Release();
                break;
            case Outcome.Rejected: Leave(queue, in entry, DeathReason.Rejected, effects); break;
            default: Return(queue, in entry, command.Outcome == Outcome.Failed, effects); break;
        }
        if (consumer is not null) GiveCredit(queue, consumer);
        Dispatch(queue, effects);
    }

    /// <summary>Strikes a message out for good. The message itself is left to whoever has it now.</summary>
    private static void Forget(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        if (entry.IsLogged) effects.Log!.Settled(queue, in entry);
        entry.Stored.Release();
    }

    /// <summary>Puts a message back, unless it was delivered in vain too often or its time is up; at once or, when the queue asks for it, later.</summary>
    private void Return(Queue queue, in QueueEntry entry, bool isFailure, QueueEffects effects)
    {
        QueueEntry returned = entry with { AcquiredCount = entry.AcquiredCount + 1, DeliveryCount = entry.DeliveryCount + (isFailure ? 1 : 0) };
        if (_settings.DeliveryLimit is { } limit && returned.DeliveryCount > limit)
        {
            Leave(queue, in returned, DeathReason.DeliveryLimit, effects);
            return;
        }
        if (_mayExpire && IsExpired(in returned, effects.NowMs))
        {
            Leave(queue, in returned, DeathReason.Expired, effects);
            return;
        }
        long readyAtMs = RetryDelayMs(in returned, isFailure) is { } delayMs ? effects.NowMs + delayMs : 0;
        if (entry.IsLogged) effects.Log!.Returned(queue, in returned, readyAtMs);
        if (readyAtMs != 0) Postpone(queue, in returned, readyAtMs, effects);
        else Resurface(queue, in returned, effects);
    }

    /// <summary>Puts a message back in its place.</summary>
    private void Resurface(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        _ready.Return(in entry);
        if (_searches is not null) NoteReady(in entry);
        if (entry.ExpiresAtMs != 0) Schedule(in entry);
        if (_isBounded || _mayExpire) Constrain(queue, effects);
        WakeFor(queue, in entry, effects); // while it was out, the queue may have been woken for others and not for this one
    }

    private long? RetryDelayMs(in QueueEntry returned, bool isFailure)
    {
        bool isDelayed = _settings.DelayedRetry switch
        {
            DelayedRetry.All => true,
            DelayedRetry.Failed => isFailure,
            DelayedRetry.Returned => !isFailure,
            _ => false,
        };
        int count = Math.Max(1, isFailure ? returned.DeliveryCount : returned.AcquiredCount);
        return isDelayed ? Math.Min(_settings.DelayedRetryMinMs * count, _settings.DelayedRetryMaxMs) : null;
    }

    private void GiveCredit(Queue queue, QueueConsumer consumer)
    {
        if (--consumer.UnackedCount == 0)
        {
            if (!consumer.IsRegistered) _cancelled.Remove(consumer);
            if (_settings.HasSingleActiveConsumer) ChooseActive(queue);
        }
        if (consumer.IsActive) AddToRing(consumer);
    }

    private void GrantCredit(in QueueCommand command, QueueEffects effects)
    {
        QueueConsumer consumer = command.Consumer!;
        if (!consumer.IsRegistered) return;
        consumer.CreditLimit = (uint)command.Sequence;
        bool drains = (command.Flags & QueueCommandFlags.Drain) != QueueCommandFlags.None;
        if (drains && !consumer.IsDraining) _draining.Add(consumer);
        else if (!drains && consumer.IsDraining) _draining.Remove(consumer);
        consumer.IsDraining = drains;
        if (consumer.IsActive) AddToRing(consumer);
        Dispatch(command.Queue, effects);
    }

    // While messages are there and have not been given out, the peer does not read or the disk is read: the drain goes on then. What cannot be read nobody is to wait for.
    private void EndDrains(QueueEffects effects)
    {
        for (int i = _draining.Count - 1; i >= 0; i--)
        {
            QueueConsumer consumer = _draining[i];
            bool mayGetMore = consumer.Search is { } search
                ? search is { IsAtEnd: false, HasFailed: false } && MaySearch(consumer)
                : _ready.Count > 0 && !_ready.First.StandsStill && !IsPaused && consumer.HasCredit && MayBeActive(consumer);
            if (mayGetMore) continue;
            _draining.RemoveAt(i);
            consumer.IsDraining = false;
            if (consumer.LinkCredit > 0) consumer.DeliveryCount = consumer.CreditLimit;
            effects.Drained.Add(consumer);
        }
    }

    private bool MayBeActive(QueueConsumer consumer) => !_settings.HasSingleActiveConsumer || (ReferenceEquals(consumer, _single) && !_isHandingOver);

    private void AddToRing(QueueConsumer consumer)
    {
        if (consumer.Search is null && MayBeActive(consumer)) _ring.Add(consumer);
    }

    /// <summary>
    /// Chooses the one consumer that gets everything (note 94): the first that came, on a quorum queue the first of the highest priority, which takes over
    /// when the one before it has nothing unacked any more.
    /// </summary>
    private void ChooseActive(Queue queue)
    {
        QueueConsumer? first = queue.Definition.Type == QueueType.Quorum ? _consumers.MaxBy(c => c.Priority) : _consumers.FirstOrDefault();
        bool stays = _single is { IsRegistered: true } current && (queue.Definition.Type == QueueType.Classic || current.Priority >= first!.Priority);
        if (stays)
        {
            if (_isHandingOver && _single is { IsActive: true, HasCredit: true, Search: null }) _ring.Add(_single); // who was to take over has gone
            _isHandingOver = false;
            return;
        }
        if (_single is { IsRegistered: true } replaced) _ring.Suspend(replaced);
        _isHandingOver = _single is { IsRegistered: true, UnackedCount: > 0 };
        if (_isHandingOver) return;
        _single = first;
        if (_single is { IsActive: true, Search: null }) _ring.Add(_single);
    }

    // Fresh messages leave their lane in order, so one number tells which of those that a restart finds had been given to somebody.
    private static void MarkDelivered(Queue queue, Lane lane, ulong sequence, QueueEffects effects)
    {
        if (sequence <= lane.DeliveredUpTo) return;
        lane.DeliveredUpTo = sequence;
        if (queue.IsLogged) effects.Log!.Delivered(queue, lane);
    }

    private static BacklogLoad Load(Queue queue, Lane lane, QueueEffects effects)
    {
        BacklogLoad load = lane.BeginLoad(queue, out bool isNew);
        if (isNew) effects.Loads.Add(load);
        return load;
    }

    // What is held for a terminus is its own, however long it takes: somebody else would be the second to get it (1.0 part 2, section 2.6.12).
    private long? TimeoutOf(QueueConsumer consumer) => consumer.Holder != 0 ? null : consumer.TimeoutMs ?? _settings.ConsumerTimeoutMs;

    /// <summary>Takes back what consumers have kept for too long (note 95): one delivery each, as if it had failed. Their channels live.</summary>
    private void EndLeases(Queue queue, ref int budget, QueueEffects effects)
    {
        if (_unacked.Count == 0) return;
        foreach (QueueConsumer consumer in _consumers.Concat(_cancelled).ToArray())
        {
            if (TimeoutOf(consumer) is not { } timeoutMs) continue;
            while (budget > 0 && _unacked.TryGetOldest(consumer, out DeliveryId id, out long givenAtMs) && givenAtMs + timeoutMs <= effects.NowMs)
            {
                budget--;
                _unacked.TryRemove(id, out QueueEntry entry, out _);
                Return(queue, in entry, isFailure: true, effects);
                GiveCredit(queue, consumer);
                effects.Overdue.Add((consumer, id, timeoutMs));
            }
        }
    }

    private long NextLeaseEndMs()
    {
        long nextMs = long.MaxValue;
        if (_unacked.Count == 0) return nextMs;
        foreach (QueueConsumer consumer in _consumers.Concat(_cancelled))
            if (TimeoutOf(consumer) is { } timeoutMs && _unacked.TryGetOldest(consumer, out _, out long givenAtMs)) nextMs = Math.Min(nextMs, givenAtMs + timeoutMs);
        return nextMs;
    }
}
