namespace Harrier.Amqp.Transport;

/// <summary>
/// Tells the time once per read turn: what came in together arrived at the same moment, and a message costs no look at the clock. Owned by the connection's task.
/// </summary>
internal sealed class TurnClock(TimeProvider time)
{
    private long _nowMs;

    public TimeProvider Time => time;

    /// <summary>When the turn began, more or less, in milliseconds since 1970. Never 0, which stands for no time.</summary>
    public long NowMs => _nowMs != 0 ? _nowMs : _nowMs = Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Something new is being read.</summary>
    public void BeginTurn() => _nowMs = 0;
}
