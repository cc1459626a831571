using Harrier.Amqp.Transport;

namespace Harrier.Amqp.Tests;

/// <summary>The time at which messages arrive: looked up once per read turn.</summary>
public class TurnClockTests
{
    [Fact]
    public void Time_stands_still_during_a_turn()
    {
        var time = new SimClock();
        var clock = new TurnClock(time);
        long first = clock.NowMs;
        first.ShouldBe(Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds()));
        time.Advance(TimeSpan.FromSeconds(5));
        clock.NowMs.ShouldBe(first);
        clock.BeginTurn();
        clock.NowMs.ShouldBe(time.GetUtcNow().ToUnixTimeMilliseconds());
        clock.NowMs.ShouldBeGreaterThan(first);
    }

    [Fact]
    public void Time_is_never_0_which_would_be_no_time()
    {
        var clock = new TurnClock(new Epoch());
        clock.NowMs.ShouldBe(1);
    }

    private sealed class Epoch : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
    }
}
