namespace Harrier.Broker.Queues;

/// <summary>
/// Wakes queues when something of theirs is due: one timer for all, set to the earliest time. Does in small portions what takes long, so that no shard is held
/// for long. Thread-safe.
/// </summary>
public sealed class QueueClock : IDisposable
{
    // Queues that are woken in one go, before others get at their shard.
    private const int QueuesMax = 64;

    // What falls due within so short a time is done together.
    private const long DelayMsMin = 2;

    // Timers do not notice when the wall clock is set, so it is looked at now and then.
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Lock _turn = new();
    private readonly TimeProvider _time;
    private readonly CommandBatch _batch = new();
    private readonly List<Queue> _due = [];
    private readonly ITimer _timer;
    private long _armedForMs = long.MaxValue;
    private volatile bool _isStopped;

    public QueueClock(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => Schedule(OnTime), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Milliseconds since 1970.</summary>
    public long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The shards to look after.</summary>
    internal IReadOnlyList<Shard> Shards { get; set; } = [];

    /// <summary>How the work gets off the timer's thread. As it is set at first, it does not.</summary>
    internal Action<Action> Schedule { get; set; } = static work => work();

    /// <summary>Is told of a queue that could not do what was due.</summary>
    internal Action<Exception>? OnFailure { get; set; }

    /// <summary>Looks at the shards at that time at the latest.</summary>
    public void WakeAt(long atMs)
    {
        lock (_gate)
        {
            if (atMs >= _armedForMs || _isStopped) return;
            _armedForMs = atMs;
            long delayMs = atMs - NowMs;
            delayMs = delayMs <= 0 ? 0 : Math.Max(delayMs, DelayMsMin);
            _timer.Change(delayMs < DelayMax.TotalMilliseconds ? TimeSpan.FromMilliseconds(delayMs) : DelayMax, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends. Nothing is woken any more.</summary>
    public void Dispose()
    {
        _isStopped = true;
        _timer.Dispose();
        _turn.Enter(); // a turn that is on its way ends
        _turn.Exit();
    }

    private void OnTime()
    {
        if (!_turn.TryEnter()) return; // whoever is at it sets the timer again
        try
        {
            while (!_isStopped && WakeDue()) { }
        }
        finally
        {
            _turn.Exit();
        }
        // What it was set for meanwhile has gone off in vain, or is among what the shards want next.
        lock (_gate) _armedForMs = long.MaxValue;
        long nextAtMs = Shards.Min(shard => shard.Alarms.NextAtMs);
        if (nextAtMs != long.MaxValue) WakeAt(nextAtMs);
    }

    /// <summary>Gives each shard a turn; whether there is more to do at once.</summary>
    private bool WakeDue()
    {
        long nowMs = NowMs;
        bool any = false;
        foreach (Shard shard in Shards)
        {
            if (shard.Alarms.NextAtMs > nowMs) continue;
            lock (shard.Gate)
            {
                while (_due.Count < QueuesMax && shard.Alarms.TryTakeDue(nowMs, out Queue? queue)) _due.Add(queue);
            }
            any |= _due.Count > 0;
            Tick();
        }
        return any;
    }

    private void Tick()
    {
        foreach (Queue queue in _due) _batch.Add(new QueueCommand(QueueCommandKind.Tick, queue));
        _due.Clear();
        try
        {
            _batch.Run();
        }
        catch (Exception e)
        {
            OnFailure?.Invoke(e); // that queue stands still; the others go on
        }
    }
}
