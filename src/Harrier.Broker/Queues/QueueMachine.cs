using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// A queue: messages in order, consumers with credit, deliveries that wait for their settlement. Pure: commands and the time in, effects out; no I/O, no clock,
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
    private bool _endsWhenEmpty;

    /// <summary>A queue to which certain settings apply.</summary>
    internal QueueMachine(QueueSettings settings) => Settings = settings;

    public int ReadyCount => _ready.Count;

    /// <summary>Bytes of the bodies of ready messages.</summary>
    public long ReadyBytes => _ready.BodyBytes;

    public int UnackedCount => _unacked.Count + _held.Count;

    public int ConsumerCount => _consumers.Count;

    /// <summary>Deliveries to consumers since the queue exists.</summary>
    public long DeliveredCount { get; private set; }

    /// <summary>Whether the queue has ended. Whatever is asked of it from then on has no effect.</summary>
    public bool IsDeleted { get; private set; }

    /// <summary>Whether nothing is delivered until the pause ends.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>Whether there are consumers who do not keep up. What is left by those with a filter may be nobody's.</summary>
    public bool IsBackedUp => _ready.Count > BackedUpCount && _consumers.Count > _filteringCount;

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
            if (_unread.Count > 0) ReadLeaving(command.Queue, effects);
            if (_endsWhenEmpty && IsEmpty && !IsDeleted) EndByItself(command.Queue, effects);
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
            default: CarryOperation(in command, effects); break;
        }
    }

    private void CarryOperation(in QueueCommand command, QueueEffects effects)
    {
        switch (command.Kind)
        {
            case QueueCommandKind.Tick: Tick(command.Queue, effects); break;
            case QueueCommandKind.Depart: Depart(command.Queue, command.Sequence, effects); break;
            case QueueCommandKind.Retain: Retain(command.Queue, command.Sequence, effects); break;
            case QueueCommandKind.Detach: Detach(in command, effects); break;
            case QueueCommandKind.Touch: Touch(command.Queue, effects); break;
            case QueueCommandKind.Configure: Configure(in command, effects); break;
            case QueueCommandKind.Pause: Pause(command.Queue, isPaused: true, effects); break;
            case QueueCommandKind.Unpause: Pause(command.Queue, isPaused: false, effects); break;
            case QueueCommandKind.Suspend: Suspend(command.Queue, command.Consumer!, effects); break;
            case QueueCommandKind.Adopt: Adopt(command.Consumer!, effects); break;
            case QueueCommandKind.Abandon: Abandon(command.Queue, (long)command.Sequence, effects); break;
            case QueueCommandKind.EndWhenEmpty: _endsWhenEmpty = true; break;
            case QueueCommandKind.StayWhenEmpty: _endsWhenEmpty = false; break;
            case QueueCommandKind.Credit: GrantCredit(in command, effects); break;
        }
    }

    private void Enqueue(in QueueCommand command, QueueEffects effects)
    {
        Queue queue = command.Queue;
        Message message = command.Message!;
        if (message.ArrivedAtMs == 0) message.ArrivedAtMs = effects.NowMs; // nobody has noted it: the first queue does
        bool isLogged = IsLoggedIn(queue, message);
        bool isWanted = _settings.Deduplication is null || IsNew(message, effects.NowMs);
        bool isRefused = isWanted && _isRefusing && (command.Flags & QueueCommandFlags.Unconditional) == QueueCommandFlags.None && !HasRoomFor(1, message.BodySize);
        if (!isWanted || isRefused)
        {
            if (isRefused) Refuse(queue, message, effects);
            message.Release();
            effects.Settle(command.Receipt, isRefused ? Outcome.Rejected : Outcome.Accepted); // a duplicate is confirmed
            return;
        }
        if (_settings.Deduplication is not null) Remember(queue, message, isLogged, effects);
        var entry = new QueueEntry(message, _nextSequence++, isLogged, LaneOf(message));
        if (isLogged) effects.Log!.Enqueued(queue, in entry);
        _ready.Add(in entry);
        if (_searches is not null) NoteReady(in entry);
        effects.Settle(command.Receipt, Outcome.Accepted);
        if (_isBounded || entry.ExpiresAtMs != 0) Admit(queue, in entry, effects);
        else Dispatch(queue, effects);
        if (IsBackedUp) effects.BackedUp = queue;
    }

    // A quorum queue keeps everything, whatever its publisher asked for (note 74).
    private static bool IsLoggedIn(Queue queue, Message message) => queue.IsLogged && (message.IsPersistent || queue.Definition.Type == QueueType.Quorum);

    private void Consume(QueueConsumer consumer, QueueEffects effects)
    {
        if (consumer.IsBrowsing)
        {
            _ring.Register(consumer);
            BeginSearch(consumer);
            effects.Answer = new QueueAnswer(QueueAnswerStatus.Done);
            return;
        }
        bool wantsAll = consumer.IsExclusive;
        bool inTheWay = (_consumers.Count > 0 && (wantsAll || _consumers[0].IsExclusive)) || (wantsAll && _settings.HasSingleActiveConsumer);
        if (!inTheWay)
        {
            _consumers.Add(consumer);
            _ring.Register(consumer);
            if (consumer.Filter is not null) BeginSearch(consumer);
            _suspended?.Remove(consumer.Holder);
            if (_settings.HasSingleActiveConsumer) ChooseActive(consumer.Queue);
            _lastUsedAtMs = effects.NowMs;
        }
        effects.Answer = new QueueAnswer(inTheWay ? QueueAnswerStatus.ExclusiveUse : QueueAnswerStatus.Done);
    }

    private void Resume(QueueConsumer consumer, QueueEffects effects)
    {
        if (!consumer.IsRegistered) return; // cancelled meanwhile
        consumer.IsActive = true;
        AddToRing(consumer);
        Dispatch(consumer.Queue, effects);
    }

    private void Cancel(in QueueCommand command, QueueEffects effects)
    {
        Queue queue = command.Queue;
        bool wasThere = _consumers.Remove(command.Consumer!);
        Retire(command.Consumer!);
        if (wasThere && command.Consumer!.UnackedCount > 0) _cancelled.Add(command.Consumer);
        bool ends = wasThere && !IsUsed && queue.Definition.IsAutoDelete;
        if (ends) End(queue, effects);
        else
        {
            Touch(queue, effects);
            if (_settings.HasSingleActiveConsumer)
            {
                ChooseActive(queue);
                Dispatch(queue, effects);
            }
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, HasEnded: ends);
    }

    private void Get(in QueueCommand command, QueueEffects effects)
    {
        Queue queue = command.Queue;
        Touch(queue, effects);
        bool isExpired = !TryDropExpiredHeads(queue, effects);
        if (_ready.Count == 0 || IsPaused || isExpired)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.Empty);
            return;
        }
        Lane lane = _ready.First;
        if (!lane.CanTake)
        {
            effects.Answer = new QueueAnswer(QueueAnswerStatus.OnDisk, Load: Load(queue, lane, effects));
            return;
        }
        QueueEntry entry = lane.Take();
        DeliveryId id = default;
        if ((command.Flags & QueueCommandFlags.Settled) != QueueCommandFlags.None) Forget(queue, in entry, effects);
        else
        {
            id = _unacked.Add(entry with { Message = Kept(in entry) }, consumer: null, effects.NowMs);
            if (Kept(in entry) is { } kept) kept.AddReferences(1); // the asker's: the queue may end before the message is written
            MarkDelivered(queue, lane, entry.Sequence, effects);
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, _ready.Count, entry.Message, id, entry.AcquiredCount, entry.DeliveryCount, Sequence: entry.Sequence);
    }

    private void Purge(Queue queue, QueueEffects effects)
    {
        if (queue.IsLogged && _ready.Count > 0) effects.Log!.Purged(queue, _nextSequence, lane: null, Unready());
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, _ready.Clear());
        _expiries.Clear();
    }

    private void Loaded(BacklogLoad load, QueueEffects effects)
    {
        switch (load.Kind)
        {
            case BacklogLoadKind.Browse: return;
            case BacklogLoadKind.Leaving: LeavingLoaded(load, effects); return;
            case BacklogLoadKind.Times: TimesLoaded(load, effects); return;
            case BacklogLoadKind.Search: SearchLoaded(load, effects); return;
        }
        load.IsWanted = _ready[load.Lane].FinishLoad(load);
        if (!load.IsWanted) return;
        if (load.Failure is not null)
        {
            Dispatch(load.Queue, effects); // nobody gets what comes next; who waits for it is told
            return;
        }
        if (_searches is not null && load.Run is null)
            foreach (QueueEntry entry in load.Entries) NoteReady(in entry);
        foreach (QueueEntry entry in load.Entries)
            if (entry.ExpiresAtMs != 0 && _ready[load.Lane].IsInMemory(entry.Sequence)) Schedule(in entry);
        if (_isBounded || _mayExpire) Tick(load.Queue, effects);
        Dispatch(load.Queue, effects);
    }

    private void Delete(in QueueCommand command, QueueEffects effects)
    {
        if ((command.Flags & QueueCommandFlags.IfUnused) != QueueCommandFlags.None && IsUsed)
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

    private void Pause(Queue queue, bool isPaused, QueueEffects effects)
    {
        if (queue.IsLogged && isPaused != IsPaused) effects.Log!.Paused(queue, isPaused);
        IsPaused = isPaused;
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done);
        Dispatch(queue, effects);
    }

    private void Retire(QueueConsumer consumer)
    {
        consumer.IsActive = false;
        if (consumer.IsDraining) _draining.Remove(consumer);
        _ring.Unregister(consumer);
        if (consumer.Search is not null) EndSearch(consumer);
    }

    private bool IsEmpty => _ready.Count == 0 && _unacked.Count == 0 && _aside.Count == 0 && _held.Count == 0;

    private void EndByItself(Queue queue, QueueEffects effects)
    {
        End(queue, effects);
        effects.Ended.Add(queue);
    }

    private int End(Queue queue, QueueEffects effects)
    {
        IsDeleted = true;
        if (queue.IsLogged) effects.Log!.Ended(queue);
        foreach (QueueConsumer consumer in _consumers) Retire(consumer);
        OrphanBrowsing(effects);
        effects.Orphaned.AddRange(_consumers);
        _consumers.Clear();
        _cancelled.Clear();
        _unacked.Clear();
        ForgetAside();
        return _ready.Clear();
    }

    /// <summary>A queue that has ended still accepts what was routed to it before (note 70), and answers everyone else that it is gone.</summary>
    private static void ApplyAfterEnd(in QueueCommand command, QueueEffects effects)
    {
        if (command.Kind == QueueCommandKind.Enqueue)
        {
            command.Message!.Release();
            effects.Settle(command.Receipt, Outcome.Accepted);
        }
        else if (command.Kind == QueueCommandKind.Settle) command.Message?.Release();
        if (command.Load is { Kind: not BacklogLoadKind.Browse } load) load.Discard();
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Deleted);
    }
}
