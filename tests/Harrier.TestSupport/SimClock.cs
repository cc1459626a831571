namespace Harrier.TestSupport;

/// <summary>
/// A clock that stands still until it is advanced. Timers fire on the thread that advances it, in the order in which they are due. A nap of a millisecond
/// is no time at all here: such a timer fires at once, on a thread of its own. Thread-safe.
/// </summary>
public sealed class SimClock : TimeProvider
{
    private static readonly TimeSpan NapMax = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly List<SimTimer> _timers = [];
    private TimeSpan _elapsed;
    private long _lastTimer;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that exist, so that a test can wait until what it is about has started one.</summary>
    public int TimerCount
    {
        get
        {
            lock (_gate) return _timers.Count;
        }
    }

    public override long GetTimestamp()
    {
        lock (_gate) return _elapsed.Ticks;
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_gate)
        {
            var timer = new SimTimer(this, callback, state, _lastTimer++);
            timer.Change(dueTime, period);
            _timers.Add(timer);
            return timer;
        }
    }

    /// <summary>Lets time pass; every timer that becomes due meanwhile fires at its own moment.</summary>
    public void Advance(TimeSpan time)
    {
        TimeSpan end;
        lock (_gate) end = _elapsed + time;
        while (TakeDue(end) is { } timer) timer.Fire();
        lock (_gate) _elapsed = end;
    }

    private SimTimer? TakeDue(TimeSpan end)
    {
        lock (_gate)
        {
            SimTimer? next = _timers.Where(t => t.Due <= end).OrderBy(t => t.Due).ThenBy(t => t.Number).FirstOrDefault();
            if (next is null) return null;
            if (next.Due > _elapsed) _elapsed = next.Due.Value;
            next.Due = next.Period > TimeSpan.Zero ? _elapsed + next.Period : null;
            return next;
        }
    }

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state, long number) : ITimer
    {
        public long Number => number;

        public TimeSpan? Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.Zero && dueTime <= NapMax && period == Timeout.InfiniteTimeSpan)
                return ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Fire(), this, preferLocal: false);
            lock (clock._gate)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : clock._elapsed + dueTime;
                Period = period;
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._gate) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
