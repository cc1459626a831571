using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.Tests;

/// <summary>The parts of scripts that go past the wire: the time, policies, and looks into the broker.</summary>
internal static class BrokerConversations
{
    extension(TestServer server)
    {
        /// <summary>The virtual host "/".</summary>
        public VirtualHost Host => server.Broker.TryFindVirtualHost("/", out VirtualHost? host) ? host : throw new InvalidOperationException("no virtual host");

        public Queue Queue(string name) => server.Host.Topology.Queues[name];

        /// <summary>Lets time pass; what is due meanwhile happens.</summary>
        public void Pass(long timeMs) => server.Clock.Advance(TimeSpan.FromMilliseconds(timeMs));

        /// <summary>Declares queues that are neither durable nor anybody's own.</summary>
        public void Declare(params string[] queues)
        {
            foreach (string name in queues) server.Session().DeclareQueue(name, durable: false, exclusive: false, autoDelete: false, ArgumentTable.Empty);
        }

        /// <summary>Declares an exchange and binds a queue to it.</summary>
        public async Task Bind(string queue, string exchange, string routingKey, string type = "direct")
        {
            ClientSession session = server.Session();
            if (!server.Host.Topology.Exchanges.ContainsKey(exchange))
                session.DeclareExchange(exchange, type, durable: false, autoDelete: false, isInternal: false, ArgumentTable.Empty);
            await session.Bind(exchange, queue, toQueue: true, routingKey, ArgumentTable.Empty);
        }

        /// <summary>A session of guest's, without a connection.</summary>
        public ClientSession Session() => new(TestUsers.Guest, server.Host);

        /// <summary>Sets the policy "p" for all names unless a pattern is given: "max-length=5 overflow=drop-head".</summary>
        public void SetPolicy(string definition, string pattern = "") => server.Host.SetPolicy(Drafts.Of(definition, pattern: pattern)).ShouldBeNull();
    }

    /// <summary>The properties of a message with a time to live.</summary>
    public static byte[] Expiring(string expirationMs) => new PropertyBytes().Text(BasicPropertyFlags.Expiration, expirationMs).Encode();

    /// <summary>The properties of a message with headers.</summary>
    public static byte[] Headed(params (string Name, object? Value)[] headers) => new PropertyBytes().Headers(Fields.Table(headers)).Encode();

    /// <summary>The properties of a message with a priority.</summary>
    public static byte[] Prioritised(byte priority) => new PropertyBytes().Octet(BasicPropertyFlags.Priority, priority).Encode();

    /// <summary>The headers of a message as text, one by one: "name=type value".</summary>
    public static string[] Headers(this WireContent content) => PropertySection.Read(content.Properties).HeaderTexts;

    /// <summary>The header of that name as text; null when there is none.</summary>
    public static string? Header(this WireContent content, string name) => PropertySection.Read(content.Properties).Find(name).SingleOrDefault();
}
