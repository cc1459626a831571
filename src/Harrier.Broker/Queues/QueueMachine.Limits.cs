using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>What bounds a queue: time to live, length, disuse. Everything that can take long is done in portions, on ticks.</summary>
public sealed partial class QueueMachine
{
    // Messages that one tick removes at most, so that the shard is not held for long.
    private const int TickMax = 512;

    private readonly ExpiryHeap _expiries = new();
    private QueueSettings _settings = QueueSettings.None;
    private long _ttlMs = long.MaxValue;
    private bool _isBounded;
    private bool _isRefusing;
    private bool _mayExpire;
    private ulong _arriving;
    private long _lastUsedAtMs;

    /// <summary>What applies to the queue now.</summary>
    internal QueueSettings Settings
    {
        get => _settings;
        set
        {
            _settings = value;
            _ttlMs = value.MessageTtlMs ?? long.MaxValue;
            _mayExpire |= value.MessageTtlMs is not null;
            bool hasLimit = value.LengthMax is not null || value.BytesMax is not null;
            _isBounded = hasLimit || value.MessageTtlMs is not null;
            _isRefusing = hasLimit && value.Overflow != Overflow.DropHead;
        }
    }

    /// <summary>Whether it refuses messages for want of room.</summary>
    internal bool IsFull => _isRefusing && !HasRoomFor(1, 1);

    private void Configure(in QueueCommand command, QueueEffects effects)
    {
        bool isTimeNew = command.Settings!.ExpiresMs != _settings.ExpiresMs;
        Settings = command.Settings;
        if (isTimeNew) _lastUsedAtMs = effects.NowMs; // else a policy would end every queue that nobody has used lately
        Tick(command.Queue, effects);
    }

    private void Touch(Queue queue, QueueEffects effects)
    {
        _lastUsedAtMs = effects.NowMs;
        if (_settings.ExpiresMs is { } expiresMs) effects.Alarms?.Set(queue, effects.NowMs + expiresMs);
    }

    private byte LaneOf(Message message) =>
        _settings.PriorityMax == 0 ? (byte)0 : (byte)Math.Min(message.Priority ?? _settings.PriorityDefault, _settings.PriorityMax);

    /// <summary>Lets a message that has just joined be delivered, and then sees to the limits.</summary>
    private void Admit(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        if (entry.ExpiresAtMs != 0) Schedule(in entry);
        // A time to live of 0 means: at once or not at all (note 54). Everything before it has had its chance already.
        _arriving = _ready.Count == 1 ? entry.Sequence : 0;
        Dispatch(queue, effects);
        _arriving = 0;
        if (_ready.Count == 0) return;
        Constrain(queue, effects);
        WakeFor(queue, in entry, effects);
    }

    private void WakeFor(Queue queue, in QueueEntry entry, QueueEffects effects)
    {
        if (_ttlMs != long.MaxValue) effects.Alarms?.Set(queue, entry.ArrivedAtMs + _ttlMs);
        if (entry.ExpiresAtMs != 0) effects.Alarms?.Set(queue, entry.ExpiresAtMs);
    }

    /// <summary>Has a message looked at when its own time ends, as long as it is in memory.</summary>
    private void Schedule(in QueueEntry entry)
    {
        _mayExpire = true;
        if (_ready.Count <= 1) _expiries.Clear();
        else if (_expiries.IsOvergrown) _expiries.Compact(place => _ready[place.Lane].IsInMemory(place.Sequence));
        _expiries.Add(in entry);
    }

    private bool IsExpired(in QueueEntry entry, long nowMs) =>
        entry.Sequence != _arriving && ((entry.ExpiresAtMs != 0 && entry.ExpiresAtMs <= nowMs) || (_ttlMs != long.MaxValue && entry.ArrivedAtMs + _ttlMs <= nowMs));

    /// <summary>Sees to the limits at once, as far as it does not take long.</summary>
    private void Constrain(Queue queue, QueueEffects effects)
    {
        TryDropExpiredHeads(queue, effects);
        int budget = TickMax;
        DropOverflow(queue, ref budget, effects);
        if (budget <= 0) effects.Alarms?.Set(queue, effects.NowMs);
    }

