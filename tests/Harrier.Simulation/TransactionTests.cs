using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Simulation.Running;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Simulation;

/// <summary>A transaction over queues of several shards, and a crash at every point of its way to the disk.</summary>
public class TransactionTests
{
    private const int Outcomes = 60;

    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly StorageSettings Settings = new() { LogFileBytes = 8 << 10, DiskFreeBytesMin = 0 };

    /// <summary>What is done while the transaction is not on disk yet, with a body that needs one sector, many, or more than a log file.</summary>
    public static TheoryData<int, bool> Ways => new() { { 20, false }, { 3000, false }, { 12_000, false }, { 20, true }, { 3000, true } };

    [Theory]
    [MemberData(nameof(Ways))]
    public void All_of_a_transaction_is_found_or_nothing(int bodySize, bool isCheckpointed)
    {
        (long first, long last) = Run(new SimDisk(1), crashAt: 0, bodySize, isCheckpointed, out Scenario whole);
        AssertIsWhole(whole.Restart()).ShouldBeTrue("what was committed stays");
        int found = 0, missing = 0;
        for (long point = first; point <= last; point++)
        {
            Run(new SimDisk((int)point), point, bodySize, isCheckpointed, out Scenario scenario);
            for (int outcome = 0; outcome < Outcomes; outcome++)
            {
                if (AssertIsWhole(scenario.Restart())) found++;
                else missing++;
            }
        }
        found.ShouldBeGreaterThan(0);
        missing.ShouldBeGreaterThan(0);
    }

    /// <summary>Publishes and accepts in three queues at once, and brings that to the disk: between which points.</summary>
    private static (long First, long Last) Run(SimDisk disk, long crashAt, int bodySize, bool isCheckpointed, out Scenario scenario)
    {
        scenario = new Scenario(disk, Settings);
        Queue[] queues = [.. Names.Select(scenario.Declare)];
        queues.Select(q => q.Shard.Index).Distinct().Count().ShouldBe(queues.Length);
        for (int i = 0; i < queues.Length; i++) scenario.Publish(queues[i], i + 1);
        scenario.Broker.Commit();
        QueueCommand[] commands = [.. queues.Select(scenario.TakeToAccept), .. queues.Select((q, i) => Scenario.Publication(q, i + 11, bodySize))];
        scenario.Session.Commands.RunAtomically(commands);
        long first = disk.Points + 1;
        disk.OnPoint = point =>
        {
            if (point.Number == crashAt) throw new SimulatedCrashException();
        };
        try
        {
            if (isCheckpointed) scenario.Broker.Checkpoint();
            else scenario.Broker.Commit();
            scenario.Session.Ticket.ShouldBeLessThanOrEqualTo(scenario.Broker.Log.Durable);
        }
        catch (SimulatedCrashException)
        {
            crashAt.ShouldBePositive();
        }
        return (first, disk.Points);
    }

    private static bool AssertIsWhole(Scenario scenario)
    {
        List<long>[] contents = [.. Names.Select(scenario.Drain)];
        bool isThere = contents[0].SequenceEqual([11]);
        for (int i = 0; i < contents.Length; i++) contents[i].ShouldBe([isThere ? i + 11 : i + 1]);
        return isThere;
    }
}
