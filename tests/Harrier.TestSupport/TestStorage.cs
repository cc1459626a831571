using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Security;
using Harrier.Storage.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harrier.TestSupport;

/// <summary>A data directory without threads: the log is committed when the test says so, and messages are read back at once or when the test says so.</summary>
public sealed class TestStorage : IDisposable
{
    private readonly BrokerStorage _storage;
    private readonly List<Action> _loads = [];

    /// <summary>Opens what is on a disk.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="clock">The clock; one of its own when absent.</param>
    public TestStorage(IDisk disk, SimClock? clock = null)
    {
        Clock = clock ?? new SimClock();
        var settings = new StorageSettings { LogFileBytes = 1 << 20, LoggedBytesMax = 1 << 20, UnloggedBytesMax = 1 << 20 };
        _storage = BrokerStorage.Open(disk, settings, new MessageFormats(AmqpServer.MessageFormats), new Random(1), Clock, NullLogger<BrokerStorage>.Instance);
        _storage.ScheduleLoad = load =>
        {
            if (!HoldsLoads) ThreadPool.QueueUserWorkItem(_ => load());
            else lock (_loads) _loads.Add(load);
        };
    }

    public SimClock Clock { get; }

    /// <summary>Whether reading back waits for <see cref="ReadBack"/>.</summary>
    public bool HoldsLoads { get; set; }

    /// <summary>Makes the broker of what was found.</summary>
    public MessageBroker CreateBroker(IEnumerable<string> virtualHosts, UserStore users)
    {
        var broker = new MessageBroker(virtualHosts, users, _storage);
        _storage.Begin(() => broker.Topologies, CommitUpTo);
        return broker;
    }

    /// <summary>Ends when something was logged that is not durable.</summary>
    public async Task WhenLogged()
    {
        using var late = new CancellationTokenSource(TestServer.SafetyNet);
        while (_storage.Log.Appended == _storage.Log.Durable)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Makes everything durable that was logged.</summary>
    public void Commit() => CommitUpTo(_storage.Log.Appended);

    /// <summary>Puts down what has changed, and lets messages go from memory.</summary>
    public void Checkpoint() => _storage.Checkpoint();

    /// <summary>Reads what queues have asked for meanwhile; false when they have not.</summary>
    public bool ReadBack()
    {
        Action[] loads;
        lock (_loads)
        {
            loads = [.. _loads];
            _loads.Clear();
        }
        foreach (Action load in loads) load();
        return loads.Length > 0;
    }

    public void Dispose() => _storage.Dispose();

    private void CommitUpTo(long ticket)
    {
        while (_storage.Log.Durable < ticket) _storage.Log.Commit();
    }
}
