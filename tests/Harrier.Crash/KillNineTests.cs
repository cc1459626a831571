using Harrier.Crash.Load;
using Xunit.Abstractions;

namespace Harrier.Crash;

/// <summary>
/// One data directory and many lives: clients work, the broker is killed at a random moment, the next one takes over. What the clients were told must be
/// true in every life. CRASH_ROUNDS says how many, CRASH_SEED which random moments.
/// </summary>
public sealed class KillNineTests(ITestOutputHelper output)
{
    private const int RoundsBetweenDrains = 10;

    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("CRASH_ROUNDS") ?? "50");

    // Small log files, so that there are several of them, and checkpoints, within a few rounds.
    private static readonly (string, string)[] SmallLogFiles = [("HARRIER_LogFileBytes", "4194304")];

    private readonly Ledger _ledger = new();

    [Fact]
    public async Task What_was_confirmed_survives_every_kill_and_what_was_settled_stays_settled()
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("CRASH_SEED") ?? Environment.TickCount.ToString());
        var random = new Random(seed);
        using var data = new DataDirectory();
        var clients = new Clients(_ledger);
        try
        {
            await RunRoundsAsync(clients, data.Path, random);
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}, round {_ledger.Round} of {Rounds}: {e}");
        }
        Report(seed);
        _ledger.Violations.ShouldBeEmpty($"seed {seed}, round {_ledger.Round} of {Rounds}");
        _ledger.ConfirmedCount.ShouldBeGreaterThan(0);
        _ledger.CommittedCount.ShouldBeGreaterThan(0);
    }

    /// <summary>The same clients and the same account, with a broker that lives on: if this fails, the test is wrong, or the broker is without any crash.</summary>
    [Fact]
    public async Task The_books_balance_when_only_the_clients_die()
    {
        int seed = Environment.TickCount;
        using var data = new DataDirectory();
        var clients = new Clients(_ledger);
        await using HarrierProcess broker = await HarrierProcess.StartAsync(data.Path, SmallLogFiles);
        _ledger.Round = 1;
        await clients.DeclareAsync(broker);
        using var ending = new CancellationTokenSource();
        Task load = clients.RunAsync(broker, new Random(seed), ending.Token);
        await Task.Delay(new Random(seed).Next(300, 900));
        await ending.CancelAsync();
        broker.ResetConnections();
        await load.InTimeAsync("the clients' end");

        _ledger.Round = 2;
        await clients.WhenAloneAsync(broker);
        await clients.DrainAsync(broker);
        await clients.CheckAtEndAsync(broker);
        Report(seed);
        _ledger.Violations.ShouldBeEmpty($"seed {seed}");
        _ledger.ConfirmedCount.ShouldBeGreaterThan(0);
        _ledger.CommittedCount.ShouldBeGreaterThan(0);
    }

    private async Task RunRoundsAsync(Clients clients, string data, Random random)
    {
        for (int round = 1; round <= Rounds && _ledger.Violations.Count == 0; round++)
        {
            _ledger.Round = round;
            if (random.Next(8) == 0) await KillWhileStartingAsync(data, random);
            await using HarrierProcess broker = await HarrierProcess.StartAsync(data, SmallLogFiles);
            if (round == 1) await clients.DeclareAsync(broker);
            else await clients.CheckQueuesAsync(broker);
            if (round % RoundsBetweenDrains == 0) await clients.DrainAsync(broker);
            await LiveAsync(clients, broker, random);
        }
        if (_ledger.Violations.Count > 0) return;
        _ledger.Round = Rounds + 1;
        await using HarrierProcess last = await HarrierProcess.StartAsync(data, SmallLogFiles);
        await clients.CheckQueuesAsync(last);
        await clients.DrainAsync(last);
        await clients.CheckAtEndAsync(last);
    }

    private async Task LiveAsync(Clients clients, HarrierProcess broker, Random random)
    {
        using var ending = new CancellationTokenSource();
        Task load = clients.RunAsync(broker, random, ending.Token);
        await Task.Delay(random.Next(50, 600));
        if (broker.HasExited) _ledger.Violate("the broker has ended by itself");
        await ending.CancelAsync();
        if (random.Next(10) == 0) await TerminateAsync(broker); // an orderly stop leaves other traces on the disk, for the next kills to come upon
        else await broker.KillAsync();
        await load.InTimeAsync("the clients' end");
        foreach (string error in broker.LoggedErrors) _ledger.Violate($"the broker has logged: {error}");
        if (_ledger.Violations.Count > 0) output.WriteLine(broker.Output);
    }

    private async Task TerminateAsync(HarrierProcess broker)
    {
        int exitCode = await broker.TerminateAsync();
        if (exitCode != 0) _ledger.Violate($"the broker was asked to stop and ended with {exitCode}");
    }

    private static async Task KillWhileStartingAsync(string data, Random random)
    {
        await using HarrierProcess broker = HarrierProcess.Launch(data, SmallLogFiles);
        await Task.Delay(random.Next(50, 500));
        await broker.KillAsync();
    }

    private void Report(int seed) =>
        output.WriteLine(
            $"seed {seed}: {_ledger.ConfirmedCount} confirmed, {_ledger.ReceivedCount} received ({_ledger.RepeatsAsNewCount} again as new), " +
            $"{_ledger.CommittedCount} transactions and {_ledger.InDoubtCount} in doubt");
}
