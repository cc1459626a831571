using System.Diagnostics;
using System.Net;
using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.TestSupport;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>
/// A broker with one durable queue, on a simulated disk, that dies where its plan says, and is started again. The log is committed while a client waits for something.
/// Owned by one test.
/// </summary>
internal sealed class TroubledBroker
{
    public const string QueueName = "q";

    // Rounds in which the broker may answer before the log is committed: it must not need to, and does when it promises what it has not got.
    private const int PatienceRounds = 20;

    private readonly TroublePlan _plan;
    private readonly Random _random;
    private readonly SimClock _clock = new();
    private readonly UserStore _users = new([TestUsers.Guest], "guest");
    private readonly List<WireScript10> _clients = [];
    private SimDisk _disk;
    private TestStorage? _storage;
    private AmqpServer? _server;
    private ListLogger<AmqpServer> _log = new();
    private int _troubles;

    public TroubledBroker(int seed, TroublePlan plan)
    {
        _plan = plan;
        _random = new Random(seed);
        _disk = new SimDisk(new Random(seed ^ 0xD15C));
        Arm(plan.CrashAt);
        Start();
    }

    /// <summary>Moments at which something could be lost, so far.</summary>
    public long Points { get; private set; }

    /// <summary>Points of the first disk.</summary>
    public long DiskPoints { get; private set; }

    /// <summary>How often the broker was started.</summary>
    public int Starts { get; private set; }

    private VirtualHost Host { get; set; } = null!;

    /// <summary>Queues that stand for the ends of links.</summary>
    public IEnumerable<Queue> Termini => Host.Topology.Queues.Values.Where(queue => queue.Definition.Role == QueueRole.Terminus);

    /// <summary>The queue of the exchange.</summary>
    public Queue Queue => Host.FindQueue(QueueName, this);

    public Random Random => _random;

    public WireScript10 Connect()
    {
        (MemoryTransport client, MemoryTransport server) = MemoryTransport.CreatePair(1 << 20);
        var script = new WireScript10(client, ServeAsync(_server!, server));
        _clients.Add(script);
        return script;
    }

    /// <summary>Where to write what was said; null when nobody wants to know.</summary>
    public static string? TraceFile { get; } = Environment.GetEnvironmentVariable("ONCE_TRACE");

    /// <summary>What was said.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Takes down what somebody does.</summary>
    public void Note(string who, string what, object detail)
    {
        if (TraceFile is not null) Trace.Add($"{who} {what} {detail}");
    }

    /// <summary>A moment at which the plan may have something lost: it says so by what it throws.</summary>
    public void Point()
    {
        Points++;
        bool isTrouble = _plan.TroubleChance > 0 && _troubles < _plan.TroublesMax && _random.NextDouble() < _plan.TroubleChance;
        if (isTrouble) _troubles++;
        if (Points == _plan.DieAt || (isTrouble && _random.Next(3) == 0)) throw new SimulatedCrashException();
        if (Points == _plan.LoseAt || isTrouble) throw new ConnectionLostException();
    }

    /// <summary>Waits for something the broker does, and has its log committed meanwhile.</summary>
    public async Task<T> Until<T>(Task<T> task)
    {
        long start = Stopwatch.GetTimestamp();
        for (int round = 1; !task.IsCompleted; round++)
        {
            await Task.Yield();
            if (round % PatienceRounds == 0) _storage!.Commit();
            if (Stopwatch.GetElapsedTime(start) > _plan.Patience) throw new WireScriptException("The broker does not answer.");
        }
        return await task;
    }

    public Task Until(Task task) => Until(task.ContinueWith(done => { done.GetAwaiter().GetResult(); return true; }, TaskScheduler.Default));

    /// <summary>Puts down what has changed.</summary>
    public void Checkpoint() => _storage!.Checkpoint();

    /// <summary>Ends the process and starts it anew with what the disk has kept.</summary>
    public void Restart()
    {
        End();
        Note("broker", "dies", Starts);
        _disk = _disk.Crash();
        if (_plan.TroubleChance > 0 && _troubles < _plan.TroublesMax && _random.Next(2) == 0)
        {
            _troubles++;
            Arm(_random.Next(1, 200));
        }
        Start();
    }

    /// <summary>Whether the client's connection may just vanish, without the broker's knowing.</summary>
    public bool IsHalfOpen() => _plan.IsHalfOpen || (_plan.IsRandom && _random.Next(3) == 0);

    public void End()
    {
        foreach (WireScript10 client in _clients) client.Leave();
        _clients.Clear();
        _server?.Dispose();
        _storage?.Dispose();
        LogEntry? worst = _log.Entries.FirstOrDefault(e => e.Level >= LogLevel.Error);
        worst.ShouldBeNull();
    }

    private void Arm(long crashAt)
    {
        if (crashAt == 0) return;
        _disk.OnPoint = point =>
        {
            if (point.Number == crashAt) throw new SimulatedCrashException();
        };
    }

    private void Start()
    {
        Starts++;
        while (true)
        {
            try
            {
                Open();
                return;
            }
            catch (SimulatedCrashException)
            {
                _storage?.Dispose();
                _disk = _disk.Crash();
            }
        }
    }

    private void Open()
    {
        _storage = null;
        _storage = new TestStorage(_disk, _clock);
        MessageBroker broker = _storage.CreateBroker(["/"], _users);
        broker.TryFindVirtualHost("/", out VirtualHost? host).ShouldBeTrue();
        Host = host!;
        new ClientSession(TestUsers.Guest, Host).DeclareQueue(QueueName, durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);
        _storage.Commit();
        _log = new ListLogger<AmqpServer>();
        _server = new AmqpServer(broker, new ConnectionLimits(), new ServerIdentity(), _clock, _log);
    }

    /// <summary>Notes how far the first disk has come.</summary>
    public void CountDisk() => DiskPoints = _disk.Points;

    private static async Task ServeAsync(AmqpServer server, MemoryTransport transport)
    {
        await Task.Yield();
        await server.ServeAsync(transport, new IPEndPoint(IPAddress.Loopback, 50_000));
        await transport.Input.CompleteAsync();
        await transport.Output.CompleteAsync();
    }
}
