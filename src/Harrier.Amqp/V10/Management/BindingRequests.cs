using System.Collections.Immutable;
using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>The requests about bindings.</summary>
internal sealed class BindingRequests(ClientSession client)
{
    private const int PropertyCount = 5;

    /// <summary>Makes a binding exist. The reply waits for what its exchange has kept for it.</summary>
    public ManagementReply Bind(Value10 body)
    {
        (BindingLocation place, ArgumentTable arguments) = ReadBinding(body);
        RefuseNames(place);
        return ManagementReply.NoContent() with { Done = client.Bind(place.Source, place.Destination, place.ToQueue, place.RoutingKey, arguments) };
    }

    /// <summary>Makes the binding not exist that the location names.</summary>
    public ManagementReply Unbind(string location)
    {
        BindingLocation wanted = BindingLocation.Parse(location);
        RefuseNames(wanted);
        Binding? found = Find(wanted.Source, wanted.Destination, wanted.ToQueue, wanted.RoutingKey).FirstOrDefault(b => BindingLocation.Of(b) == wanted);
        if (found is not null) client.Unbind(wanted.Source, wanted.Destination, wanted.ToQueue, wanted.RoutingKey, found.Arguments);
        return ManagementReply.NoContent();
    }

    /// <summary>The bindings between an exchange and a queue or exchange that have the key which is asked for.</summary>
    public ManagementReply List(RequestTarget target)
    {
        Utf8Name source = target.Parameter("src") ?? throw RequestErrors.MissingParameter("'src'");
        Utf8Name key = target.Parameter("key") ?? throw RequestErrors.MissingParameter("'key'");
        Utf8Name? exchange = target.Parameter("dste");
        Utf8Name destination = exchange ?? target.Parameter("dstq") ?? throw RequestErrors.MissingDestination(target);
        var writer = new ValueWriter(stackalloc byte[512]);
        int list = writer.BeginList(), count = 0;
        foreach (Binding binding in Find(source, destination, toQueue: exchange is null, key))
        {
            Write(ref writer, binding);
            count++;
            if (writer.Size > ManagementReply.BytesMax)
            {
                writer.Dispose();
                throw RequestErrors.LongReply(ManagementReply.BytesMax);
            }
        }
        writer.End(list, count);
        var reply = new ManagementReply(200, writer.Written.ToArray());
        writer.Dispose();
        return reply;
    }

    private static void Write(ref ValueWriter writer, Binding binding)
    {
        int map = writer.BeginMap();
        writer.WriteString("source"u8);
        writer.WriteString(binding.Source.Span);
        writer.WriteString(binding.Destination.IsQueue ? "destination_queue"u8 : "destination_exchange"u8);
        writer.WriteString(binding.Destination.Name.Span);
        writer.WriteString("binding_key"u8);
        writer.WriteString(binding.RoutingKey.Span);
        writer.WriteString("arguments"u8);
        Arguments10.Write(ref writer, binding.Arguments);
        writer.WriteString("location"u8);
        writer.WriteString(Encoding.UTF8.GetBytes(BindingLocation.Of(binding).ToString()));
        writer.End(map, 2 * PropertyCount);
    }

    private static (BindingLocation Place, ArgumentTable Arguments) ReadBinding(Value10 body)
    {
        if (!body.IsMap) throw RequestErrors.NoMap();
        Utf8Name? source = null, queue = null, exchange = null, key = null;
        ArgumentTable arguments = ArgumentTable.Empty;
        var fields = new MapReader10(body);
        while (fields.TryRead(out Value10 field, out Value10 value))
        {
            if (field.Is("source"u8) && value.IsString) source = RequestTarget.NameOf(value.Content);
            else if (field.Is("destination_queue"u8) && value.IsString) queue = RequestTarget.NameOf(value.Content);
            else if (field.Is("destination_exchange"u8) && value.IsString) exchange = RequestTarget.NameOf(value.Content);
            else if (field.Is("binding_key"u8) && value.IsString) key = RequestTarget.NameOf(value.Content);
            else if (field.Is("arguments"u8) && value.IsMap) arguments = Arguments10.Read(value);
            else throw RequestErrors.BadBindingField(field, value);
        }
        var place = new BindingLocation(
            source ?? throw RequestErrors.MissingBindingField("source"),
            queue ?? exchange ?? throw RequestErrors.MissingBindingField("destination_queue"),
            ToQueue: queue is not null, key ?? throw RequestErrors.MissingBindingField("binding_key"), ArgumentsHash: "");
        return (place, arguments);
    }

    private static void RefuseNames(BindingLocation place)
    {
        ResourceNames.RefuseDefaultExchange(place.Source);
        ResourceNames.RefuseLineBreaks(place.Source);
        if (!place.ToQueue) ResourceNames.RefuseDefaultExchange(place.Destination);
        ResourceNames.RefuseLineBreaks(place.Destination);
    }

    private IEnumerable<Binding> Find(Utf8Name source, Utf8Name destination, bool toQueue, Utf8Name key)
    {
        VirtualHostTopology topology = client.VirtualHost.Topology;
        if (source.IsEmpty) return toQueue && key == destination && FindImplicit(topology, destination) is { } binding ? [binding] : [];
        ImmutableHashSet<Binding> leading = (toQueue ? topology.BindingsByQueue : topology.BindingsByExchange).GetValueOrDefault(destination, []);
        return leading.Where(b => b.Source == source && b.RoutingKey == key);
    }

    // Bindings of the default exchange stand nowhere, and are listed (note 25).
    private static Binding? FindImplicit(VirtualHostTopology topology, Utf8Name queue) =>
        topology.Queues.TryGetValue(queue, out Queue? found) && !found.IsDeleted ? new Binding(default, new Destination(found), queue, ArgumentTable.Empty) : null;
}
