using System.Collections.Frozen;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Broker.Tests.Support;

/// <summary>A broker with one virtual host, and the shortest words for what tests do with it.</summary>
internal sealed class TestBroker
{
    public const string HostName = "/";

    private readonly MessageBroker _broker;

    public TestBroker()
    {
        _broker = new MessageBroker([HostName], new UserStore([]), new Random(1), Clock);
        _broker.TryFindVirtualHost(HostName, out VirtualHost? host).ShouldBeTrue();
        Host = host!;
    }

    public SimClock Clock { get; } = new();

    public VirtualHost Host { get; }

    /// <summary>A connection; of a user who may do everything unless permissions are given.</summary>
    public ClientSession Connect(Permissions? permissions = null, string user = "u") =>
        new(new User(user, null, new HashSet<string>(), FrozenDictionary.ToFrozenDictionary([KeyValuePair.Create(HostName, permissions ?? Permissions.All)])), Host);

    /// <summary>The names of the queues that a message reaches, in order.</summary>
    public List<string> Route(string exchange, string key, params string[] extraKeys)
    {
        Message message = TestMessages.Create(key, exchange);
        if (extraKeys.Length > 0) message.ExtraRoutingKeys = [.. extraKeys.Select(k => new Utf8Name(k))];
        var routes = new RouteSet(1);
        Router.Route(Host.Topology, Host.FindExchange(exchange), message, routes);
        message.Release();
        return [.. routes.Queues.Select(q => q.NameText).Order(StringComparer.Ordinal)];
    }
}

internal static class SessionExtensions
{
    public static void Exchange(
        this ClientSession session, string name, string type = "direct", bool durable = true, bool autoDelete = false, bool isInternal = false,
        params Argument[] arguments) =>
        session.DeclareExchange(name, type, durable, autoDelete, isInternal, new ArgumentTable(arguments));

    public static Queue Queue(
        this ClientSession session, string name, bool durable = true, bool exclusive = false, bool autoDelete = false, params Argument[] arguments) =>
        session.DeclareQueue(name, durable, exclusive, autoDelete, new ArgumentTable(arguments));

    public static void BindQueue(this ClientSession session, string exchange, string queue, string key = "", params Argument[] arguments) =>
        session.Bind(exchange, queue, toQueue: true, key, new ArgumentTable(arguments));

    public static void BindExchange(this ClientSession session, string source, string destination, string key = "", params Argument[] arguments) =>
        session.Bind(source, destination, toQueue: false, key, new ArgumentTable(arguments));

    public static void UnbindQueue(this ClientSession session, string exchange, string queue, string key = "", params Argument[] arguments) =>
        session.Unbind(exchange, queue, toQueue: true, key, new ArgumentTable(arguments));

    public static void UnbindExchange(this ClientSession session, string source, string destination, string key = "", params Argument[] arguments) =>
        session.Unbind(source, destination, toQueue: false, key, new ArgumentTable(arguments));
}

internal static class Refusals
{
    /// <summary>The action is refused with that code and text, which ends the channel or the connection.</summary>
    public static void ShouldBeRefused(this Action action, ErrorCode code, string text, ErrorScope scope = ErrorScope.Channel)
    {
        var refusal = Should.Throw<BrokerException>(action);
        Xunit.Assert.Equal(text, refusal.Message); // shows where two long texts differ in one line
        refusal.Code.ShouldBe(code);
        refusal.Scope.ShouldBe(scope);
    }
}
