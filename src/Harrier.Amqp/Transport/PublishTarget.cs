using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.Transport;

/// <summary>
/// Where a channel publishes to. Publishers repeat themselves, so the exchange (with the permission to write to it) and the route are kept
/// while neither the names nor the topology have changed.
/// </summary>
internal sealed class PublishTarget(ClientSession session)
{
    private readonly byte[] _exchangeName = new byte[Utf8Name.SizeMax];
    private readonly byte[] _routingKey = new byte[Utf8Name.SizeMax];
    private readonly RouteSet _routes = new(session.VirtualHost.NewRouteSeed());
    private int _exchangeNameSize;
    private int _routingKeySize;
    private VirtualHostTopology? _topology;
    private Exchange? _exchange;
    private bool _isRouted;

    public ReadOnlySpan<byte> ExchangeName => _exchangeName.AsSpan(0, _exchangeNameSize);

    public ReadOnlySpan<byte> RoutingKey => _routingKey.AsSpan(0, _routingKeySize);

    /// <summary>Aims at an exchange with a routing key.</summary>
    public void Aim(ReadOnlySpan<byte> exchangeName, ReadOnlySpan<byte> routingKey)
    {
        if (!exchangeName.SequenceEqual(ExchangeName))
        {
            exchangeName.CopyTo(_exchangeName);
            _exchangeNameSize = exchangeName.Length;
            _exchange = null;
        }
        if (!routingKey.SequenceEqual(RoutingKey))
        {
            routingKey.CopyTo(_routingKey);
            _routingKeySize = routingKey.Length;
            _isRouted = false;
        }
    }

    /// <summary>Checks that the session may publish there; throws 403 or 404.</summary>
    public void Resolve()
    {
        VirtualHostTopology topology = session.VirtualHost.Topology;
        if (_exchange is not null && ReferenceEquals(topology, _topology)) return;
        _topology = topology;
        _exchange = null;
        _exchange = session.ExchangeToPublishTo(new Utf8Name(ExchangeName));
        _isRouted = false;
    }

    /// <summary>The queues of a message; after <see cref="Resolve"/>. Valid until the next call.</summary>
    public RouteSet Route(Message message)
    {
        if (_isRouted && message.ExtraRoutingKeys is null) return _routes;
        session.Route(_topology!, _exchange!, message, _routes);
        _isRouted = message.ExtraRoutingKeys is null && !_routes.IsForThisMessageOnly;
        return _routes;
    }
}
