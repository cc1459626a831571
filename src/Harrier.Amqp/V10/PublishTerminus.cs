using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Durable;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// The target of a link from the peer (1.0 part 3, section 3.5.4): one place for all messages, or none, and each message says where it goes. Owned by the
/// connection's task.
/// </summary>
internal sealed class PublishTerminus(ClientSession client, Address10 address, byte[] encodedAddress, bool allowsVersion1)
{
    private readonly PublishTarget _target = new(client);
    private byte[] _lastTo = [];
    private Address10 _to = address;

    /// <summary>Whether each message says where it goes.</summary>
    public bool IsAnonymous { get; } = address.Kind == AddressKind.Anonymous;

    /// <summary>The queue that was made for this link, or null.</summary>
    public Queue? DynamicQueue { get; init; }

    /// <summary>Whether what was received and not settled outlives the link (1.0 part 3, section 3.5.5).</summary>
    public TerminusDurability Durability { get; init; }

    /// <summary>For how long it outlives the link.</summary>
    public TerminusPolicy Policy { get; init; }

    /// <summary>The encoded node properties of a dynamic queue, or empty.</summary>
    public byte[] NodeProperties { get; init; } = [];

    public ReadOnlySpan<byte> ExchangeName => _target.ExchangeName;

    public ReadOnlySpan<byte> RoutingKey => _target.RoutingKey;

    /// <summary>Aims at where a message goes. Throws when that is no place, or not one for this client.</summary>
    public void Aim(ReadOnlySpan<byte> to, ReadOnlySpan<byte> subject)
    {
        if (IsAnonymous && !to.SequenceEqual(_lastTo))
        {
            _to = TargetFactory.Locate(client, Addresses10.ParseText(to, allowsVersion1));
            _lastTo = to.ToArray();
        }
        _target.Aim(_to.Name.Span, _to.RoutingKey is { } key ? key.Span : subject[..Math.Min(subject.Length, Utf8Name.SizeMax)]);
        _target.Resolve();
    }

    /// <summary>The queues of a message that was aimed. Valid until the next call.</summary>
    public RouteSet Route(Message message)
    {
        try
        {
            return _target.Route(message);
        }
        catch
        {
            message.Release(); // its exchange has gone while the message was put together
            throw;
        }
    }

    /// <summary>The queue that it leads to, or null when it leads to an exchange, to nothing that is there, or anywhere.</summary>
    public Queue? Queue { get; } =
        address is { Kind: AddressKind.Exchange, Name.IsEmpty: true, RoutingKey: { } key } ? client.VirtualHost.Topology.Queues.GetValueOrDefault(key) : null;

    /// <summary>The target that our attach tells.</summary>
    public byte[] Encode() => Values10.Composite(new Target
    {
        Address = encodedAddress.Length == 0 ? default : encodedAddress,
        Durable = Durability,
        ExpiryPolicy = Policy.Symbol,
        Timeout = Policy.TimeoutSeconds,
        Dynamic = DynamicQueue is not null,
        DynamicNodeProperties = NodeProperties.Length == 0 ? default : NodeProperties,
    });
}
