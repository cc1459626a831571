using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// Works out the ops of a deletion with all that follows from it (behaviour notes 41 and 42): bindings go with either of their ends, and an auto-delete
/// exchange goes with the last binding whose source it is.
/// </summary>
internal sealed class TopologyChange(VirtualHostTopology topology)
{
    private readonly List<TopologyOp> _ops = [];
    private readonly Queue<Exchange> _unused = new();
    private VirtualHostTopology _topology = topology;

    public TopologyOp[] Ops => [.. _ops];

    public void Add(TopologyOp op)
    {
        _topology = TopologyMachine.Apply(_topology, op);
        _ops.Add(op);
    }

    public void DeleteQueue(Queue queue)
    {
        foreach (Binding binding in _topology.BindingsTo(new Destination(queue))) Unlink(binding);
        Add(new QueueDeleted(queue));
        DeleteUnused();
    }

    public void DeleteExchange(Exchange exchange)
    {
        _unused.Enqueue(exchange);
        DeleteUnused();
    }

    public void RemoveBinding(Binding binding)
    {
        Unlink(binding);
        DeleteUnused();
    }

    // A list of work and no recursion: clients choose how long a chain of auto-delete exchanges is.
    private void DeleteUnused()
    {
        while (_unused.TryDequeue(out Exchange? exchange))
        {
            if (!_topology.Exchanges.ContainsKey(exchange.Name)) continue; // gone already, in this very cascade
            Add(new ExchangeDeleted(exchange.Name));
            if (exchange.Staging is { } staging) Add(new QueueDeleted(staging));
            if (exchange.History is { } history) Add(new QueueDeleted(history));
            foreach (Binding binding in _topology.BindingsFrom(exchange.Name)) Add(new BindingRemoved(binding));
            foreach (Binding binding in _topology.BindingsTo(new Destination(exchange.Name))) Unlink(binding);
        }
    }

    private void Unlink(Binding binding)
    {
        Add(new BindingRemoved(binding));
        if (_topology.Exchanges.TryGetValue(binding.Source, out Exchange? source) && source.IsAutoDelete && _topology.BindingsFrom(source.Name).IsEmpty)
            _unused.Enqueue(source);
    }
}
