using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The server-properties table of connection.start (behaviour notes 19 and 20).</summary>
internal static class ServerProperties
{
    /// <summary>The encoded fields.</summary>
    public static byte[] Encode(ServerIdentity identity)
    {
        FieldTableWriter capabilities = new FieldTableWriter()
            .Add("publisher_confirms", true)
            .Add("exchange_exchange_bindings", true)
            .Add("basic.nack", true)
            .Add("consumer_cancel_notify", true)
            .Add("connection.blocked", true)
            .Add("consumer_priorities", true)
            .Add("authentication_failure_close", true)
            .Add("per_consumer_qos", true)
            .Add("direct_reply_to", true);
        return new FieldTableWriter()
            .Add("capabilities", capabilities)
            .Add("cluster_name", identity.ClusterName)
            .Add("copyright", ServerIdentity.Copyright)
            .Add("information", ServerIdentity.Information)
            .Add("platform", identity.Platform)
            .Add("product", identity.Product)
            .Add("version", identity.Version)
            .Add("server", "Harrier")
            .Add("server_version", ServerIdentity.OwnVersion)
            .Written.ToArray();
    }
}
