using System.Diagnostics;
using Harrier.Protocol.Amqp10;
using Shouldly;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>
/// Messages go through the broker once, wherever connections are lost and the broker dies. ONCE_SEED=… runs one seed again, and with ONCE_TRACE=FILE what was
/// said is in the file when it fails; SIM_SECONDS is the time for many.
/// </summary>
public class ExactlyOnceTests(ITestOutputHelper output)
{
    private const int SecondsDefault = 15;

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public async Task Every_message_arrives_once_wherever_a_connection_is_lost(bool isHalfOpen, int transactionSize)
    {
        var plan = new TroublePlan { IsHalfOpen = isHalfOpen, TransactionSize = transactionSize };
        long points = (await MessageExchange.RunAsync(1, plan)).Broker.Points;
        points.ShouldBeGreaterThan(50);
        for (long point = 1; point <= points; point++) await MessageExchange.RunAsync(1, plan with { LoseAt = point });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Every_message_arrives_once_wherever_the_broker_dies(int transactionSize)
    {
        var plan = new TroublePlan { TransactionSize = transactionSize };
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
        for (; time.Elapsed.TotalSeconds < (Number("SIM_SECONDS") ?? SecondsDefault); count++)
            await MessageExchange.RunAsync(first + count, TroublePlan.Of(first + count));
        output.WriteLine($"{count} seeds from {first} on, {count / time.Elapsed.TotalSeconds:0} a second");
    }

    /// <summary>What the guarantee rests on: without any one of these, there is a place where a loss makes two of one message, or none.</summary>
    public static TheoryData<string> Omissions => [.. Without.Keys];

    private static Dictionary<string, TroublePlan> Without { get; } = new()
    {
        ["the sender settling second"] = new TroublePlan { SenderMode = ReceiverSettleMode.First },
        ["the receiver settling second"] = new TroublePlan { ReceiverMode = ReceiverSettleMode.First },
        ["ends that outlive their links"] = new TroublePlan { Durability = TerminusDurability.None },
        ["persistent messages"] = new TroublePlan { IsPersistent = false, Patience = TimeSpan.FromMilliseconds(500) },
        ["one transaction of the receiver"] = new TroublePlan { RecordsLate = true },
        ["the sender settling after the discharge"] = new TroublePlan { TransactionSize = 2, SettlesEarly = true },
        ["the sender forgetting first"] = new TroublePlan { ForgetsLate = true, TroubleChance = 0.05, Window = 3, IsRandom = true },
    };

    [Theory]
    [MemberData(nameof(Omissions))]
    public async Task The_check_finds_what_goes_wrong_without(string omission)
    {
        TroublePlan plan = Without[omission];
        if (plan.IsRandom)
        {
            for (int seed = 1; seed <= 500; seed++)
                if (await FailsAsync(seed, plan)) return;
            throw new XunitException("nothing went wrong");
        }
        long points = (await MessageExchange.RunAsync(1, plan)).Broker.Points;
        for (long point = 1; point <= points; point++)
            if (await FailsAsync(1, plan.IsPersistent ? plan with { LoseAt = point } : plan with { DieAt = point })) return;
        throw new XunitException("nothing went wrong");
    }

    private static async Task<bool> FailsAsync(int seed, TroublePlan plan)
    {
        try
        {
            await MessageExchange.RunAsync(seed, plan);
            return false;
        }
        catch (XunitException)
        {
            return true;
        }
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : null;
}
