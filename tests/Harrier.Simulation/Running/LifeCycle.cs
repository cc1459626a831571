using Harrier.Simulation.Accounts;
using Harrier.Storage.Disk;
using Harrier.TestSupport;
using Xunit.Sdk;

namespace Harrier.Simulation.Running;

/// <summary>The lives of one broker, from an empty disk on: started, used, ended, and looked at after each end.</summary>
internal sealed class LifeCycle(int seed, SimulationPlan plan)
{
    // Points that a life seldom has more of.
    private const int PointsMax = 250;

    private static readonly long Epoch = new SimClock().GetUtcNow().ToUnixTimeMilliseconds();

    private readonly Random _random = new(seed);
    private readonly BrokerAccount _account = new();
    private SimDisk _disk = new(new Random(seed ^ 0xD15C));
    private ObservedBroker _found = ObservedBroker.Empty;
    private Workload? _workload;
    private int _life;

    // At the time 0, at which an inspection looks, nothing has expired.
    private TimeSpan _age = TimeSpan.FromSeconds(1);

    /// <summary>Points that the first disk has reached.</summary>
    public long Points { get; private set; }

    private long NowMs => Epoch + (long)_age.TotalMilliseconds;

    /// <summary>Runs a seed, and tells how to run it again if it fails.</summary>
    public static LifeCycle Run(int seed, SimulationPlan plan)
    {
        var lives = new LifeCycle(seed, plan);
        try
        {
            lives.Run();
            return lives;
        }
        catch (Exception e)
        {
            string where = plan.CrashAt > 0 ? $" (crash at point {plan.CrashAt})" : "";
            throw new XunitException($"SIM_SEED={seed}{where}, life {lives._life}: {e.GetType().Name} {e.Message}\nlast steps: {lives._workload?.Trace}", e);
        }
    }

    private void Run()
    {
        if (_random.Next(4) == 0) _disk.GarbageChance = _random.NextDouble() / 2;
        for (_life = 1; _life <= plan.Lives; _life++)
        {
            long[] survivors = Live();
            if (_life == 1) Points = _disk.Points;
            _disk = _disk.Crash();
            _disk.CapacityBytes = null;
            if (_random.Next(4) == 0) _age += TimeSpan.FromMilliseconds(_random.Next(_random.Next(4) == 0 ? 5_000_000 : 5_000));
            _found = StartInspection.Inspect(_disk, plan.Settings, _account, survivors, NowMs, _random);
        }
    }

    /// <summary>Lives until a crash or a stop; up to which tickets the log may have survived it.</summary>
    private long[] Live()
    {
        _workload = null;
        Arm();
        SimulatedBroker? broker = null;
        try
        {
            broker = Start();
            if (broker is null) return Resumed();
            Adopt(broker);
            _workload = new Workload(_disk, broker, _account, _random, plan);
            SimulatedFormat.OnUse = _workload.CommitMeanwhile;
            _workload.Run(plan.CrashAt > 0 || !plan.HasCrashes ? plan.Steps : _random.Next(1, plan.Steps + 1));
            if (_random.Next(3) == 0) _workload.TakeEverything();
            if (_random.Next(3) > 0) return broker.Survivors;
            long[] all = [broker.Log.Appended];
            _workload.Stop();
            return all;
        }
        catch (SimulatedCrashException)
        {
            return _workload is null ? Resumed() : broker!.Survivors;
        }
        catch (FailStopException)
        {
            return broker!.Survivors;
        }
        finally
        {
            SimulatedFormat.OnUse = null;
            if (broker is not null) _age = broker.Age;
        }
    }

    // A start that did not come to its end has changed nothing that clients know of.
    private long[] Resumed()
    {
        Adopt(null);
        return [0];
    }

    private void Adopt(SimulatedBroker? broker)
    {
        if (broker is not null) _account.Adopt(_found, broker.Host.Topology.Queues.Values.OrderBy(q => q.Id.Value));
        else _account.Await(_found, NowMs);
    }

    private void Arm()
    {
        long crashAt = plan.CrashAt > 0 ? (_life == 1 ? plan.CrashAt : 0) : plan.HasCrashes && _random.Next(3) > 0 ? _random.Next(1, _random.Next(3) == 0 ? 20 : plan.IsHoarding ? 6 * PointsMax : PointsMax) : 0;
        if (crashAt == 0) return;
        _disk.OnPoint = point =>
        {
            if (point.Number == crashAt) throw new SimulatedCrashException();
        };
    }

    /// <summary>A new virtual host in the configuration now and then, and now and then a disk that is full at first.</summary>
    private SimulatedBroker? Start()
    {
        string[] hosts = _random.Next(4) == 0 ? ["/", $"v{_random.Next(3)}"] : ["/"];
        if (plan.HasFaults && _random.Next(4) == 0)
        {
            _disk.CapacityBytes = (1L << 40) - _disk.FreeBytes + _random.Next((int)plan.Settings.LogFileBytes * 2);
            try
            {
                return SimulatedBroker.Start(_disk, plan.Settings, _age, hosts);
            }
            catch (DiskFullException)
            {
                _disk.CapacityBytes = null;
                if (_random.Next(2) == 0) return null;
            }
        }
        return SimulatedBroker.Start(_disk, plan.Settings, _age, hosts);
    }
}
