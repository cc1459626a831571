using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>
/// The queues that a message goes to, each once. Reused for message after message by the one session that owns it.
/// </summary>
/// <param name="seed">Where the draws of exchanges that choose by chance begin; sessions that share one would all choose alike.</param>
public sealed class RouteSet(ulong seed)
{
    // Up to here a scan is faster than hashing.
    private const int ScannedMax = 16;

    private readonly List<Queue> _queues = [];
    private readonly List<Utf8Name> _exchanges = [];
    private readonly HashSet<Queue> _seen = [];
    private ulong _draw = seed;

    /// <summary>The queues found.</summary>
    public IReadOnlyList<Queue> Queues => _queues;

    public int Count => _queues.Count;

    public Queue this[int index] => _queues[index];

    /// <summary>Whether another message with the same key could go elsewhere, because headers, properties or chance were asked.</summary>
    public bool IsForThisMessageOnly { get; internal set; }

    /// <summary>How many destinations were matched since <see cref="Clear"/>, repeated ones included: tells the router whether an exchange matched at all.</summary>
    internal int Matches { get; private set; }

    /// <summary>The exchanges matched or started from, in the order in which they are to be visited, each once (behaviour note 45).</summary>
    internal List<Utf8Name> Exchanges => _exchanges;

    public void Clear()
    {
        _queues.Clear();
        _exchanges.Clear();
        if (_seen.Count > 0) _seen.Clear();
        Matches = 0;
        IsForThisMessageOnly = false;
    }

    /// <summary>A number from 0 to <paramref name="count"/> - 1 by chance (SplitMix64: a counter that is mixed).</summary>
    internal int Draw(int count)
    {
        IsForThisMessageOnly = true;
        _draw += 0x9E3779B97F4A7C15;
        return (int)Math.BigMul(StableHash.Mix(_draw), (ulong)count, out _);
    }

    internal void Add(ImmutableArray<Binding> bindings)
    {
        foreach (Binding binding in bindings) Add(binding.Destination);
    }

    internal void Add(Destination destination)
    {
        Matches++;
        if (destination.Queue is { } queue) Add(queue);
        else AddExchange(destination.Name);
    }

    internal void Add(Queue queue)
    {
        if (_queues.Count < ScannedMax)
        {
            if (!_queues.Contains(queue)) _queues.Add(queue);
            return;
        }
        if (_seen.Count == 0) _seen.UnionWith(_queues);
        if (_seen.Add(queue)) _queues.Add(queue);
    }

    internal void AddExchange(Utf8Name exchange)
    {
        if (!_exchanges.Contains(exchange)) _exchanges.Add(exchange);
    }
}
