using System.Diagnostics;
using Harrier.Protocol.Amqp10;
using Shouldly;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>
/// Messages go through the broker once, wherever connections are lost and the broker dies. ONCE_SEED=… runs one seed again; SIM_SECONDS is the time for many.
/// </summary>
public class ExactlyOnceTests(ITestOutputHelper output)
{
    private const int SecondsDefault = 15;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_message_arrives_once_wherever_a_connection_is_lost(bool isHalfOpen)
    {
        var plan = new TroublePlan { IsHalfOpen = isHalfOpen };
        long points = (await MessageExchange.RunAsync(1, plan)).Broker.Points;
        points.ShouldBeGreaterThan(50);
        for (long point = 1; point <= points; point++) await MessageExchange.RunAsync(1, plan with { LoseAt = point });
    }

    [Fact]
    public async Task Every_message_arrives_once_wherever_the_broker_dies()
    {
        var plan = new TroublePlan();
        TroubledBroker broker = (await MessageExchange.RunAsync(1, plan)).Broker;
        for (long point = 1; point <= broker.Points; point++) await MessageExchange.RunAsync((int)point, plan with { DieAt = point });
        broker.DiskPoints.ShouldBeGreaterThan(20);
        for (long point = 1; point <= broker.DiskPoints; point++) await MessageExchange.RunAsync((int)point, plan with { CrashAt = point });
    }

    [Fact]
    public async Task Every_message_arrives_once_in_times_of_trouble()
    {
        if (Number("ONCE_SEED") is { } only)
        {
            await MessageExchange.RunAsync(only, TroublePlan.Of(only));
            return;
        }
        int first = Number("SIM_FIRST_SEED") ?? Random.Shared.Next(1 << 30), count = 0;
        var time = Stopwatch.StartNew();
        for (; time.Elapsed.TotalSeconds < (Number("SIM_SECONDS") ?? SecondsDefault); count++) await MessageExchange.RunAsync(first + count, TroublePlan.Of(first + count));
        output.WriteLine($"{count} seeds from {first} on, {count / time.Elapsed.TotalSeconds:0} a second");
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : null;
}
