using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// A change to the topology of a virtual host: a fact, decided already. Applying it needs no policy, so that replaying ops or receiving
/// them from elsewhere gives the same topology everywhere.
/// </summary>
public abstract record TopologyOp;

public sealed record ExchangeDeclared(Exchange Exchange) : TopologyOp;

public sealed record ExchangeDeleted(Utf8Name Name) : TopologyOp;

public sealed record QueueDeclared(Queue Queue) : TopologyOp;

public sealed record QueueDeleted(Queue Queue) : TopologyOp;

public sealed record BindingAdded(Binding Binding) : TopologyOp;

public sealed record BindingRemoved(Binding Binding) : TopologyOp;

public sealed record PolicySet(Policy Policy) : TopologyOp;

public sealed record PolicyCleared(PolicyKind Kind, string Name) : TopologyOp;
