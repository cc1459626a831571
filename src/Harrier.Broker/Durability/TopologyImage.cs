using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;

namespace Harrier.Broker.Durability;

/// <summary>What a manifest and the log behind it say of virtual hosts, exchanges, queues and bindings: the topologies of the broker to be.</summary>
internal sealed class TopologyImage(QueueFactory queues)
{
    /// <summary>By the virtual host's name.</summary>
    public Dictionary<string, VirtualHostTopology> VirtualHosts { get; } = new(StringComparer.Ordinal);

    /// <summary>Durable queues by their number.</summary>
    public Dictionary<long, Queue> Queues { get; } = [];

    /// <summary>Applies ops as <see cref="TopologyOpCodec"/> writes them.</summary>
    public void Apply(ref OpReader reader)
    {
        while (!reader.IsAtEnd)
        {
            var code = (TopologyOpCode)reader.Byte();
            string name = reader.Text();
            VirtualHostTopology topology = VirtualHosts.GetValueOrDefault(name) ?? VirtualHostTopology.Create(name);
            VirtualHosts[name] = Apply(code, topology, ref reader);
        }
    }

    /// <summary>Takes a queue that had ended out, with its bindings and what follows from that.</summary>
    public void Remove(Queue queue)
    {
        var change = new TopologyChange(VirtualHosts[queue.VirtualHost]);
        change.DeleteQueue(queue);
        foreach (TopologyOp op in change.Ops)
        {
            VirtualHosts[queue.VirtualHost] = TopologyMachine.Apply(VirtualHosts[queue.VirtualHost], op);
            if (op is QueueDeleted deleted) Queues.Remove(deleted.Queue.Id.Value); // it, and those that worked for an exchange which goes with its binding
        }
    }

    /// <summary>Gives every queue what applies to it, once all policies are known.</summary>
    public void Configure()
    {
        foreach (Queue queue in Queues.Values)
            queue.Settings = SettingsMerge.Merge(queue.Definition, queue.Definition.IsOrdinary ? VirtualHosts[queue.VirtualHost].Policies.For(queue.Definition) : EffectivePolicy.None);
    }

    private VirtualHostTopology Apply(TopologyOpCode code, VirtualHostTopology topology, ref OpReader reader)
    {
        switch (code)
        {
            case TopologyOpCode.VirtualHostAdded: return topology;
            case TopologyOpCode.ExchangeDeclared: return TopologyMachine.Apply(topology, new ExchangeDeclared(ReadExchange(ref reader)));
            case TopologyOpCode.ExchangeDeleted: return TopologyMachine.Apply(topology, new ExchangeDeleted(new Utf8Name(reader.Bytes())));
            case TopologyOpCode.QueueDeclared:
                Queue queue = ReadQueue(topology.Name, ref reader);
                Queues[queue.Id.Value] = queue;
                return TopologyMachine.Apply(topology, new QueueDeclared(queue));
            case TopologyOpCode.QueueDeleted:
                bool isKnown = Queues.Remove((long)reader.Number(), out Queue? deleted);
                reader.Bytes();
                return isKnown ? TopologyMachine.Apply(topology, new QueueDeleted(deleted!)) : topology;
            case TopologyOpCode.BindingAdded:
                return ReadBinding(topology, ref reader) is { } added && topology.Exchanges.ContainsKey(added.Source) ? TopologyMachine.Apply(topology, new BindingAdded(added)) : topology;
            case TopologyOpCode.BindingRemoved:
                return ReadBinding(topology, ref reader) is { } removed ? TopologyMachine.Apply(topology, new BindingRemoved(removed)) : topology;
            case TopologyOpCode.PolicySet: return TopologyMachine.Apply(topology, new PolicySet(ReadPolicy(ref reader)));
            case TopologyOpCode.PolicyCleared:
                return TopologyMachine.Apply(topology, new PolicyCleared((PolicyKind)reader.Byte(), reader.Text()));
            default: throw new DataDamagedException($"the log holds a topology op {(byte)code} that this Harrier does not know");
        }
    }

    private static Policy ReadPolicy(ref OpReader reader)
    {
        var kind = (PolicyKind)reader.Byte();
        string name = reader.Text(), pattern = reader.Text();
        var target = (PolicyTarget)reader.Byte();
        long priority = reader.Fixed();
        ArgumentTable definition = ArgumentCodec.Read(ref reader);
        if (!Enum.IsDefined(kind) || !Enum.IsDefined(target) || PolicyPattern.Check(pattern) is not null)
            throw new DataDamagedException($"the log holds a policy '{name}' that this Harrier does not understand");
        return new Policy(kind, name, new PolicyPattern(pattern), target, priority, definition);
    }

    private static Exchange ReadExchange(ref OpReader reader)
    {
        var name = new Utf8Name(reader.Bytes());
        ExchangeType type = ExchangeTypeNames.Parse(reader.Text());
        byte flags = reader.Byte();
        return Exchange.Create(name, type, durable: true, (flags & 1) != 0, (flags & 2) != 0, ArgumentCodec.Read(ref reader));
    }

    private Queue ReadQueue(string virtualHost, ref OpReader reader)
    {
        var id = new QueueId((long)reader.Number());
        var name = new Utf8Name(reader.Bytes());
        var type = (QueueType)reader.Byte();
        bool isAutoDelete = reader.Byte() != 0;
        ArgumentTable arguments = ArgumentCodec.Read(ref reader);
        var role = (QueueRole)reader.Byte();
        var definition = new QueueDefinition(name, type, IsDurable: true, IsExclusive: false, isAutoDelete, arguments, role, new Utf8Name(reader.Bytes()));
        return queues.Restore(id, virtualHost, definition);
    }

    /// <summary>The binding, or null when its queue is not there: it was not durable, or is gone already.</summary>
    private static Binding? ReadBinding(VirtualHostTopology topology, ref OpReader reader)
    {
        var source = new Utf8Name(reader.Bytes());
        bool toQueue = reader.Byte() != 0;
        var destination = new Utf8Name(reader.Bytes());
        var key = new Utf8Name(reader.Bytes());
        ArgumentTable arguments = ArgumentCodec.Read(ref reader);
        if (!toQueue) return new Binding(source, new Destination(destination), key, arguments);
        return topology.Queues.TryGetValue(destination, out Queue? queue) ? new Binding(source, new Destination(queue), key, arguments) : null;
    }
}
