using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Durability;

/// <summary>Writes topology ops as the log and the manifest hold them, and says which of them are kept.</summary>
internal static class TopologyOpCodec
{
    public static bool IsDurable(TopologyOp op, VirtualHostTopology topology) => op switch
    {
        ExchangeDeclared declared => declared.Exchange.IsDurable,
        QueueDeclared declared => declared.Queue.Definition.IsDurable,
        QueueDeleted deleted => deleted.Queue.Definition.IsDurable,
        BindingAdded added => IsDurable(added.Binding, topology),
        // Whether the exchange was durable cannot be asked any more when it went in the same change; to delete what was never kept does no harm.
        BindingRemoved removed => removed.Binding.Destination.Queue?.Definition.IsDurable ?? true,
        _ => true,
    };

    /// <summary>A binding outlives a restart when both of its ends do.</summary>
    public static bool IsDurable(Binding binding, VirtualHostTopology topology) =>
        topology.Exchanges.TryGetValue(binding.Source, out Exchange? source) && source.IsDurable
        && (binding.Destination.Queue is { } queue
            ? queue.Definition.IsDurable
            : topology.Exchanges.TryGetValue(binding.Destination.Name, out Exchange? exchange) && exchange.IsDurable);

    public static void WriteVirtualHost(OpWriter writer, string name)
    {
        writer.Byte((byte)TopologyOpCode.VirtualHostAdded);
        writer.Text(name);
    }

    public static void Write(OpWriter writer, string virtualHost, TopologyOp op)
    {
        switch (op)
        {
            case ExchangeDeclared declared:
                Begin(writer, TopologyOpCode.ExchangeDeclared, virtualHost);
                Write(writer, declared.Exchange);
                break;
            case ExchangeDeleted deleted:
                Begin(writer, TopologyOpCode.ExchangeDeleted, virtualHost);
                writer.Bytes(deleted.Name.Span);
                break;
            case QueueDeclared declared:
                Begin(writer, TopologyOpCode.QueueDeclared, virtualHost);
                Write(writer, declared.Queue);
                break;
            case QueueDeleted deleted:
                Begin(writer, TopologyOpCode.QueueDeleted, virtualHost);
                writer.Number(deleted.Queue.Id.Value);
                writer.Bytes(deleted.Queue.Name.Span);
                break;
            case BindingAdded added:
                Begin(writer, TopologyOpCode.BindingAdded, virtualHost);
                Write(writer, added.Binding);
                break;
            case BindingRemoved removed:
                Begin(writer, TopologyOpCode.BindingRemoved, virtualHost);
                Write(writer, removed.Binding);
                break;
            case PolicySet set:
                Begin(writer, TopologyOpCode.PolicySet, virtualHost);
                Write(writer, set.Policy);
                break;
            case PolicyCleared cleared:
                Begin(writer, TopologyOpCode.PolicyCleared, virtualHost);
                writer.Byte((byte)cleared.Kind);
                writer.Text(cleared.Name);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(op));
        }
    }

    /// <summary>Writes a virtual host as the ops that would make it, without what every virtual host has and without what is not durable.</summary>
    public static void WriteAll(OpWriter writer, VirtualHostTopology topology)
    {
        WriteVirtualHost(writer, topology.Name);
        foreach (Policy policy in topology.Policies.Of(PolicyKind.User).Concat(topology.Policies.Of(PolicyKind.Operator)))
            Write(writer, topology.Name, new PolicySet(policy));
        foreach (Exchange exchange in topology.Exchanges.Values.Where(e => e.IsDurable && !e.Name.IsEmpty && !e.Name.IsReserved))
            Write(writer, topology.Name, new ExchangeDeclared(exchange));
        foreach (Queue queue in topology.Queues.Values.Where(q => q.Definition.IsDurable)) Write(writer, topology.Name, new QueueDeclared(queue));
        foreach (Binding binding in topology.BindingsBySource.SelectMany(b => InOrder(topology, b.Key, b.Value)).Where(b => IsDurable(b, topology)))
            Write(writer, topology.Name, new BindingAdded(binding));
    }

    private static IEnumerable<Binding> InOrder(VirtualHostTopology topology, Utf8Name source, ImmutableHashSet<Binding> bindings) =>
        topology.Exchanges.TryGetValue(source, out Exchange? exchange) && !exchange.Bindings.Ordered.IsEmpty ? exchange.Bindings.Ordered : bindings;

    private static void Begin(OpWriter writer, TopologyOpCode code, string virtualHost)
    {
        writer.Byte((byte)code);
        writer.Text(virtualHost);
    }

    private static void Write(OpWriter writer, Policy policy)
    {
        writer.Byte((byte)policy.Kind);
        writer.Text(policy.Name);
        writer.Text(policy.Pattern.Text);
        writer.Byte((byte)policy.AppliesTo);
        writer.Fixed(policy.Priority);
        ArgumentCodec.Write(writer, policy.Definition);
    }

    private static void Write(OpWriter writer, Exchange exchange)
    {
        writer.Bytes(exchange.Name.Span);
        writer.Text(ExchangeTypeNames.NameOf(exchange.Type));
        writer.Byte((byte)((exchange.IsAutoDelete ? 1 : 0) | (exchange.IsInternal ? 2 : 0)));
        ArgumentCodec.Write(writer, exchange.Arguments);
    }

    private static void Write(OpWriter writer, Queue queue)
    {
        writer.Number(queue.Id.Value);
        writer.Bytes(queue.Name.Span);
        writer.Byte((byte)queue.Definition.Type);
        writer.Byte(queue.Definition.IsAutoDelete ? (byte)1 : (byte)0);
        ArgumentCodec.Write(writer, queue.Definition.Arguments);
        writer.Byte((byte)queue.Definition.Role);
        writer.Bytes(queue.Definition.ServedExchange.Span);
    }

    private static void Write(OpWriter writer, Binding binding)
    {
        writer.Bytes(binding.Source.Span);
        writer.Byte(binding.Destination.IsQueue ? (byte)1 : (byte)0);
        writer.Bytes(binding.Destination.Name.Span);
        writer.Bytes(binding.RoutingKey.Span);
        ArgumentCodec.Write(writer, binding.Arguments);
    }
}

/// <summary>Topology ops as the log numbers them; each is followed by the virtual host's name.</summary>
internal enum TopologyOpCode : byte
{
    VirtualHostAdded = 1,
    ExchangeDeclared = 2,
    ExchangeDeleted = 3,
    QueueDeclared = 4,
    QueueDeleted = 5,
    BindingAdded = 6,
    BindingRemoved = 7,
    PolicySet = 8,
    PolicyCleared = 9,
}
