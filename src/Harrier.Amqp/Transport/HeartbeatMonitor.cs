namespace Harrier.Amqp.Transport;

/// <summary>
/// Knows when a connection owes a heartbeat and when its peer has been silent for too long (behaviour notes 8 and 9). Before the handshake is over and
/// after a close was sent it watches a deadline instead. Read by the clock's thread, written by the connection's task.
/// </summary>
internal sealed class HeartbeatMonitor
{
    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private long _readIntervalMs;
    private long _writeIntervalMs;
    private long _lastReadMs;
    private long _lastWriteMs;
    private int _lastFlushCount;
    private long _deadlineMs;
    private volatile bool _isPaused;

    public HeartbeatMonitor(TimeProvider time, ConnectionLimits limits)
    {
        _time = time;
        _startTimestamp = time.GetTimestamp();
        _lastReadMs = _lastWriteMs = NowMs;
        Deadline = "the handshake took too long";
        _deadlineMs = NowMs + limits.HandshakeTimeoutMs;
    }

    /// <summary>What it means to be overdue now; for the log.</summary>
    public string Deadline { get; private set; }

    private long NowMs => (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    /// <summary>Whether nothing has come for two intervals, or a deadline has passed.</summary>
    public bool IsOverdue
    {
        get
        {
            long deadline = Volatile.Read(ref _deadlineMs), interval = Volatile.Read(ref _readIntervalMs);
            if (deadline != 0) return NowMs > deadline;
            return interval != 0 && !_isPaused && NowMs - Volatile.Read(ref _lastReadMs) > 2 * interval;
        }
    }

    /// <summary>Whether nothing was sent for half an interval. <paramref name="flushCount"/> moves with everything that is sent.</summary>
    public bool IsDue(int flushCount)
    {
        long now = NowMs, interval = Volatile.Read(ref _writeIntervalMs);
        if (flushCount != _lastFlushCount)
        {
            _lastFlushCount = flushCount;
            _lastWriteMs = now;
        }
        return interval != 0 && now - _lastWriteMs >= interval / 2;
    }

    /// <summary>The handshake is over; 0 seconds switch heartbeats off.</summary>
    public void Start(int seconds) => Start(seconds * 1000L, seconds * 1000L);

    /// <summary>The handshake is over. The peer is to send something within every read interval, we within every write interval; 0 for whenever.</summary>
    public void Start(long readIntervalMs, long writeIntervalMs)
    {
        Volatile.Write(ref _deadlineMs, 0);
        Deadline = "nothing was received for two heartbeat intervals";
        Volatile.Write(ref _lastReadMs, NowMs);
        Volatile.Write(ref _readIntervalMs, readIntervalMs);
        Volatile.Write(ref _writeIntervalMs, writeIntervalMs);
    }

    /// <summary>Any byte is a sign of life.</summary>
    public void OnRead()
    {
        if (_readIntervalMs != 0) Volatile.Write(ref _lastReadMs, NowMs);
    }

    /// <summary>Nothing is read for now, so silence means nothing.</summary>
    public void Pause() => _isPaused = true;

    public void Resume()
    {
        OnRead();
        _isPaused = false;
    }

    /// <summary>Gives the peer that long from now.</summary>
    public void SetDeadline(int timeMs)
    {
        Deadline = "connection.close was not answered";
        Volatile.Write(ref _deadlineMs, NowMs + timeMs);
    }
}
