using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Simulation.Running;
using Harrier.Storage.Disk;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Simulation;

/// <summary>A disk that is full for a while, and one that fails.</summary>
public class FaultTests
{
    private const int BodySize = 700;

    private static readonly StorageSettings Settings = new() { LogFileBytes = 8 << 10, LoggedBytesMax = 8 << 10, UnloggedBytesMax = 8 << 10, DiskFreeBytesMin = 0 };

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 4)]
    [InlineData(6_000, 3)]
    [InlineData(20_000, 5)]
    [InlineData(40_000, 1)]
    public void A_broker_goes_on_when_a_full_disk_has_space_again(int space, int checkpointEvery)
    {
        var scenario = new Scenario(new SimDisk(space + checkpointEvery), Settings);
        Queue queue = scenario.Declare("q");
        scenario.Broker.Commit();
        scenario.Disk.CapacityBytes = (1L << 40) - scenario.Disk.FreeBytes + space;
        int refusals = 0;
        for (int number = 1; number <= 100; number++)
        {
            scenario.Publish(queue, number, number == 50 ? 20_000 : BodySize);
            refusals += Refused(() => scenario.Broker.Commit());
            if (checkpointEvery > 0 && number % checkpointEvery == 0) refusals += Refused(scenario.Broker.Checkpoint);
            if (number == 90) scenario.Disk.CapacityBytes = null;
        }
        refusals.ShouldBeGreaterThan(0, "the disk was full");
        scenario.Broker.Commit();
        scenario.Session.Ticket.ShouldBeLessThanOrEqualTo(scenario.Broker.Log.Durable, "with space there are confirms");
        scenario.Broker.Checkpoint();
        List<long> all = [.. Enumerable.Range(1, 100)];
        scenario.Restart().Drain("q").ShouldBe(all);
    }

    [Fact]
    public void What_was_confirmed_before_the_disk_was_full_is_there_when_the_broker_dies_of_it()
    {
        for (int seed = 1; seed <= 50; seed++)
        {
            var scenario = new Scenario(new SimDisk(seed), Settings);
            Queue queue = scenario.Declare("q");
            scenario.Broker.Commit();
            scenario.Disk.CapacityBytes = (1L << 40) - scenario.Disk.FreeBytes + seed * 600;
            int confirmed = 0;
            for (int number = 1; number <= 100; number++)
            {
                long ticket = scenario.Publish(queue, number, BodySize);
                Refused(() => scenario.Broker.Commit());
                if (number % 7 == 0) Refused(scenario.Broker.Checkpoint);
                if (ticket <= scenario.Broker.Log.Durable) confirmed = number;
            }
            scenario.Restart().Drain("q").ShouldBe(Enumerable.Range(1, confirmed).Select(n => (long)n));
        }
    }

    [Theory]
    [InlineData("log")]
    [InlineData("segments")]
    [InlineData("manifest")]
    [InlineData("")]
    public void After_a_failed_sync_nothing_is_confirmed_and_nothing_confirmed_is_lost(string where)
    {
        for (int seed = 1; seed <= 50; seed++)
        {
            var scenario = new Scenario(new SimDisk(seed), Settings);
            Queue queue = scenario.Declare("q");
            int number = 1;
            for (; number <= 20; number++) scenario.Publish(queue, number, BodySize);
            scenario.Broker.Commit();
            scenario.Disk.FailSync = name => where.Length == 0 ? name.Length == 0 : name.StartsWith(where, StringComparison.Ordinal);
            for (; number <= 25; number++) scenario.Publish(queue, number, BodySize);
            long durable = scenario.Broker.Log.Durable;
            if (where == "log") AssertIsDead(scenario);
            else Should.Throw<IOException>(scenario.Broker.Checkpoint);
            // A checkpoint writes segments before it waits for the log, and the manifest after that.
            bool isCommitted = where is not ("log" or "segments");
            scenario.Broker.Log.Durable.ShouldBe(isCommitted ? scenario.Broker.Log.Appended : durable);
            List<long> found = scenario.Restart().Drain("q");
            if (where == "log") found.Count.ShouldBeOneOf(20, 25);
            else found.Count.ShouldBe(isCommitted ? 25 : 20);
            found.ShouldBe(Enumerable.Range(1, found.Count).Select(n => (long)n));
        }
    }

    private static void AssertIsDead(Scenario scenario)
    {
        Should.Throw<IOException>(() => scenario.Broker.Commit());
        scenario.Disk.FailSync = null; // a second try would succeed, without having written anything
        for (int i = 0; i < 3; i++) Should.Throw<InvalidOperationException>(() => scenario.Broker.Commit());
        Should.Throw<InvalidOperationException>(scenario.Broker.Checkpoint);
    }

    private static int Refused(Action act)
    {
        try
        {
            act();
            return 0;
        }
        catch (DiskFullException)
        {
            return 1;
        }
    }
}
