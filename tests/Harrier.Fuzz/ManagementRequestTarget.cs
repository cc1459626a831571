using Harrier.Amqp.Conversion;
using Harrier.Amqp.V10;
using Harrier.Amqp.V10.Management;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>A message to the management node is none, or is answered: with a well-formed message and a status that the node has. What it has declared can be looked at.</summary>
internal static class ManagementRequestTarget
{
    private static readonly int[] Statuses = [200, 201, 204, 400, 401, 403, 404, 405, 409];

    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        try
        {
            ManagementRequest request = ManagementRequest.Read(input);
            var broker = new MessageBroker(["/"], new UserStore([TestUsers.Guest]), new Random(1), new SimClock());
            broker.TryFindVirtualHost("/", out VirtualHost? host).ShouldBeTrue();
            var handler = new ManagementHandler(new ClientSession(TestUsers.Guest, host!), "node");
            handler.Handle(Request("PUT", "/queues/q", default)).Status.ShouldBe(400);
            handler.Handle(Request("PUT", "/queues/q", [(byte)FormatCode.Map8, 1, 0])).Status.ShouldBe(201);
            ManagementReply reply = handler.Handle(in request);
            Statuses.ShouldContain(reply.Status);
            behaviour.Add(reply.Status);
            CheckReply(reply.ToMessage(request.MessageId));
            if (reply.Status < 400 && request.Method == "PUT")
                behaviour.Add(handler.Handle(Request("GET", System.Text.Encoding.UTF8.GetString(request.Uri), default)).Status); // not a refusal that throws
            foreach (Binding binding in host!.Topology.BindingsBySource.Values.SelectMany(b => b))
                handler.Handle(Request("DELETE", BindingLocation.Of(binding).ToString(), default)).Status.ShouldBe(204);
            host.Topology.BindingsBySource.Values.ShouldAllBe(b => b.IsEmpty);
        }
        catch (DecodeException e)
        {
            behaviour.AddKind(e.Message);
        }
        catch (AmqpException e)
        {
            behaviour.AddKind(e.Message);
        }
        return behaviour.Value;
    }

    private static ManagementRequest Request(string method, string uri, byte[]? body) => ManagementRequest.Read(Message(method, uri, body));

    /// <summary>An encoded request.</summary>
    public static byte[] Message(string method, string uri, byte[]? body)
    {
        var writer = new ValueWriter(new byte[256]);
        writer.WriteString(System.Text.Encoding.UTF8.GetBytes(uri));
        byte[] to = writer.Written.ToArray();
        writer.Dispose();
        var properties = new MessageProperties
        {
            MessageId = [(byte)FormatCode.SmallULong, 7],
            To = to,
            Subject = System.Text.Encoding.UTF8.GetBytes(method),
            ReplyTo = [(byte)FormatCode.String8, 3, .. "$me"u8],
        };
        byte[] room = new byte[properties.SizeMax];
        return [.. room[..properties.Write(room)], 0, 0x53, 0x77, .. body ?? [(byte)FormatCode.Null]];
    }

    private static void CheckReply(byte[] message)
    {
        int bodyAt = Sections10.FindBody(message);
        Sections10.Find(message.AsSpan(..bodyAt)).Properties.Validate();
        Body10.Check(message.AsSpan(bodyAt..));
        var reader = new SectionReader10(message.AsSpan(bodyAt..));
        reader.TryRead(out _, out Value10 body).ShouldBeTrue();
        body.Validate();
    }
}
