using Harrier.Broker;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Simulation.Accounts;
using Harrier.Storage.Disk;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.Running;

/// <summary>The disk has failed, and the process ends as it should.</summary>
internal sealed class FailStopException() : Exception("the disk has failed");

/// <summary>What clients and the broker's own threads do in one life of a broker, step by step, as a seed has it.</summary>
internal sealed partial class Workload
{
    private const int TurnsMax = 1000;
    private const int TraceLength = 25;

    // Longer than anything is put aside for.
    private static readonly TimeSpan Long = TimeSpan.FromHours(2);

    private readonly SimDisk _disk;
    private readonly SimulatedBroker _broker;
    private readonly BrokerAccount _account;
    private readonly Random _random;
    private readonly ClientSession[] _sessions;
    private readonly List<QueueConsumer> _consumers = [];
    private readonly List<Unacked> _unacked = [];
    private readonly Queue<string> _trace = new();
    private readonly long _largeSize;
    private readonly bool _mayDie;
    private bool _isStepping;
    private Exception? _death;
    private readonly (int Weight, string Name, Action Act)[] _steps;

    public Workload(SimDisk disk, SimulatedBroker broker, BrokerAccount account, Random random, SimulationPlan plan)
    {
        _disk = disk;
        _broker = broker;
        _account = account;
        _random = random;
        _largeSize = plan.Settings.LogFileBytes;
        _mayDie = plan.HasCrashes;
        _sessions = [broker.Connect(), broker.Connect()];
        int faults = plan.HasFaults ? 1 : 0, takers = plan.IsHoarding ? 0 : 1;
        _steps =
        [
            (30, "publish", Publish), (1, "publish many", PublishMany), (8, "get", Get), (16, "settle", SettleOne), (5, "settle many", SettleMany),
            (5 * takers, "consume", Consume), (3, "cancel", Cancel), (4, "resume", Resume), (5, "declare", DeclareQueue), (2 * takers, "delete", DeleteQueue),
            (2 * takers, "purge", Purge), (3, "exchange", ChangeExchange), (6, "bind", ChangeBinding), (7, "transaction", RunTransaction), (2 * takers, "drain", DrainOne),
            (8, "wait", Wait), (2, "configure", Configure), (14, "commit", Commit), (3, "mark", () => Write(_broker.MarkIfIdle)), (2, "prepare", () => Write(_broker.Prepare)), (plan.IsHoarding ? 40 : 6, "checkpoint", Checkpoint), (10, "load", Load),
            (2 * faults, "fill disk", FillDisk), (4 * faults, "give space", () => _disk.CapacityBytes = null), (plan.FailsSyncs ? 1 : 0, "fail syncs", FailSyncs),
        ];
    }

    /// <summary>The last steps, for whoever looks at a failure.</summary>
    public string Trace => string.Join(", ", _trace);

    public void Run(int count)
    {
        for (int i = 0; i < count; i++)
        {
            int dice = _random.Next(_steps.Sum(s => s.Weight));
            foreach ((int weight, string name, Action act) in _steps)
            {
                dice -= weight;
                if (dice >= 0) continue;
                Note(name);
                act();
                break;
            }
            AssertCounts();
        }
    }

    /// <summary>Commits everything, puts it down and ends, as a broker that is told to stop.</summary>
    public void Stop()
    {
        Note("stop");
        _disk.CapacityBytes = null;
        Guarded(() =>
        {
            while (_broker.Log.Durable < _broker.Log.Appended) Write(() => _broker.Commit());
            Write(_broker.Checkpoint);
        });
        _broker.Dispose();
    }

    /// <summary>Takes everything out, after which nothing may be left on disk.</summary>
    public void TakeEverything()
    {
        Note("take everything");
        _disk.CapacityBytes = null;
        while (_consumers.Count > 0) Cancel();
        foreach (QueueAccount queue in _account.Queues) Relax(queue);
        while (_unacked.Count > 0) SettleOne();
        while (_broker.LoadCount > 0) Load();
        Step(_sessions[0], () => _broker.Clock.Advance(Long));
        // What waits is tried in portions, and a portion that had to be read asks for the next.
        for (int turns = 0; turns < TurnsMax && (_broker.LoadCount > 0 || _account.Queues.Any(q => q.Queue.AsideCount > 0)); turns++)
        {
            while (_broker.LoadCount > 0) Load();
            Step(_sessions[0], () => _broker.Clock.Advance(TimeSpan.Zero));
        }
        foreach (QueueAccount queue in _account.Queues)
        {
            queue.Queue.AsideCount.ShouldBe(0, $"{queue.Queue.NameText} has nothing to wait for any more");
            Drain(queue);
        }
        AssertCounts();
        Guarded(() => Write(_broker.AssertNothingIsLeft));
    }

    /// <summary>Ends all that keeps messages in a queue for a time or until somebody takes them.</summary>
    private void Relax(QueueAccount queue)
    {
        QueueSettings settings = QueueSettings.None with { PriorityMax = queue.Queue.Settings.PriorityMax, PriorityDefault = queue.Queue.Settings.PriorityDefault };
        Step(_sessions[0], () => _sessions[0].Commands.Ask(new QueueCommand(QueueCommandKind.Configure, queue.Queue, Settings: settings)));
    }

    private void Note(string step)
    {
        _trace.Enqueue(step);
        if (_trace.Count > TraceLength) _trace.Dequeue();
    }

