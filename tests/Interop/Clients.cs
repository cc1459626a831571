using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

internal static class Clients
{
    public static ConnectionFactory FactoryFor(Uri uri) => new()
    {
        Uri = uri,
        AutomaticRecoveryEnabled = false,
        ContinuationTimeout = Eventually.Limit,
        RequestedConnectionTimeout = Eventually.Limit,
    };
}