    /// <summary>Does what is due by now, and asks to be woken for the next.</summary>
    private void Tick(Queue queue, QueueEffects effects)
    {
        if (_lastUsedAtMs == 0) _lastUsedAtMs = effects.NowMs;
        if (IsUnusedFor(_settings.ExpiresMs, effects.NowMs))
        {
            EndByItself(queue, effects);
            return;
        }
        int budget = TickMax;
        EndLeases(queue, ref budget, effects);
        if (_pacedLoads == 0) Shrink(queue, ref budget, effects);
        Dispatch(queue, effects);
        _isPaced = _unread.Count > 0;
        if (_pacedLoads == 0 && !_isPaced) effects.Alarms?.Set(queue, budget > 0 ? NextDueMs() : effects.NowMs);
    }

    /// <summary>Removes what is to go.</summary>
    private void Shrink(Queue queue, ref int budget, QueueEffects effects)
    {
        RetryAside(queue, ref budget, effects);
        ExpireScheduled(queue, ref budget, effects);
        foreach (Lane lane in _ready.Lanes)
        {
            ExpireRuns(queue, lane, ref budget, effects);
            if (_ttlMs != long.MaxValue) ExpireHeads(queue, lane, ref budget, effects);
        }
        DropOverflow(queue, ref budget, effects);
    }

    private bool IsUnusedFor(long? timeMs, long nowMs) => timeMs is { } ms && !IsUsed && _lastUsedAtMs + ms <= nowMs;

    private long NextDueMs()
    {
        long nextMs = Math.Min(_expiries.NextAtMs, NextLeaseEndMs());
        if (_asideDue.TryPeek(out _, out long asideAtMs)) nextMs = Math.Min(nextMs, asideAtMs);
        if (_settings.ExpiresMs is { } expiresMs && !IsUsed) nextMs = Math.Min(nextMs, _lastUsedAtMs + expiresMs);
        foreach (Lane lane in _ready.Lanes)
        {
            foreach (DiskRun run in lane.Runs)
                if (run.Times is { IsLoading: false } times) nextMs = Math.Min(nextMs, times.NextAtMs);
            if (_ttlMs != long.MaxValue && lane.FirstArrivedAtMs is { } arrivedAtMs) nextMs = Math.Min(nextMs, arrivedAtMs + _ttlMs);
        }
        return nextMs;
    }

    /// <summary>Removes messages in memory whose own time is up, wherever they stand.</summary>
    private void ExpireScheduled(Queue queue, ref int budget, QueueEffects effects)
    {
        while (budget > 0 && _expiries.TryTakeDue(effects.NowMs, out ExpiryHeap.Place place))
        {
            if (!_ready[place.Lane].TryRemove(place.Sequence, out QueueEntry entry)) continue; // it has left, or somebody has it now
            budget--;
            Leave(queue, in entry, DeathReason.Expired, effects);
        }
    }

    /// <summary>Removes messages on disk whose own time is up, as the timetables of their runs say.</summary>
    private void ExpireRuns(Queue queue, Lane lane, ref int budget, QueueEffects effects)
    {
        foreach (DiskRun run in lane.Runs.Where(run => run.Times is { } times && times.NextAtMs <= effects.NowMs).ToArray())
        {
            Timetable times = run.Times!;
            while (budget > 0 && times.TryTakeDue(effects.NowMs, out TimetableRow row))
            {
                bool wasLost = run.IsRecovered && !row.IsLogged; // transient, and not counted since the restart
                if (wasLost || !run.Holds(row.Sequence)) continue;
                QueueEntry entry = EntryOf(run, in row, lane); // holds on to the file before the run lets go of it
                lane.TryRemove(run, row.Sequence, row.BodySize, row.IsLogged);
                budget--;
                Leave(queue, in entry, DeathReason.Expired, effects);
            }
            if (!times.NeedsPage(effects.NowMs) || times.IsLoading) continue;
            times.IsLoading = true;
            effects.Loads.Add(BacklogLoad.OfTimes(queue, times));
        }
    }

    private QueueEntry EntryOf(DiskRun run, in TimetableRow row, Lane lane)
    {
        var stored = new StoredAt(run.File, checked((uint)(run.Start + row.Offset)), row.Size);
        run.File.Retain(row.Size); // the run may go before it was read
        ReturnCounts counts = run.Returns?.GetValueOrDefault(row.Sequence) ?? default;
        return new QueueEntry
        {
            Sequence = row.Sequence, Lane = lane.Number, IsLogged = row.IsLogged, BodySize = row.BodySize, ExpiresAtMs = row.AtMs, Stored = stored,
            AcquiredCount = counts.Acquired, DeliveryCount = counts.Delivery,
        };
    }

