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
    /// <param name="disk">The disk that a crash has left.</param>
    /// <param name="settings">As the broker has them.</param>
    /// <param name="account">Knows the messages that there were ever.</param>
    /// <param name="survivors">Up to which tickets the log may have survived.</param>
    /// <param name="random">Chooses how to look.</param>
    public static ObservedBroker Inspect(SimDisk disk, StorageSettings settings, BrokerAccount account, long[] survivors, Random random)
    {
        SimDisk copy = disk.Clone();
        copy.CapacityBytes = null;
        if (random.Next(4) == 0) SimulatedBroker.Open(copy, settings, "/").Dispose(); // to read changes nothing
        ObservedBroker found = Drain(copy, settings, account, random);
        var contradictions = new List<string>();
        foreach (long survivor in survivors.Distinct())
        {
            if (account.Contradiction(survivor, found) is not { } contradiction) return found;
            contradictions.Add($"the log up to ticket {survivor}: {contradiction}");
        }
        throw new InvalidOperationException("what is there after the start is explained by none of these:\n" + string.Join('\n', contradictions));
    }

    private static ObservedBroker Drain(SimDisk disk, StorageSettings settings, BrokerAccount account, Random random)
    {
        bool isCheckpointed = random.Next(4) > 0;
        SimulatedBroker broker = isCheckpointed ? SimulatedBroker.Start(disk, settings, "/") : SimulatedBroker.Open(disk, settings, "/");
        string topology = TopologyText.Of(broker.Host.Topology);
        ClientSession session = broker.Connect();
        var queues = new Dictionary<long, IReadOnlyList<ObservedMessage>>();
        foreach (Queue queue in broker.Host.Topology.Queues.Values.OrderBy(q => q.Id.Value))
        {
            queue.Definition.IsDurable.ShouldBeTrue("only durable queues outlive a stop");
            int count = queue.ReadyCount;
            List<ObservedMessage> messages = random.Next(2) == 0 ? GetAll(broker, session, queue, account) : ConsumeAll(broker, session, queue, account);
            messages.Count.ShouldBe(count, $"{queue.NameText} counts what it holds");
            queues.Add(queue.Id.Value, messages);
        }
        broker.AssertNothingIsUnreadable();
        if (!isCheckpointed) broker.Begin();
        broker.AssertNothingIsLeft();
        broker.Dispose();
        return new ObservedBroker(topology, queues);
    }

    private static List<ObservedMessage> GetAll(SimulatedBroker broker, ClientSession session, Queue queue, BrokerAccount account)
    {
        List<ObservedMessage> messages = [];
        while (true)
        {
            QueueAnswer answer = broker.Get(session, queue, QueueCommandFlags.None);
            if (answer.Status == QueueAnswerStatus.Empty) return messages;
            messages.Add(new ObservedMessage(account.Recognize(answer.Message!), answer.Sequence, answer.IsRedelivered));
            answer.Message!.Release();
            session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: answer.Delivery));
            session.Commands.Run();
        }
    }

    private static List<ObservedMessage> ConsumeAll(SimulatedBroker broker, ClientSession session, Queue queue, BrokerAccount account)
    {
        List<ObservedMessage> messages = [];
        List<DeliveryId> unacked = [];
        var consumer = new QueueConsumer(queue, new SimulatedConsumer(delivery =>
        {
            messages.Add(new ObservedMessage(account.Recognize(delivery.Message), delivery.Sequence, delivery.IsRedelivered));
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
