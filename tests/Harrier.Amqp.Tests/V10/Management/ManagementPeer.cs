using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>A peer of 1.0 with one session, on a server of its own: says what its test says, and hands over frame by frame what the server says. Owned by one test.</summary>
internal sealed class ManagementPeer : IAsyncDisposable
{
    /// <summary>Handles of the pair that <see cref="AttachPair"/> makes.</summary>
    public const uint Requests = 0, Replies = 1;

    private readonly AmqpServer _server;
    private readonly MemoryTransport _transport;
    private readonly Task _served;
    private uint _deliveryId;
    private uint _received;

    private ManagementPeer(TestStorage? storage)
    {
        var users = new UserStore([TestUsers.Guest]);
        SimClock clock = storage?.Clock ?? new SimClock();
        Broker = storage?.CreateBroker(["/"], users) ?? new MessageBroker(["/"], users, new Random(1), clock);
        _server = new AmqpServer(Broker, new ConnectionLimits(), new ServerIdentity(), clock, new ListLogger<AmqpServer>());
        (_transport, MemoryTransport server) = MemoryTransport.CreatePair(1 << 20);
        _served = ServeAsync(server);
    }

    public MessageBroker Broker { get; }

    public VirtualHostTopology Topology => Broker.TryFindVirtualHost("/", out VirtualHost? host) ? host.Topology : throw new InvalidOperationException("no virtual host");

