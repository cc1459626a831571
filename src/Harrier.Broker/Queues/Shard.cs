using Harrier.Broker.Sessions;

namespace Harrier.Broker.Queues;

/// <summary>
/// A lock and the queues that live behind it: the only place where a queue machine meets the world. Effects are carried out under the lock, in the
/// order in which the machine gave them; sockets are flushed after it. Nothing here waits.
/// </summary>
public sealed class Shard
{
    private readonly QueueEffects _effects;
    private readonly ShardSet _shards;
    private readonly IBacklogStore _store;

    internal Shard(int index, ShardSet shards, IBacklogStore store)
    {
        Index = index;
        _shards = shards;
        _store = store;
        Log = store.OpenLog(index);
        Alarms = new ShardAlarms(shards.Clock);
        _effects = new QueueEffects { Log = Log, Alarms = Alarms };
    }

    /// <summary>Its place among the <see cref="ShardSet"/>, which is also the order in which locks are taken.</summary>
    internal int Index { get; }

    internal Lock Gate { get; } = new();

    /// <summary>When its queues want to be woken.</summary>
    internal ShardAlarms Alarms { get; }

    /// <summary>The broker around the queues; null while there is none.</summary>
    internal IQueueHost? Host => _shards.Host;

    /// <summary>Milliseconds since 1970.</summary>
    internal long NowMs => _shards.Clock.NowMs;

    /// <summary>Where the shard's machines write; null when nothing is kept.</summary>
    internal ShardLog? Log { get; }

    /// <summary>
    /// Applies a chain of commands. The caller holds <see cref="Gate"/>. In an atomic group, what is to be logged is left to the caller, for all shards together.
    /// </summary>
    internal void Apply(CommandBatch batch, int first, bool isGroup = false)
    {
        Invariant.Check(Gate.IsHeldByCurrentThread, "a queue is touched under its shard's lock");
        _effects.NowMs = NowMs;
        try
        {
            for (int i = first; i >= 0; i = batch.Next(i))
            {
                Apply(in batch[i], batch);
                if (!isGroup && Log?.IsFull == true) batch.OnLogged(Log.Append());
            }
            CarryOut(batch);
            if (!isGroup) KeepLog(batch);
        }
        catch
        {
            Abandon(batch, isGroup);
            throw;
        }
    }

    /// <summary>Applies one command that is answered. The caller holds <see cref="Gate"/>.</summary>
    internal QueueAnswer Ask(in QueueCommand command, CommandBatch batch)
    {
        _effects.NowMs = NowMs;
        try
        {
            Apply(in command, batch);
            QueueAnswer answer = _effects.Answer;
            CarryOut(batch);
            KeepLog(batch);
            return answer;
        }
        catch
        {
            Abandon(batch, isGroup: false);
            throw;
        }
    }

    /// <summary>After a machine has failed: what others were to get they get, what is left of the batch belongs to no one else's.</summary>
    private void Abandon(CommandBatch batch, bool isGroup)
    {
        Report();
        AwaitRoom();
        _effects.Reset();
        if (!isGroup) KeepLog(batch);
    }

    /// <summary>Tells the store what it is to read, and what memory is in use.</summary>
    private void Report()
    {
        foreach (BacklogLoad load in _effects.Loads) _store.Load(load);
        _effects.Loads.Clear();
        if (_effects.Fresh == default) return;
        _store.OnFresh(_effects.Fresh);
        _effects.Fresh = default;
    }

    /// <summary>Tells that a queue could not do what was due.</summary>
    internal void OnFailure(Exception failure) => _shards.Clock.OnFailure?.Invoke(failure);

    /// <summary>Has something read for somebody who only looks.</summary>
    internal void Load(BacklogLoad load) => _store.Load(load);

    private void KeepLog(CommandBatch batch)
    {
        if (Log is not null) batch.OnLogged(Log.Append());
    }

    private void Apply(in QueueCommand command, CommandBatch batch)
    {
        // What ends a queue releases its messages; those that are on their way must have been written before.
        bool mayEnd = command.Kind is QueueCommandKind.Delete or QueueCommandKind.Cancel or QueueCommandKind.Tick or QueueCommandKind.Configure or QueueCommandKind.Abandon;
        if (mayEnd) CarryOut(batch);
        command.Queue.Machine.Apply(in command, _effects);
        if (!_effects.HasRoomForDelivery) CarryOut(batch);
    }

    private void CarryOut(CommandBatch batch)
    {
        Deliver(batch);
        while (_effects.Unfinished.Count > 0 || _effects.AwaitingRoom.Count > 0)
        {
            AwaitRoom();
            if (_effects.Unfinished.Count > 0)
            {
                Queue queue = _effects.Unfinished[^1];
                _effects.Unfinished.RemoveAt(_effects.Unfinished.Count - 1);
                queue.Machine.Apply(new QueueCommand(QueueCommandKind.Continue, queue), _effects);
            }
            Deliver(batch);
        }
        TellConsumers(batch);
        Report();
        batch.BackedUp = _effects.BackedUp ?? batch.BackedUp;
        _effects.BackedUp = null;
        Pass(_effects.Receipts, batch.Receipts);
        Pass(_effects.Departures, batch.Departures);
        Pass(_effects.Ended, batch.Ended);
    }

    /// <summary>Tells consumers, after their deliveries, of what else has come to them.</summary>
    private void TellConsumers(CommandBatch batch)
    {
        foreach (QueueConsumer drained in _effects.Drained)
        {
            drained.Output.OnDrained(drained.DeliveryCount);
            batch.FlushLater(drained);
        }
        _effects.Drained.Clear();
        foreach (QueueConsumer waiting in _effects.Unreadable) waiting.Output.OnUnreadable();
        _effects.Unreadable.Clear();
        foreach ((QueueConsumer consumer, DeliveryId delivery, long timeoutMs) in _effects.Overdue)
        {
            consumer.Output.OnOverdue(delivery, timeoutMs);
            batch.FlushLater(consumer);
        }
        _effects.Overdue.Clear();
        foreach (QueueConsumer orphan in _effects.Orphaned)
        {
            orphan.Output.OnQueueDeleted();
            batch.FlushLater(orphan);
        }
        _effects.Orphaned.Clear();
    }

    private static void Pass<T>(List<T> from, List<T> to)
    {
        if (from.Count == 0) return;
        to.AddRange(from);
        from.Clear();
    }

    /// <summary>Hands deliveries over in runs of one consumer, so that an output is locked once per run.</summary>
    private void Deliver(CommandBatch batch)
    {
        ReadOnlySpan<Delivery> deliveries = _effects.Deliveries;
        while (!deliveries.IsEmpty)
        {
            QueueConsumer consumer = deliveries[0].Consumer;
            int run = 1;
            while (run < deliveries.Length && ReferenceEquals(deliveries[run].Consumer, consumer)) run++;
            consumer.Output.Deliver(deliveries[..run]);
            foreach (ref readonly Delivery delivery in deliveries[..run])
                if (delivery.IsHandedOver) delivery.Message.Release();
            batch.FlushLater(consumer);
            deliveries = deliveries[run..];
        }
        _effects.ClearDeliveries();
    }

    private void AwaitRoom()
    {
        for (int i = 0; i < _effects.AwaitingRoom.Count; i++)
        {
            QueueConsumer consumer = _effects.AwaitingRoom[i];
            if (!consumer.Output.AwaitRoom())
                consumer.Queue.Machine.Apply(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer), _effects);
        }
        _effects.AwaitingRoom.Clear();
    }
}
