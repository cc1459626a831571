using System.Diagnostics;
using Harrier.Simulation.Running;
using Xunit;
using Xunit.Abstractions;

namespace Harrier.Simulation;

/// <summary>
/// Whole lives of durable brokers, each from a seed. SIM_SECONDS is the time they may take; SIM_SEED=… runs one seed again, SIM_FIRST_SEED=… begins there.
/// </summary>
public class RandomSeedsTests(ITestOutputHelper output)
{
    private const int SecondsDefault = 25;

    [Fact]
    public void A_broker_finds_after_every_crash_what_its_log_was_told()
    {
        if (Number("SIM_SEED") is { } only)
        {
            LifeCycle.Run(only, SimulationPlan.Of(only));
            return;
        }
        int first = Number("SIM_FIRST_SEED") ?? Random.Shared.Next(1 << 30), count = 0;
        var time = Stopwatch.StartNew();
        for (; time.Elapsed.TotalSeconds < (Number("SIM_SECONDS") ?? SecondsDefault); count++)
            LifeCycle.Run(first + count, SimulationPlan.Of(first + count));
        output.WriteLine($"{count} seeds from {first} on, {count / time.Elapsed.TotalSeconds:0} a second");
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : null;
}