    /// <summary>Logs in, opens the connection and begins a session on channel 0.</summary>
    public static async Task<ManagementPeer> Open(TestStorage? storage = null, uint frameBytesMax = 131_072, uint incomingWindow = 100)
    {
        var peer = new ManagementPeer(storage);
        await peer.SendBytes("AMQP\u0003\u0001\0\0"u8.ToArray());
        await peer.Send(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 }, type: FrameType10.Sasl);
        await peer.SendBytes("AMQP\0\u0001\0\0"u8.ToArray());
        await peer.Send(new Open { ContainerId = "peer"u8, MaxFrameSize = frameBytesMax });
        await peer.Send(new Begin { NextOutgoingId = 0, IncomingWindow = incomingWindow, OutgoingWindow = 100 });
        await peer.Take(8);
        await peer.Expect(SaslMechanisms.Code);
        await peer.Expect(SaslOutcome.Code);
        await peer.Take(8);
        await peer.Expect(Protocol.Amqp10.Open.Code);
        await peer.Expect(Begin.Code);
        return peer;
    }

    /// <summary>The usual two links; so many replies may come.</summary>
    public async Task AttachPair(uint credit = 100)
    {
        await Attach(Role.Sender, Requests);
        await Expect(Protocol.Amqp10.Attach.Code);
        (await ExpectFlow()).Credit.ShouldBe(8u);
        await Attach(Role.Receiver, Replies);
        await Expect(Protocol.Amqp10.Attach.Code);
        if (credit > 0) await Grant(credit);
    }

    /// <summary>Attaches one link to or from the management node.</summary>
    public Task Attach(Role role, uint handle, bool paired = true, string name = "pair", ulong? messageBytesMax = null) => Send(new Attach
    {
        Name = Encoding.UTF8.GetBytes(name),
        Handle = handle,
        Role = role,
        Source = Terminus(new Source { Address = Any10.Encode("/management") }),
        Target = Terminus(new Target { Address = Any10.Encode("/management") }),
        InitialDeliveryCount = role == Role.Sender ? 0 : null,
        MaxMessageSize = messageBytesMax,
        Properties = paired ? PairedProperties() : default,
    });

    /// <summary>Lets replies come, and tells what has been received.</summary>
    public Task Grant(uint credit, uint deliveryCount = 0, uint incomingWindow = 100, bool drain = false) => Send(new Flow
    {
        NextIncomingId = _received,
        IncomingWindow = incomingWindow,
        NextOutgoingId = _deliveryId,
        OutgoingWindow = 100,
        Handle = Replies,
        DeliveryCount = deliveryCount,
        LinkCredit = credit,
        Drain = drain,
    });

    /// <summary>Sends a request.</summary>
    public Task Request(string method, string uri, object? body = null, object? messageId = null, bool settled = true) =>
        Transfer(ManagementClient.Message(method, uri, body, messageId), settled);

    /// <summary>Sends a message as a request, in transfers of so many bytes.</summary>
    public async Task Transfer(byte[] message, bool settled = true, int payloadBytesMax = int.MaxValue)
    {
        byte[] tag = [1];
        for (int at = 0; at < message.Length;)
        {
            int count = Math.Min(message.Length - at, payloadBytesMax);
            var transfer = new Transfer { Handle = Requests, DeliveryId = _deliveryId, DeliveryTag = tag, Settled = settled, More = at + count < message.Length };
            await Send(in transfer, message[at..(at + count)]);
            at += count;
        }
        _deliveryId++;
    }

    /// <summary>Expects a reply, in as many transfers as it takes.</summary>
    public async Task<Reply> ExpectReply()
    {
        List<byte> message = [];
        for (int count = 1; ; count++)
        {
            byte[] body = await Expect(Protocol.Amqp10.Transfer.Code);
            _received++;
            if (Append(body, message, isFirst: count == 1)) return Reply.Read([.. message], count);
        }
    }

    /// <summary>Sends a request and expects its reply: status and body as text.</summary>
    public async Task<(int Status, string Body)> Call(string method, string uri, object? body = null)
    {
        await Request(method, uri, body);
        Reply reply = await ExpectReply();
        return (reply.Status, reply.Body);
    }

    public async Task<(uint? Handle, uint? Credit, uint? DeliveryCount, bool Drain)> ExpectFlow() => ReadFlow(await Expect(Flow.Code));

    /// <summary>Expects that a link is refused or ended: the error's condition and text.</summary>
    public async Task<string> ExpectDetach(uint handle) => ReadDetach(await Expect(Detach.Code), handle);

    /// <summary>Expects that the server has nothing to say: it answers the next thing it is asked.</summary>
    public async Task ExpectQuiet()
    {
        await Send(new Flow { NextIncomingId = _received, IncomingWindow = 100, NextOutgoingId = _deliveryId, OutgoingWindow = 100, Echo = true });
        (await ExpectFlow()).Handle.ShouldBeNull();
    }

    /// <summary>The next frame, which is of that performative: performative and payload.</summary>
    public async Task<byte[]> Expect(ulong code)
    {
        byte[] size = await Take(4);
        byte[] frame = await Take(BinaryPrimitives.ReadInt32BigEndian(size) - 4);
        byte[] body = frame[4..];
        CodeOf(body).ShouldBe(code);
        return body;
    }

    public Task Send<T>(in T performative, byte[]? payload = null, FrameType10 type = FrameType10.Amqp) where T : IComposite, allows ref struct
    {
        byte[] frame = new byte[8 + performative.SizeMax];
        var writer = new ValueWriter(frame.AsSpan(8));
        performative.Write(ref writer);
        byte[] bytes = [.. frame[..(8 + writer.Size)], .. payload ?? []];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length);
        (bytes[4], bytes[5]) = (2, (byte)type);
        return SendBytes(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await _transport.Output.CompleteAsync();
        await _transport.Input.CompleteAsync();
        await _served.WaitAsync(TestServer.SafetyNet);
        _server.Dispose();
    }

    private static byte[] Terminus<T>(in T terminus) where T : IComposite, allows ref struct
    {
        byte[] bytes = new byte[terminus.SizeMax];
        var writer = new ValueWriter(bytes);
        terminus.Write(ref writer);
        return bytes[..writer.Size];
    }

    private static byte[] PairedProperties() => [(byte)FormatCode.Map8, 10, 2, (byte)FormatCode.Symbol8, 6, .. "paired"u8, (byte)FormatCode.True];

    private static ulong CodeOf(byte[] body)
    {
        var reader = new ValueReader(body);
        return reader.ReadDescriptor();
    }

    private static (uint? Handle, uint? Credit, uint? DeliveryCount, bool Drain) ReadFlow(byte[] body)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        Flow flow = Flow.Decode(ref reader);
        return (flow.Handle, flow.LinkCredit, flow.DeliveryCount, flow.Drain);
    }

    private static string ReadDetach(byte[] body, uint handle)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        Detach detach = Detach.Decode(ref reader);
        detach.Handle.ShouldBe(handle);
        if (detach.Error.IsEmpty) return "";
        var error = new ValueReader(detach.Error);
        error.ReadDescriptor();
        AmqpError read = AmqpError.Decode(ref error);
        return $"{Encoding.ASCII.GetString(read.Condition)}: {Encoding.UTF8.GetString(read.Description)}";
    }

    private static bool Append(byte[] body, List<byte> message, bool isFirst)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        Transfer transfer = Protocol.Amqp10.Transfer.Decode(ref reader);
        transfer.Handle.ShouldBe(Replies);
        transfer.Settled.ShouldBe(true);
        (transfer.DeliveryId is not null).ShouldBe(isFirst);
        message.AddRange(reader.Rest);
        return !transfer.More;
    }

    private async Task ServeAsync(MemoryTransport server)
    {
        await Task.Yield();
        await _server.ServeAsync(server, new IPEndPoint(IPAddress.Loopback, 50_000));
        await server.Input.CompleteAsync();
        await server.Output.CompleteAsync();
    }

    private async Task SendBytes(byte[] bytes)
    {
        await _transport.Output.WriteAsync(bytes).AsTask().WaitAsync(TestServer.SafetyNet);
    }

    private async Task<byte[]> Take(int count)
    {
        ReadResult read = await _transport.Input.ReadAtLeastAsync(count).AsTask().WaitAsync(TestServer.SafetyNet);
        if (read.Buffer.Length < count) throw new WireScriptException("The stream has ended.");
        byte[] taken = read.Buffer.Slice(0, count).ToArray();
        _transport.Input.AdvanceTo(read.Buffer.GetPosition(count));
        return taken;
    }
}

/// <summary>A reply as its receiver sees it.</summary>
/// <param name="Transfers">How many it came in.</param>
internal sealed record Reply(int Status, string CorrelationId, string Body, int Transfers)
{
    public static Reply Read(byte[] message, int transfers)
    {
        var reader = new ValueReader(message);
        reader.ReadDescriptor().ShouldBe(MessageProperties.Code);
        MessageProperties properties = MessageProperties.Decode(ref reader);
        string id = properties.CorrelationId.IsEmpty ? "" : Any10.Text(properties.CorrelationId);
        reader.ReadDescriptor().ShouldBe(Descriptors.ApplicationProperties);
        reader.Skip();
        reader.ReadDescriptor().ShouldBe(Descriptors.AmqpValue);
        return new Reply(int.Parse(Encoding.ASCII.GetString(properties.Subject)), id, Any10.Text(reader.ReadValue()), transfers);
    }
}
