using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>The requests about queues.</summary>
internal sealed class QueueRequests(ClientSession client, string node)
{
    private const int PropertyCount = 11;

    public ManagementReply Get(Utf8Name name)
    {
        try
        {
            return Describe(200, client.DeclareQueuePassively(name));
        }
        catch (BrokerException e) when (e.Code == ErrorCode.NotFound)
        {
            throw RequestErrors.NotFound(NameOf(name));
        }
    }

    public ManagementReply Declare(Utf8Name name, Value10 body)
    {
        (bool durable, bool exclusive, bool autoDelete, ArgumentTable arguments) = ReadProperties(body);
        if (name.IsEmpty) throw RequestErrors.EmptyQueueName();
        ResourceNames.RefuseLineBreaks(name);
        if (name.IsReserved) throw RequestErrors.Reserved(NameOf(name));
        bool isThere = client.VirtualHost.Topology.Queues.TryGetValue(name, out Queue? queue) && !queue.IsDeleted;
        try
        {
            queue = client.DeclareQueue(name, durable, exclusive, autoDelete, arguments);
        }
        catch (BrokerException e) when (e.Code == ErrorCode.PreconditionFailed)
        {
            throw RequestErrors.Conflict(e);
        }
        return Describe(isThere ? 200 : 201, queue);
    }

    public ManagementReply Delete(Utf8Name name)
    {
        ResourceNames.RefuseLineBreaks(name);
        return ManagementReply.OfMessageCount(client.DeleteQueue(name, ifUnused: false, ifEmpty: false));
    }

    public ManagementReply Purge(Utf8Name name) => ManagementReply.OfMessageCount(client.Purge(name));

    private static (bool Durable, bool Exclusive, bool AutoDelete, ArgumentTable Arguments) ReadProperties(Value10 body)
    {
        if (!body.IsMap) throw RequestErrors.NoMap();
        (bool durable, bool exclusive, bool autoDelete, ArgumentTable arguments) = (true, false, false, ArgumentTable.Empty);
        var properties = new MapReader10(body);
        while (properties.TryRead(out Value10 key, out Value10 value))
        {
            if (key.Is("durable"u8) && value.Boolean is { } isDurable) durable = isDurable;
            else if (key.Is("exclusive"u8) && value.Boolean is { } isExclusive) exclusive = isExclusive;
            else if (key.Is("auto_delete"u8) && value.Boolean is { } isAutoDelete) autoDelete = isAutoDelete;
            else if (key.Is("arguments"u8) && value.IsMap) arguments = Arguments10.Read(value);
            else throw RequestErrors.BadProperty("queue", key, value);
        }
        return (durable, exclusive, autoDelete, arguments);
    }

    private ManagementReply Describe(int status, Queue queue)
    {
        QueueDefinition definition = queue.Definition;
        byte[] nodeBytes = Encoding.UTF8.GetBytes(node);
        var writer = new ValueWriter(stackalloc byte[512]);
        int map = writer.BeginMap();
        writer.WriteString("leader"u8);
        writer.WriteString(nodeBytes);
        writer.WriteString("replicas"u8);
        int replicas = writer.BeginArray(FormatCode.String32);
        writer.WriteStringItem(nodeBytes);
        writer.EndArray(replicas, 1);
        writer.WriteString("message_count"u8);
        writer.WriteULong((ulong)queue.ReadyCount);
        writer.WriteString("consumer_count"u8);
        writer.WriteUInt((uint)queue.ConsumerCount);
        writer.WriteString("name"u8);
        writer.WriteString(queue.Name.Span);
        writer.WriteString("vhost"u8);
        writer.WriteString(Encoding.UTF8.GetBytes(queue.VirtualHost));
        writer.WriteString("durable"u8);
        writer.WriteBoolean(definition.IsDurable);
        writer.WriteString("auto_delete"u8);
        writer.WriteBoolean(definition.IsAutoDelete);
        writer.WriteString("exclusive"u8);
        writer.WriteBoolean(definition.IsExclusive);
        writer.WriteString("type"u8);
        writer.WriteString(definition.Type == QueueType.Quorum ? "quorum"u8 : "classic"u8);
        writer.WriteString("arguments"u8);
        Arguments10.Write(ref writer, definition.Arguments);
        writer.End(map, 2 * PropertyCount);
        var reply = new ManagementReply(status, writer.Written.ToArray());
        writer.Dispose();
        return reply;
    }

    private string NameOf(Utf8Name name) => ErrorCatalogue.Queue(name.ToString(), client.VirtualHost.Name);
}