    private void TimesLoaded(BacklogLoad load, QueueEffects effects)
    {
        bool isHere = _ready.Lanes.SelectMany(lane => lane.Runs).Any(run => ReferenceEquals(run.Times, load.Times));
        load.IsWanted = isHere;
        if (!isHere || load.Failure is not null) return; // what cannot be read has no times any more; its messages can still be read
        load.Times!.IsLoading = false;
        load.Times.Turn(load.Page!);
        Tick(load.Queue, effects);
    }

    /// <summary>Removes what comes first and has stood in the queue for longer than the queue lets it.</summary>
    private void ExpireHeads(Queue queue, Lane lane, ref int budget, QueueEffects effects)
    {
        while (budget > 0 && lane.Count > 0)
        {
            if (lane.TryPeekKnown(out QueueEntry first))
            {
                if (!IsExpired(in first, effects.NowMs)) return;
                lane.TryRemove(first.Sequence, out first);
                budget--;
                Leave(queue, in first, DeathReason.Expired, effects);
            }
            else if (lane.FirstRun is { } run && run.FirstArrivedAtMs + _ttlMs <= effects.NowMs)
            {
                bool isWhollyExpired = run.LastArrivedAtMs + _ttlMs <= effects.NowMs;
                if (!isWhollyExpired || !TryDrop(queue, lane, run, effects))
                {
                    Load(queue, lane, effects);
                    return;
                }
            }
            else return;
        }
    }

    /// <summary>Removes what would be delivered next and is expired; false when there is so much of it that the rest is left to the next tick.</summary>
    private bool TryDropExpiredHeads(Queue queue, QueueEffects effects)
    {
        int budget = TickMax;
        while (_mayExpire && _ready.Count > 0 && _ready.First is { CanTake: true } lane && IsExpired(lane.Peek(), effects.NowMs))
        {
            if (budget-- == 0)
            {
                effects.Alarms?.Set(queue, effects.NowMs);
                return false;
            }
            Leave(queue, lane.Take(), DeathReason.Expired, effects);
        }
        return true;
    }

    /// <summary>Whether it refuses messages when it has no room for them.</summary>
    internal bool MayRefuse => _isRefusing && !IsDeleted;

    /// <summary>Whether so many messages more would not be too many; that somebody may take them at once does not count (note 98).</summary>
    internal bool HasRoomFor(int count, long bodyBytes) =>
        _ready.Count + count <= (_settings.LengthMax ?? long.MaxValue) && _ready.BodyBytes + bodyBytes <= (_settings.BytesMax ?? long.MaxValue);

    /// <summary>Removes what would be delivered next until the queue is as short as it has to be (notes 98 and 99).</summary>
    private void DropOverflow(Queue queue, ref int budget, QueueEffects effects)
    {
        if (_isRefusing) return;
        long lengthMax = _settings.LengthMax ?? long.MaxValue, bytesMax = _settings.BytesMax ?? long.MaxValue;
        while (budget > 0 && (_ready.Count > lengthMax || _ready.BodyBytes > bytesMax))
        {
            Lane lane = _ready.First;
            if (lane.TryPeekKnown(out QueueEntry first))
            {
                lane.TryRemove(first.Sequence, out first);
                budget--;
                Leave(queue, in first, IsExpired(in first, effects.NowMs) ? DeathReason.Expired : DeathReason.MaxLength, effects);
                continue;
            }
            bool isSuperfluous = lane.FirstRun is { } run && (_ready.Count - run.Count >= lengthMax || _ready.BodyBytes - run.BodyBytes > bytesMax)
                && TryDrop(queue, lane, run, effects);
            if (isSuperfluous) continue;
            Load(queue, lane, effects);
            return;
        }
    }

    /// <summary>Drops a run without reading it, when nobody is to get its messages.</summary>
    private bool TryDrop(Queue queue, Lane lane, DiskRun run, QueueEffects effects)
    {
        if (_settings.DeadLetterExchange is not null || queue.Definition.IsStaging || lane.HasReturnedUpTo(run.LastSequence)) return false;
        if (queue.IsLogged) effects.Log!.Purged(queue, run.LastSequence + 1, lane.Number, Unready().Where(entry => entry.Lane == lane.Number));
        lane.Drop(run);
        return true;
    }
}
