using FsCheck;
using FsCheck.Fluent;

namespace Harrier.Broker.Tests.Support;

/// <summary>Runs properties over generated values. A failure prints its seed; that seed in HARRIER_SEED runs the same values again.</summary>
internal static class Properties
{
    private const string SeedVariable = "HARRIER_SEED";

    public static void ForAll<T>(Gen<T> values, Action<T> check, int runs = 200, int size = 100, Func<T, IEnumerable<T>>? shrink = null)
    {
        ulong seed = ulong.TryParse(Environment.GetEnvironmentVariable(SeedVariable), out ulong given) ? given : (ulong)Random.Shared.NextInt64();
        Config config = Config.QuickThrowOnFailure
            .WithMaxTest(runs)
            .WithEndSize(size)
            .WithQuietOnSuccess(true)
            .WithReplay(new Replay(new Rnd(seed), null));
        try
        {
            Prop.ForAll(Arb.From(values, shrink ?? (_ => [])), check).Check(config);
        }
        catch (Exception failure)
        {
            throw new Xunit.Sdk.XunitException($"{SeedVariable}={seed} runs this again.\n{failure.Message}", failure);
        }
    }

    /// <summary>A property over sequences, which shrink by leaving steps out.</summary>
    public static void ForAllSequences<T>(Gen<T> steps, Action<T[]> check, int runs = 200, int size = 100) =>
        ForAll(steps.ArrayOf(), check, runs, size, Shrink);

    private static IEnumerable<T[]> Shrink<T>(T[] steps)
    {
        for (int length = steps.Length / 2; length > 0; length /= 2)
        {
            for (int start = 0; start + length <= steps.Length; start += length) yield return [.. steps[..start], .. steps[(start + length)..]];
        }
    }
}
