using System.Net;
using Harrier.Amqp;
using Harrier.Amqp.V091;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>The clock's thread may look at a connection a moment after it has ended; an exception there would end the process.</summary>
public sealed class LateBeatTests
{
    [Fact]
    public async Task A_beat_after_the_end_of_a_connection_that_is_overdue_does_nothing()
    {
        var clock = new SimClock();
        var broker = new MessageBroker(["/"], new UserStore([TestUsers.Guest]), new Random(1), clock);
        using var server = new AmqpServer(broker, new ConnectionLimits(), new ServerIdentity(), clock, new ListLogger<AmqpServer>());
        (MemoryTransport peer, MemoryTransport transport) = MemoryTransport.CreatePair(unreadBytesMax: 1 << 20);
        var connection = new Connection091(transport, new IPEndPoint(IPAddress.Loopback, 50_000), server);
        await peer.Output.CompleteAsync();
        await connection.RunAsync();
        await transport.Output.CompleteAsync();

        clock.Advance(TimeSpan.FromMinutes(1));
        Should.NotThrow(connection.OnBeat);
    }
}
