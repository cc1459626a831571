using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>The properties of our open: client libraries decide by product and version what they may use (behaviour notes 108 and 116).</summary>
internal static class OpenProperties
{
    /// <summary>The encoded map.</summary>
    public static byte[] Encode(ServerIdentity identity)
    {
        (string Name, string Value)[] properties =
        [
            ("node", identity.ClusterName),
            ("cluster_name", identity.ClusterName),
            ("copyright", ServerIdentity.Copyright),
            ("information", ServerIdentity.Information),
            ("platform", identity.Platform),
            ("product", identity.Product),
            ("version", identity.Version),
            ("server", "Harrier"),
            ("server_version", ServerIdentity.OwnVersion),
        ];
        var writer = new ValueWriter(stackalloc byte[512]);
        int map = writer.BeginMap();
        foreach ((string name, string value) in properties)
        {
            writer.WriteSymbol(Encoding.ASCII.GetBytes(name));
            writer.WriteString(Encoding.UTF8.GetBytes(value));
        }
        writer.End(map, properties.Length * 2);
        byte[] bytes = writer.Written.ToArray();
        writer.Dispose();
        return bytes;
    }
}
