using System.Diagnostics;
using System.Security.Cryptography;

namespace Harrier.Fuzz;

/// <summary>
/// What is fuzzed: works through one input and throws when something is wrong. The answer tells behaviours apart; inputs that show a new one are
/// mutated further.
/// </summary>
internal delegate long FuzzTarget(ReadOnlySpan<byte> input);

/// <summary>An input that a target does not take. The message says how to see it again.</summary>
internal sealed class FuzzFailureException(string message, string file, Exception? cause) : Exception(message, cause)
{
    /// <summary>The failing input.</summary>
    public string File { get; } = file;
}

/// <summary>What a run came to.</summary>
internal sealed record FuzzReport(int Inputs, int Behaviours, long BytesGrown);

/// <summary>
/// Feeds a target with mutations of its corpus for a time. The same seed gives the same inputs in the same order, as long as the target answers the
/// same. Everything runs on a thread of its own, so that a target which never ends is noticed.
/// </summary>
internal sealed class FuzzDriver(FuzzTarget target, Mutator mutator, IReadOnlyList<byte[]> corpus, string crashDirectory)
{
    // The pool of interesting inputs; enough to be varied, few enough that each is mutated many times.
    private const int PoolMax = 4096;

    // Bounds what a run of many hours remembers.
    private const int BehavioursMax = 1 << 20;

    private readonly List<byte[]> _pool = [.. corpus];
    private readonly HashSet<long> _behaviours = [];
    private byte[] _current = [];

    /// <summary>How much longer than planned a run may take before its current input counts as endless.</summary>
    public TimeSpan HangTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Fuzzes for that long; throws <see cref="FuzzFailureException"/> with the first failure.</summary>
    public async Task<FuzzReport> RunAsync(TimeSpan time, int seed)
    {
        Task<FuzzReport> run = Task.Factory.StartNew(
            () => Run(time, seed), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return await run.WaitAsync(time + HangTime);
        }
        catch (TimeoutException)
        {
            throw Failure("did not end", seed, null);
        }
    }

    private FuzzReport Run(TimeSpan time, int seed)
    {
        var random = new Random(seed);
        foreach (byte[] input in corpus) Try(input, seed);
        long bytesBefore = GC.GetTotalMemory(forceFullCollection: true);
        int count = corpus.Count;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < time; count++)
        {
            byte[] input = mutator.Mutate(Pick(random), Pick(random), random);
            if (Try(input, seed)) Keep(input, random);
        }
        return new FuzzReport(count, _behaviours.Count, GC.GetTotalMemory(forceFullCollection: true) - bytesBefore);
    }

    private byte[] Pick(Random random) => _pool.Count == 0 ? [] : _pool[random.Next(_pool.Count)];

    private void Keep(byte[] input, Random random)
    {
        if (_pool.Count < PoolMax) _pool.Add(input);
        else _pool[random.Next(corpus.Count, PoolMax)] = input;
    }

    private bool Try(byte[] input, int seed)
    {
        _current = input;
        try
        {
            long behaviour = target(input);
            return _behaviours.Count < BehavioursMax && _behaviours.Add(behaviour);
        }
        catch (Exception e)
        {
            throw Failure($"failed with {e.GetType().Name}: {e.Message}", seed, e);
        }
    }

    private FuzzFailureException Failure(string what, int seed, Exception? cause)
    {
        byte[] input = _current;
        Directory.CreateDirectory(crashDirectory);
        string file = Path.Combine(crashDirectory, $"crash-{Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 6))}");
        File.WriteAllBytes(file, input);
        string message = $"The target {what}. Seed: FUZZ_SEED={seed}; the input is in {file}: {Convert.ToHexString(input)}";
        return new FuzzFailureException(message, file, cause);
    }
}
