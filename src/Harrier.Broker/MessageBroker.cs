using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Harrier.Broker.Durability;
using Harrier.Broker.Flow;
using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using Harrier.Broker.Topology;

namespace Harrier.Broker;

/// <summary>The broker: virtual hosts, users and queues, without any protocol. Thread-safe; lives as long as the process wants it.</summary>
public sealed class MessageBroker : IQueueHost, IDisposable
{
    private readonly FrozenDictionary<string, VirtualHost> _virtualHosts;
    private readonly QueueFactory _queues;
    private readonly ShardSet _shards;

    /// <summary>A broker that keeps everything in memory.</summary>
    /// <param name="virtualHosts">Names; each gets its pre-declared exchanges.</param>
    /// <param name="users">Who may log in.</param>
    /// <param name="random">For names that the broker gives. It must be unpredictable outside of tests.</param>
    /// <param name="time">The clock.</param>
    public MessageBroker(IEnumerable<string> virtualHosts, UserStore users, Random random, TimeProvider time)
    {
        Users = users;
        _shards = new ShardSet(NoStore.Instance, time);
        _queues = new QueueFactory(_shards, random);
        var log = new TopologyLog(null);
        _virtualHosts = virtualHosts.ToFrozenDictionary(
            name => name, name => new VirtualHost(name, new TopologyStore(VirtualHostTopology.Create(name), log), _queues), StringComparer.Ordinal);
        Sync = new LogSync(null);
        _shards.Host = this;
    }

    /// <summary>A broker that goes on with what a data directory holds.</summary>
    /// <param name="virtualHosts">Virtual hosts that are to exist besides those that are there.</param>
    /// <param name="users">Who may log in.</param>
    /// <param name="storage">The data directory.</param>
    public MessageBroker(IEnumerable<string> virtualHosts, UserStore users, BrokerStorage storage)
    {
        Users = users;
        _shards = storage.Shards;
        _queues = storage.Queues;
        var recovered = new Dictionary<string, VirtualHostTopology>(storage.RecoveredVirtualHosts, StringComparer.Ordinal);
        foreach (string name in virtualHosts) recovered.TryAdd(name, VirtualHostTopology.Create(name)); // the first checkpoint puts it down
        _virtualHosts = recovered.ToFrozenDictionary(
            r => r.Key, r => new VirtualHost(r.Key, new TopologyStore(r.Value, storage.TopologyLog), _queues), StringComparer.Ordinal);
        Sync = new LogSync(storage);
        _shards.Host = this;
    }

    public UserStore Users { get; }

    /// <summary>Holds publishers back when something runs short.</summary>
    public FlowGate Flow { get; } = new();

    /// <summary>Is told when a queue could not do what was due: an invariant is broken, and the queue stands still.</summary>
    public Action<Exception>? OnQueueFailure
    {
        set => _shards.Clock.OnFailure = value;
    }

    /// <summary>Tells when something is on the disk.</summary>
    public LogSync Sync { get; }

    /// <summary>What exists in every virtual host now.</summary>
    public IEnumerable<VirtualHostTopology> Topologies => _virtualHosts.Values.Select(host => host.Topology);

    public bool TryFindVirtualHost(string name, [NotNullWhen(true)] out VirtualHost? virtualHost) => _virtualHosts.TryGetValue(name, out virtualHost);

    /// <summary>22 characters that nobody guesses, for consumer tags and reply names.</summary>
    public string NewToken() => _queues.NewToken();

    /// <summary>Ends what happens by itself: nothing expires any more.</summary>
    public void Dispose() => _shards.Clock.Dispose();

    VirtualHostTopology? IQueueHost.Topology(string virtualHost) => _virtualHosts.TryGetValue(virtualHost, out VirtualHost? host) ? host.Topology : null;

    Queue? IQueueHost.StagingOf(string virtualHost, Exchange exchange) =>
        _virtualHosts.TryGetValue(virtualHost, out VirtualHost? host) && host.Topology.Exchanges.ContainsKey(exchange.Name) ? host.StagingOf(exchange) : null;

    ulong IQueueHost.NewRouteSeed() => _queues.NewSeed();

    void IQueueHost.Remove(Queue queue)
    {
        if (_virtualHosts.TryGetValue(queue.VirtualHost, out VirtualHost? host)) host.RemoveQueue(queue);
    }
}
