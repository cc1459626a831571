using System.Collections.Frozen;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Harrier.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Harrier.Broker.Tests.Durability;

/// <summary>A durable broker in one thread, on a simulated disk, that can be started again. Messages are numbers, in their bodies.</summary>
internal sealed class DurableBench : IDisposable
{
    private readonly List<Action> _loads = [];
    private readonly PlainFormat _format;
    private readonly StorageSettings _settings;
    private BrokerStorage _storage = null!;
    private MessageBroker? _broker;

    public DurableBench() : this(new PlainFormat())
    {
    }

    public DurableBench(PlainFormat format, StorageSettings? settings = null)
    {
        _format = format;
        _settings = (settings ?? new StorageSettings()) with { LogFileBytes = 1 << 20 };
        Start();
    }

    public SimClock Clock { get; } = new();

    public SimDisk Disk { get; private set; } = new(1);

    public ClientSession Session { get; private set; } = null!;

    /// <summary>What happens in the middle of a checkpoint: all is written, and nothing has left memory yet.</summary>
    public Action? WhileWritten { get; set; }

    public Queue Queue(string name) => Session.VirtualHost.FindQueue(name, Session);

    public void Publish(string queue, int from, int count, bool isPersistent = true, int size = 100)
    {
        for (int i = from; i < from + count; i++)
        {
            byte[] body = new byte[size];
            BitConverter.TryWriteBytes(body, i);
            Message message = Message.Rent(new PlainFormat(), [], System.Text.Encoding.UTF8.GetBytes(queue), [], size);
            message.AppendBody(body, size);
            message.IsPersistent = isPersistent;
            Session.Commands.Add(new QueueCommand(QueueCommandKind.Enqueue, Queue(queue), message));
        }
        Session.Commands.Run();
    }

    /// <summary>Takes a message, whatever has to be read for it; null when there is none.</summary>
    public (int Number, bool IsRedelivered, DeliveryId Id)? Get(string queue, bool isSettled = false)
    {
        QueueCommandFlags flags = isSettled ? QueueCommandFlags.Settled : QueueCommandFlags.None;
        while (true)
        {
            QueueAnswer answer = Session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, Queue(queue), Flags: flags));
            if (answer.Status == QueueAnswerStatus.Empty) return null;
            if (answer.Status == QueueAnswerStatus.OnDisk)
            {
                ReadBack().ShouldBeTrue("somebody reads it");
                continue;
            }
            int number = NumberOf(answer.Message!);
            answer.Message!.Release();
            return (number, answer.IsRedelivered, answer.Delivery);
        }
    }

    public List<int> GetAll(string queue)
    {
        List<int> numbers = [];
        while (Get(queue, isSettled: true) is { } found) numbers.Add(found.Number);
        return numbers;
    }

    public void Settle(string queue, DeliveryId id, Outcome outcome = Outcome.Accepted)
    {
        Session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, Queue(queue), Delivery: id, Outcome: outcome));
        Session.Commands.Run();
    }

    public static int NumberOf(Message message) => BitConverter.ToInt32(message.Body);

    /// <summary>Carries out the readings that were asked for; false when there were none.</summary>
    public bool ReadBack()
    {
        Action[] loads;
        lock (_loads) // a browser goes on by another thread
        {
            loads = [.. _loads];
            _loads.Clear();
        }
        foreach (Action load in loads) load();
        return loads.Length > 0;
    }

    public void Commit()
    {
        while (_storage.Log.Commit())
        {
        }
    }

    public void Checkpoint() => _storage.Checkpoint();

    /// <summary>Kills the broker, with everything that was logged on disk, and starts another.</summary>
    public void Restart(bool withCheckpoint = false)
    {
        Commit();
        if (withCheckpoint) Checkpoint();
        _broker!.Dispose(); // else the old one's clock would go on
        Disk = Disk.Clone();
        _loads.Clear();
        Start();
    }

    public void Dispose() => _storage.Dispose();

    private void Start()
    {
        _storage = BrokerStorage.Open(Disk, _settings, new MessageFormats(_format), new Random(1), Clock, NullLogger<BrokerStorage>.Instance);
        var broker = _broker = new MessageBroker([TestBroker.HostName], new UserStore([]), _storage);
        BrokerStorage storage = _storage;
        storage.ScheduleLoad = load =>
        {
            lock (_loads) _loads.Add(load);
        };
        storage.Begin(() => broker.Topologies, WaitUntilDurable);
        broker.TryFindVirtualHost(TestBroker.HostName, out VirtualHost? host).ShouldBeTrue();
        Session = new ClientSession(new User("u", null, new HashSet<string>(), FrozenDictionary.ToFrozenDictionary([KeyValuePair.Create(TestBroker.HostName, Permissions.All)])), host!);
    }

    private void WaitUntilDurable(long ticket)
    {
        while (_storage.Log.Durable < ticket) _storage.Log.Commit();
        WhileWritten?.Invoke();
    }
}