    /// <summary>Does something to queues, and accounts for the tickets that it takes.</summary>
    private void Step(ClientSession session, Action act, Func<bool>? isGroup = null)
    {
        long before = _broker.Log.Appended;
        VirtualHostTopology topology = _broker.Host.Topology;
        _isStepping = true;
        act();
        _isStepping = false;
        long after = _broker.Log.Appended;
        bool hasEnded = NoteEnded();
        long promised = _account.EndStep(before, after, isGroup?.Invoke() == true && after > before, _broker.NowMs);
        session.Ticket.ShouldBeGreaterThanOrEqualTo(promised, "the session waits for what it was promised");
        if (!ReferenceEquals(_broker.Host.Topology, topology)) NoteTopology(session, before, after, hasEnded);
        if (_death is not null) throw _death;
    }

    private void NoteTopology(ClientSession session, long before, long after, bool hasEnded)
    {
        string changed = TopologyText.Of(_broker.Host.Topology);
        if (changed == _account.Topology) return;
        after.ShouldBeGreaterThan(before, "what is durable is logged");
        session.Ticket.ShouldBeGreaterThanOrEqualTo(after, "the session waits for the change");
        _account.TopologyChanged(hasEnded ? before + 1 : _broker.Host.Ticket, changed);
    }

    /// <summary>
    /// In the middle of a step: the log's thread may be as fast as to make durable what the step has appended by now. If the process dies of it, it does so at the
    /// end of the step, for the disk does not see the difference.
    /// </summary>
    public void CommitMeanwhile()
    {
        if (!_isStepping || _death is not null || _broker.Log.Appended == _broker.Log.Durable || _random.Next(4) > 0) return;
        try
        {
            Write(() => _broker.Commit());
            if (_mayDie && _random.Next(8) == 0) _death = new SimulatedCrashException(); // the rest of the step never gets to the disk
        }
        catch (Exception e) when (e is SimulatedCrashException or FailStopException)
        {
            _death = e;
        }
    }

    private bool NoteEnded()
    {
        bool hasEnded = false;
        foreach (QueueAccount queue in _account.Queues.Where(q => q.Queue.IsDeleted))
        {
            queue.HasEnded = hasEnded = true;
            _unacked.RemoveAll(u => u.Queue == queue);
            _consumers.RemoveAll(c => c.Queue == queue.Queue);
        }
        return hasEnded;
    }

    private void AssertCounts()
    {
        foreach (QueueAccount queue in _account.Queues)
        {
            queue.Queue.ReadyCount.ShouldBe(queue.Ready.Count, $"{queue.Queue.NameText} counts what it holds");
            queue.Queue.UnackedCount.ShouldBe(_unacked.Count(u => u.Queue == queue));
        }
        if (_random.Next(10) == 0) _broker.AssertMemoryIsCounted();
        _broker.AssertNothingIsUnreadable();
    }

    private T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    private bool TryPick<T>(IReadOnlyList<T> list, out T picked)
    {
        picked = list.Count == 0 ? default! : Pick(list);
        return list.Count > 0;
    }

    private static void Refusable(Action act)
    {
        try
        {
            act();
        }
        catch (BrokerException)
        {
            // Clients ask for all kinds of things.
        }
    }

    private void Wait()
    {
        int timeMs = _random.Next(6) switch { 0 => 0, 1 => _random.Next(5), 5 => _random.Next(20_000), _ => _random.Next(1500) };
        Step(_sessions[0], () => _broker.Clock.Advance(TimeSpan.FromMilliseconds(timeMs)));
    }

    private void Commit() => Guarded(() => Write(() => _broker.Commit()));

    private void Checkpoint() => Guarded(() => Write(_broker.Checkpoint));

    private void Load()
    {
        if (_broker.LoadCount > 0) Step(_sessions[0], () => _broker.RunLoad(_random.Next(_broker.LoadCount)));
    }

    /// <summary>Does what the broker's threads do, and what they do when it fails.</summary>
    private void Write(Action act)
    {
        long durable = _broker.Log.Durable;
        try
        {
            act();
        }
        catch (DiskFullException)
        {
            _disk.CapacityBytes.ShouldNotBeNull("there is space");
        }
        catch (IOException)
        {
            _disk.FailSync.ShouldNotBeNull("no sync is told to fail");
            if (!_broker.IsCommitting) throw new FailStopException();
            for (int i = 0; i < 2; i++) Should.Throw<InvalidOperationException>(() => _broker.Log.Commit());
            _broker.Log.Durable.ShouldBe(durable, "nothing is confirmed after an error");
            throw new FailStopException();
        }
    }

    // A refusal of the simulated disk ends a checkpoint, but no account: nothing may be appended there.
    private void Guarded(Action act)
    {
        long before = _broker.Log.Appended;
        act();
        _broker.Log.Appended.ShouldBe(before);
    }

    private void FillDisk()
    {
        if (_disk.CapacityBytes is not null) return;
        long used = (1L << 40) - _disk.FreeBytes;
        _disk.CapacityBytes = used + _random.Next((int)Math.Min(1 << 20, 2 * _largeSize));
    }

    private void FailSyncs()
    {
        int kind = _random.Next(4);
        _disk.FailSync = name => kind switch { 0 => true, 1 => name.StartsWith("log", StringComparison.Ordinal), 2 => name.StartsWith("seg", StringComparison.Ordinal), _ => name.Length == 0 || name.StartsWith("manifest", StringComparison.Ordinal) };
    }

    private sealed record Unacked(QueueAccount Queue, Placement Placement, DeliveryId Id, SimulatedConsumer? Consumer = null);
}
