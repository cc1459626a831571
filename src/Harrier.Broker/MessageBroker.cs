using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Harrier.Broker.Flow;
using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using Harrier.Broker.Topology;

namespace Harrier.Broker;

/// <summary>The broker: virtual hosts, users and queues, without any protocol. Thread-safe; lives as long as the process wants it.</summary>
public sealed class MessageBroker
{
    private readonly FrozenDictionary<string, VirtualHost> _virtualHosts;
    private readonly QueueFactory _queues;

    /// <param name="virtualHosts">Names; each gets its pre-declared exchanges.</param>
    /// <param name="users">Who may log in.</param>
    /// <param name="random">For names that the broker gives. It must be unpredictable outside of tests.</param>
    public MessageBroker(IEnumerable<string> virtualHosts, UserStore users, Random random)
    {
        Users = users;
        _queues = new QueueFactory(new ShardSet(), random);
        _virtualHosts = virtualHosts.ToFrozenDictionary(
            name => name, name => new VirtualHost(name, new MemoryTopologyStore(VirtualHostTopology.Create(name)), _queues), StringComparer.Ordinal);
    }

    public UserStore Users { get; }

    /// <summary>Holds publishers back when something runs short.</summary>
    public FlowGate Flow { get; } = new();

    public bool TryFindVirtualHost(string name, [NotNullWhen(true)] out VirtualHost? virtualHost) => _virtualHosts.TryGetValue(name, out virtualHost);

    /// <summary>22 characters that nobody guesses, for consumer tags and reply names.</summary>
    public string NewToken() => _queues.NewToken();
}
