using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.V10.Management;

/// <summary>The requests about exchanges.</summary>
internal sealed class ExchangeRequests(ClientSession client)
{
    public ManagementReply Declare(Utf8Name name, Value10 body)
    {
        ExchangeProperties properties = ReadProperties(body);
        ExchangeTypeNames.Parse(properties.Type);
        ResourceNames.RefuseDefaultExchange(name);
        if (!client.VirtualHost.Topology.Exchanges.ContainsKey(name))
        {
            ResourceNames.RefuseLineBreaks(name);
            RefuseReserved(name);
        }
        try
        {
            client.DeclareExchange(name, properties.Type, properties.IsDurable, properties.IsAutoDelete, properties.IsInternal, properties.Arguments);
        }
        catch (BrokerException e) when (e.Code == ErrorCode.PreconditionFailed)
        {
            throw RequestErrors.Conflict(e);
        }
        return ManagementReply.NoContent();
    }

    public ManagementReply Delete(Utf8Name name)
    {
        ResourceNames.RefuseLineBreaks(name);
        ResourceNames.RefuseDefaultExchange(name);
        RefuseReserved(name);
        client.DeleteExchange(name, ifUnused: false);
        return ManagementReply.NoContent();
    }

    private static ExchangeProperties ReadProperties(Value10 body)
    {
        if (!body.IsMap) throw RequestErrors.NoMap();
        var properties = new ExchangeProperties();
        var reader = new MapReader10(body);
        while (reader.TryRead(out Value10 key, out Value10 value))
        {
            if (key.Is("durable"u8) && value.Boolean is { } isDurable) properties.IsDurable = isDurable;
            else if (key.Is("auto_delete"u8) && value.Boolean is { } isAutoDelete) properties.IsAutoDelete = isAutoDelete;
            else if (key.Is("internal"u8) && value.Boolean is { } isInternal) properties.IsInternal = isInternal;
            else if (key.Is("type"u8) && value.IsString && value.Content.Length <= Utf8Name.SizeMax) properties.Type = Encoding.UTF8.GetString(value.Content);
            else if (key.Is("arguments"u8) && value.IsMap) properties.Arguments = Arguments10.Read(value);
            else throw RequestErrors.BadProperty("exchange", key, value);
        }
        return properties;
    }

    private void RefuseReserved(Utf8Name name)
    {
        if (name.IsReserved) throw RequestErrors.Reserved(ErrorCatalogue.Exchange(name.ToString(), client.VirtualHost.Name));
    }

    /// <summary>What a declaration may say, and what is meant when it does not.</summary>
    private record struct ExchangeProperties()
    {
        public string Type { get; set; } = "direct";

        public bool IsDurable { get; set; } = true;

        public bool IsAutoDelete { get; set; }

        public bool IsInternal { get; set; }

        public ArgumentTable Arguments { get; set; } = ArgumentTable.Empty;
    }
}
