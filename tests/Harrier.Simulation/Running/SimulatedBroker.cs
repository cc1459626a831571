using Harrier.Broker;
using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Simulation.Accounts;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.Running;

/// <summary>One life of a durable broker, in the one thread that there is: what its own threads would do is done when it is asked for.</summary>
internal sealed class SimulatedBroker : IDisposable
{
    private const int UnreadableEvent = 5002;

    // The one that is written, and those in reserve.
    private const int LogFilesMax = 3;

    private static readonly UserStore Users = new([TestUsers.Guest]);

    private readonly SimDisk _disk;
    private readonly List<Action> _loads = [];
    private readonly ListLogger<BrokerStorage> _logger = new();
    private long _batch;

    private SimulatedBroker(SimDisk disk, StorageSettings settings, TimeSpan age, IEnumerable<string> virtualHosts)
    {
        _disk = disk;
        Clock.Advance(age);
        Storage = BrokerStorage.Open(disk, settings, SimulatedFormat.Formats, new Random(1), Clock, _logger);
        Storage.ScheduleLoad = _loads.Add;
        Storage.Shards.Clock.OnFailure = failure => throw new InvalidOperationException("a queue cannot do what is due", failure);
        Broker = new MessageBroker(virtualHosts, Users, Storage);
        Broker.TryFindVirtualHost("/", out VirtualHost? host).ShouldBeTrue();
        Host = host!;
    }

    public BrokerStorage Storage { get; }

    /// <summary>Stands still unless it is advanced.</summary>
    public SimClock Clock { get; } = new();

    /// <summary>The time since the first broker's start.</summary>
    public TimeSpan Age => new(Clock.GetTimestamp());

    public long NowMs => Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public MessageBroker Broker { get; }

    public VirtualHost Host { get; }

    public WriteAheadLog Log => Storage.Log;

    /// <summary>Readings from disk that were asked for and not done yet.</summary>
    public int LoadCount => _loads.Count;

    public bool IsCommitting { get; private set; }

    /// <summary>Up to which tickets of the log a stop at this moment may leave it.</summary>
    public long[] Survivors => IsCommitting ? [Log.Durable, _batch] : [Log.Durable];

    /// <summary>Opens a data directory as far as a process does before it puts anything down.</summary>
    public static SimulatedBroker Open(SimDisk disk, StorageSettings settings, params IEnumerable<string> virtualHosts) =>
        new(disk, settings, TimeSpan.Zero, virtualHosts);

    /// <summary>Opens a data directory and is ready for clients.</summary>
    public static SimulatedBroker Start(SimDisk disk, StorageSettings settings, params IEnumerable<string> virtualHosts) =>
        Start(disk, settings, TimeSpan.Zero, virtualHosts);

    /// <summary>Likewise, at a later time.</summary>
    public static SimulatedBroker Start(SimDisk disk, StorageSettings settings, TimeSpan age, IEnumerable<string> virtualHosts)
    {
        var broker = new SimulatedBroker(disk, settings, age, virtualHosts);
        try
        {
            broker.Begin();
            return broker;
        }
        catch (IOException)
        {
            broker.Dispose();
            throw;
        }
    }

    public void Begin()
    {
        while (Log.Durable < Log.Appended) Commit(); // the log's thread may be as fast as that
        Storage.Begin(() => Broker.Topologies, WaitUntilDurable);
    }

    public ClientSession Connect() => new(TestUsers.Guest, Host);

    /// <summary>What the log's thread does with what is queued.</summary>
    public bool Commit()
    {
        if (_batch <= Log.Durable) _batch = Log.Appended;
        IsCommitting = true;
        try
        {
            bool hasWritten = Log.Commit();
            IsCommitting = false;
            return hasWritten;
        }
        catch (DiskFullException)
        {
            IsCommitting = false;
            throw;
        }
    }

    /// <summary>What the log's thread does when nothing is queued.</summary>
    public void MarkIfIdle()
    {
        if (Log.Durable == Log.Appended) Log.Mark();
    }

    /// <summary>What the checkpointer's thread does now and then, so that the log need not.</summary>
    public void Prepare() => Storage.Prepare();

    public void Checkpoint()
    {
        Storage.Checkpoint();
        AssertLogIsTrimmed();
    }

    public void RunLoad(int index)
    {
        Action load = _loads[index];
        _loads.RemoveAt(index);
        load();
    }

    public void RunLoads()
    {
        while (_loads.Count > 0) RunLoad(0);
    }

    /// <summary>Asks a queue for its first message, and for the disk as often as it takes.</summary>
    public QueueAnswer Get(ClientSession session, Queue queue, QueueCommandFlags flags)
    {
        QueueAnswer answer = session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, queue, Flags: flags));
        while (answer.Status == QueueAnswerStatus.OnDisk)
        {
            _loads.Count.ShouldBeGreaterThan(0, "a message that is on disk is being read");
            RunLoads();
            answer = session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, queue, Flags: flags));
        }
        return answer;
    }

    /// <summary>Whether the counts of memory are what the queues hold.</summary>
    public void AssertMemoryIsCounted()
    {
        FreshBytes fresh = Broker.Topologies.SelectMany(t => t.Queues.Values).Aggregate(default(FreshBytes), (sum, q) => sum + q.Machine.FreshBytes);
        Storage.FreshBytes.ShouldBe(fresh, "memory is counted as it is used");
    }

    /// <summary>Whether a broker that holds nothing keeps nothing on disk.</summary>
    public void AssertNothingIsLeft()
    {
        RunLoads();
        WaitUntilDurable(Log.Appended); // so that the log does not go on to another file meanwhile
        Checkpoint();
        Storage.FreshBytes.ShouldBe(default, "no message is left to be in memory");
        _disk.List("segments").ShouldBeEmpty("no message is left for a segment to hold");
        _disk.List("log").Count.ShouldBeLessThanOrEqualTo(LogFilesMax, $"{Manifest.Read(_disk)!.LogFrom}, {Log.CurrentFile}: {string.Join(' ', _disk.List("log"))}");
    }

    public void AssertNothingIsUnreadable() => _logger.Entries.Any(entry => entry.EventId == UnreadableEvent).ShouldBeFalse("what is on disk can be read");

    public void Dispose() => Storage.Dispose();

    private void WaitUntilDurable(long ticket)
    {
        while (Log.Durable < ticket) Commit();
    }

    private void AssertLogIsTrimmed()
    {
        string first = $"log/{Manifest.Read(_disk)!.LogFrom.Number:x16}.log";
        _disk.List("log").Any(name => string.CompareOrdinal(name, first) < 0).ShouldBeFalse("the log before the manifest is gone");
    }
}
