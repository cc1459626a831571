using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Simulation.Accounts;
using Harrier.TestSupport;

namespace Harrier.Simulation.Running;

/// <summary>A broker on a simulated disk for tests that say themselves what happens, with one session and the shortest words for it.</summary>
internal sealed class Scenario
{
    private readonly StorageSettings _settings;

    public Scenario(SimDisk disk, StorageSettings settings)
    {
        Disk = disk;
        _settings = settings;
        Broker = SimulatedBroker.Start(disk, settings, "/");
        Session = Broker.Connect();
    }

    public SimDisk Disk { get; }

    public SimulatedBroker Broker { get; }

    public ClientSession Session { get; }

    /// <summary>A broker on what a crash at this moment leaves of the disk.</summary>
    public Scenario Restart()
    {
        SimDisk disk = Disk.Crash();
        disk.CapacityBytes = null;
        return new Scenario(disk, _settings);
    }

    public Queue Declare(string name) => Session.DeclareQueue(name, durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);

    public Queue Find(string name) => Session.QueueToRead(name);

    public static QueueCommand Publication(Queue queue, long number, int bodySize = 100) =>
        new(QueueCommandKind.Enqueue, queue, SimulatedMessage.Create(number, "", queue.NameText, bodySize, isPersistent: true).Rent());

    /// <summary>Publishes, and says which ticket confirms it.</summary>
    public long Publish(Queue queue, long number, int bodySize = 100)
    {
        Session.Commands.Add(Publication(queue, number, bodySize));
        Session.Commands.Run();
        return Session.Ticket;
    }

    /// <summary>Takes a message without settling it.</summary>
    public QueueCommand TakeToAccept(Queue queue)
    {
        QueueAnswer answer = Broker.Get(Session, queue, QueueCommandFlags.None);
        answer.Message!.Release();
        return new QueueCommand(QueueCommandKind.Settle, queue, Delivery: answer.Delivery);
    }

    /// <summary>Takes everything out of a queue: the numbers of the messages, in order.</summary>
    public List<long> Drain(string name)
    {
        List<long> numbers = [];
        Queue queue = Find(name);
        while (true)
        {
            QueueAnswer answer = Broker.Get(Session, queue, QueueCommandFlags.Settled);
            if (answer.Status == QueueAnswerStatus.Empty) return numbers;
            numbers.Add(SimulatedMessage.NumberOf(answer.Message!));
            answer.Message!.Release();
        }
    }
}
