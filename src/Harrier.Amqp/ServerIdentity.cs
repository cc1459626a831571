using System.Reflection;

namespace Harrier.Amqp;

/// <summary>
/// What the broker says it is. Client libraries decide by product and version what they may use (behaviour notes 19, 20), so by default these are those
/// of the RabbitMQ that Harrier is compatible with; its own name stands beside them.
/// </summary>
public sealed class ServerIdentity
{
    internal const string Copyright = "Copyright Harrier contributors";
    internal const string Information = "Licensed under the Apache License 2.0";

    public string Product { get; set; } = "RabbitMQ";

    public string Version { get; set; } = "4.3.5";

    public string Platform { get; set; } = "Erlang/OTP 27.3";

    public string ClusterName { get; set; } = "harrier@localhost";

    internal static string OwnVersion { get; } =
        typeof(ServerIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
