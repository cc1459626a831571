using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Simulation.Accounts;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.Running;

/// <summary>Starts a broker on a copy of a disk, takes everything out of it, and says what was there.</summary>
internal static class StartInspection
{
    // Longer than anything is put aside for.
    private static readonly TimeSpan Long = TimeSpan.FromDays(1000);

    /// <param name="disk">The disk that a crash has left.</param>
    /// <param name="settings">As the broker has them.</param>
    /// <param name="account">Knows the messages that there were ever.</param>
    /// <param name="survivors">Up to which tickets the log may have survived.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="random">Chooses how to look.</param>
    public static ObservedBroker Inspect(SimDisk disk, StorageSettings settings, BrokerAccount account, long[] survivors, long nowMs, Random random)
    {
        SimDisk copy = disk.Clone();
        copy.CapacityBytes = null;
        if (random.Next(4) == 0) SimulatedBroker.Open(copy, settings, "/").Dispose(); // to read changes nothing
        ObservedBroker found = Look(copy, settings, account, nowMs, random);
        var contradictions = new List<string>();
        foreach (long survivor in survivors.Distinct())
        {
            if (account.Contradiction(survivor, found) is not { } contradiction) return found;
            contradictions.Add($"the log up to ticket {survivor}: {contradiction}");
        }
        throw new InvalidOperationException("what is there after the start is explained by none of these:\n" + string.Join('\n', contradictions));
    }

    // It is still the time of the first start: nothing has expired there, so that all that is found can be seen.
    private static ObservedBroker Look(SimDisk disk, StorageSettings settings, BrokerAccount account, long nowMs, Random random)
    {
        bool isCheckpointed = random.Next(4) > 0;
        SimulatedBroker broker = isCheckpointed ? SimulatedBroker.Start(disk, settings, "/") : SimulatedBroker.Open(disk, settings, "/");
        string topology = TopologyText.Of(broker.Host.Topology);
        ClientSession session = broker.Connect();
        var queues = new Dictionary<long, ObservedQueue>();
        foreach (Queue queue in broker.Host.Topology.Queues.Values.OrderBy(q => q.Id.Value))
        {
            queue.Definition.IsDurable.ShouldBeTrue("only durable queues outlive a stop");
            queue.Settings = QueueSettings.None;
            ObservedQueue found = new RecoveredQueue(queue, account).Read();
            queues.Add(queue.Id.Value, found);
            queue.ReadyCount.ShouldBe(found.Messages.Count(m => m.ReadyAtMs == 0), $"{queue.NameText} counts what it holds");
            List<(long, ulong)> taken = random.Next(2) == 0 ? GetAll(broker, session, queue, account) : ConsumeAll(broker, session, queue, account);
            ObservedMessage[] ready = [.. found.Messages.Where(m => m.ReadyAtMs == 0)];
            taken.Order().SequenceEqual(ready.Select(m => (m.Number, m.Sequence)).Order()).ShouldBeTrue($"{queue.NameText} gives its messages");
            // What has expired may come first: it was on its way out already.
            HashSet<(long, ulong)> lasting = [.. ready.Where(m => m.ExpiresAtMs == 0 || m.ExpiresAtMs > nowMs).Select(m => (m.Number, m.Sequence))];
            taken.Where(lasting.Contains).SequenceEqual(ready.Select(m => (m.Number, m.Sequence)).Where(lasting.Contains))
                .ShouldBeTrue($"{queue.NameText} gives its messages in order");
        }
        broker.AssertNothingIsUnreadable();
        if (!isCheckpointed) broker.Begin();
        AssertOthersComeLater(broker, session, account, queues);
        broker.AssertNothingIsLeft();
        broker.Dispose();
        return new ObservedBroker(topology, queues);
    }

    /// <summary>Lets time pass, until what is to be delivered later is there, unless its time to live is over then.</summary>
    private static void AssertOthersComeLater(SimulatedBroker broker, ClientSession session, BrokerAccount account, Dictionary<long, ObservedQueue> queues)
    {
        broker.Clock.Advance(Long);
        foreach (Queue queue in broker.Host.Topology.Queues.Values.OrderBy(q => q.Id.Value))
        {
            queue.AsideCount.ShouldBe(0);
            GetAll(broker, session, queue, account).ShouldBe(
                queues[queue.Id.Value].Messages.Where(m => m.ReadyAtMs != 0 && m.ExpiresAtMs == 0).Select(m => (m.Number, m.Sequence)), $"{queue.NameText} gives what it was to give later");
        }
    }

    private static List<(long Number, ulong Sequence)> GetAll(SimulatedBroker broker, ClientSession session, Queue queue, BrokerAccount account)
    {
        List<(long, ulong)> messages = [];
        while (true)
        {
            QueueAnswer answer = broker.Get(session, queue, QueueCommandFlags.None);
            if (answer.Status == QueueAnswerStatus.Empty) return messages;
            messages.Add((account.Recognize(answer.Message!), answer.Sequence));
            answer.Message!.Release();
            session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: answer.Delivery));
            session.Commands.Run();
        }
    }

    private static List<(long Number, ulong Sequence)> ConsumeAll(SimulatedBroker broker, ClientSession session, Queue queue, BrokerAccount account)
    {
        List<(long, ulong)> messages = [];
        List<DeliveryId> unacked = [];
        var consumer = new QueueConsumer(queue, new SimulatedConsumer(delivery =>
        {
            messages.Add((account.Recognize(delivery.Message), delivery.Sequence));
            unacked.Add(delivery.Id);
        }));
        session.Consume(consumer);
        session.Commands.Add(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: consumer));
        session.Commands.Run();
        broker.RunLoads();
        foreach (DeliveryId id in unacked) session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: id));
        session.Commands.Run();
        session.Cancel(consumer);
        return messages;
    }
}
