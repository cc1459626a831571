using System.Text;
using Harrier.Amqp.V10.Management;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>The management node of one client, without a connection: requests go in as messages, replies come out as status and text.</summary>
internal sealed class ManagementClient
{
    public const string Node = "harrier@test";

    private readonly ManagementHandler _handler;

    private ManagementClient(MessageBroker broker, User user)
    {
        Broker = broker;
        broker.TryFindVirtualHost("/", out VirtualHost? host).ShouldBeTrue();
        Session = new ClientSession(user, host!);
        _handler = new ManagementHandler(Session, Node);
    }

    public MessageBroker Broker { get; }

    public ClientSession Session { get; }

    public VirtualHostTopology Topology => Session.VirtualHost.Topology;

    /// <summary>A client of a new broker.</summary>
    public static ManagementClient Create() => new(new MessageBroker(["/"], new UserStore([TestUsers.Guest]), new Random(1), new SimClock()), TestUsers.Guest);

    /// <summary>Another client of the same broker, who may do everything unless a user is given.</summary>
    public ManagementClient Another(User? user = null) => new(Broker, user ?? TestUsers.Guest);

    /// <summary>The status of the reply to a request.</summary>
    public int Status(string method, string uri, object? body = null) => Send(method, uri, body).Status;

    /// <summary>Status and body of the reply to a request.</summary>
    public (int Status, string Body) Send(string method, string uri, object? body = null)
    {
        ManagementReply reply = _handler.Handle(ManagementRequest.Read(Message(method, uri, body)));
        reply.Done.IsCompleted.ShouldBeTrue();
        return (reply.Status, Any10.Text(reply.Body));
    }

    /// <summary>An encoded request.</summary>
    public static byte[] Message(string? method, string? uri, object? body, object? messageId = null, string? replyTo = "$me")
    {
        var properties = new MessageProperties
        {
            MessageId = messageId is null ? default : Any10.Encode(messageId),
            Subject = method is null ? default : Encoding.UTF8.GetBytes(method),
            To = uri is null ? default : Any10.Encode(uri),
            ReplyTo = replyTo is null ? default : Any10.Encode(replyTo),
        };
        var writer = new ValueWriter(new byte[64]);
        properties.Write(ref writer);
        writer.WriteDescriptor(Descriptors.AmqpValue);
        writer.WriteRaw(Any10.Encode(body));
        byte[] message = writer.Written.ToArray();
        writer.Dispose();
        return message;
    }
}
