using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Simulation.Accounts;
using Harrier.Simulation.Running;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Simulation;

/// <summary>Times to live of messages that were on disk when the broker started.</summary>
public class ExpiryAfterRestartTests
{
    private static readonly StorageSettings Settings = new() { LogFileBytes = 8 << 10, LoggedBytesMax = 1, UnloggedBytesMax = 1, DiskFreeBytesMin = 0 };

    [Fact]
    public void A_transient_message_that_a_stop_has_ended_does_not_expire_after_it()
    {
        var scenario = new Scenario(new SimDisk(1), Settings);
        Queue queue = scenario.Declare("q");
        scenario.Publish(queue, 1);
        SimulatedMessage transient = SimulatedMessage.Create(2, "", "q", 10, isPersistent: false) with { ExpiresAtMs = scenario.Broker.NowMs + 1000 };
        scenario.Session.Commands.Ask(new QueueCommand(QueueCommandKind.Enqueue, queue, transient.Rent()));
        scenario.Publish(queue, 3);
        scenario.Broker.Checkpoint();
        Scenario restarted = scenario.Restart();
        restarted.Broker.Clock.Advance(TimeSpan.FromSeconds(2));
        restarted.Broker.RunLoads();
        restarted.Find("q").ReadyCount.ShouldBe(2);
        restarted.Drain("q").ShouldBe([1, 3]);
    }
}
