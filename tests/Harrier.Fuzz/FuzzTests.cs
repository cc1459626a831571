using Xunit.Abstractions;

namespace Harrier.Fuzz;

/// <summary>
/// Fuzzes each target for 10 seconds, or FUZZ_SECONDS. FUZZ_SEED repeats a run; what fails is written into the corpus as crash-HASH, to be checked in
/// with its fix.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    // Leaves room for the message pool, which keeps buffers for reuse, and for the collected inputs.
    private const long BytesGrownMax = 128 << 20;

    public static TheoryData<string> Targets => [.. FuzzTargets.Names];

    [Theory, MemberData(nameof(Targets))]
    public async Task Nothing_hostile_breaks(string target)
    {
        int seed = Setting("FUZZ_SEED", Random.Shared.Next());
        output.WriteLine($"FUZZ_SEED={seed}");
        FuzzReport report = await FuzzTargets.Driver(target).RunAsync(TimeSpan.FromSeconds(Setting("FUZZ_SECONDS", 10)), seed);
        output.WriteLine($"{target}: {report}");
        report.BytesGrown.ShouldBeLessThan(BytesGrownMax);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out int value) ? value : otherwise;
}
