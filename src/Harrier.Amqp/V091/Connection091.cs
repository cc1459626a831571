using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Applies the 0-9-1 frames of one connection to its channels.</summary>
internal sealed class Connection091 : ServedConnection
{
    private readonly Handshake091 _handshake;
    private readonly Dictionary<ushort, Channel091> _channels = [];
    private readonly List<Channel091> _confirming = [];
    private Channel091? _lastChannel;
    private int _payloadMax;

    public Connection091(IDuplexPipe transport, EndPoint? from, AmqpServer server) : base(transport, from, server)
    {
        ServerProperties = server.ServerProperties;
        Confirms = new ConfirmRelease(Output, Broker.Sync);
        _handshake = new Handshake091(this, from);
        _payloadMax = Limits.InitialFrameBytesMax;
    }

    public byte[] ServerProperties { get; }

    /// <summary>Confirms that wait for the disk.</summary>
    public ConfirmRelease Confirms { get; }

    public ClientSession Session => _handshake.Session!;

    public ClientProperties Client => _handshake.Client;

    /// <summary>Bytes of a frame, as negotiated.</summary>
    public int FrameBytesMax => _handshake.FrameBytesMax;

    /// <summary>The method that an error is about, for the close method.</summary>
    public AmqpMethod FailingMethod { get; set; }

    protected override ClientSession? OpenSession => _handshake.Session;

    protected override bool IsAwaitingSync => Confirms.IsWaiting;

    protected override string ClientName => Client.Name;

    public override void OnHeldBack()
    {
        if (Client.WantsBlockedNotifications) Output.WriteMethod(0, new ConnectionBlocked { Reason = Encoding.ASCII.GetBytes(Broker.Flow.ReasonText) });
    }

    public override void OnLetGo()
    {
        if (Client.WantsBlockedNotifications) Output.WriteMethod(0, new ConnectionUnblocked());
    }

    /// <summary>Takes a channel out: it is closed for both sides.</summary>
    public void Remove(Channel091 channel)
    {
        _channels.Remove(channel.Number);
        if (ReferenceEquals(_lastChannel, channel)) _lastChannel = null;
    }

    /// <summary>Sends a channel's confirms at the end of the batch that is being read.</summary>
    public void ConfirmLater(Channel091 channel)
    {
        if (channel.IsConfirmDue) return;
        channel.IsConfirmDue = true;
        _confirming.Add(channel);
    }

    public void LogChannelError(int channel, BrokerException error) => Log.ChannelError(Name, channel, (int)error.Code, error.Message);

    protected override void Start() => _handshake.Start();

    protected override void WriteHeartbeat() => Output.WriteHeartbeat();

    protected override void CloseForShutdown() => Close(ErrorCatalogue.Shutdown());

    protected override void ApplyAll(ref ReadOnlySequence<byte> buffer, Action? first)
    {
        Clock.BeginTurn();
        try
        {
            first?.Invoke();
            Posted.Run();
            FrameDispatcher.ApplyAll(ref buffer, this);
            _handshake.Session?.Commands.Run();
            SendConfirms();
        }
        catch (BrokerException e)
        {
            Close(e);
        }
        catch (AmqpProtocolException e)
        {
            CloseGarbled(e.Code, e.Message);
            buffer = buffer.Slice(buffer.End); // where the next frame begins cannot be known
        }
        catch (InvariantException e)
        {
            Log.InvariantBroken(Name, e);
            Close(ErrorCatalogue.Internal());
        }
    }

    public override int CompleteSize(in ReadOnlySequence<byte> bytes) => FrameReader.CompleteSize(bytes, _payloadMax);

    public override bool TryApply(ref ReadOnlySpan<byte> bytes)
    {
        if (!FrameReader.TryRead(ref bytes, _payloadMax, out Frame frame)) return false;
        Apply(in frame);
        return true;
    }

    private void Apply(in Frame frame)
    {
        if (frame.Type == FrameType.Heartbeat)
        {
            if (frame.Channel != 0) throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, frame.Channel); // note 10
            return;
        }
        if (frame.Channel == 0) ApplyToConnection(in frame);
        else if (Stage == ConnectionStage.Open) ApplyToChannel(in frame);
        else if (Stage == ConnectionStage.Handshake) throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, frame.Channel);
        FailingMethod = default; // a method that was dealt with is not to blame for what follows
    }

    private void ApplyToChannel(in Frame frame)
    {
        if (_lastChannel?.Number == frame.Channel || _channels.TryGetValue(frame.Channel, out _lastChannel)) _lastChannel.Apply(in frame);
        else OpenChannel(in frame);
    }

    private void OpenChannel(in Frame frame)
    {
        if (frame.Type != FrameType.Method) throw ErrorCatalogue.ExpectedMethodFrame();
        var reader = new WireReader(frame.Payload);
        FailingMethod = (AmqpMethod)reader.ReadLong();
        if (FailingMethod is AmqpMethod.ChannelCloseOk or AmqpMethod.ChannelClose)
        {
            // Answers and closes that crossed with ours find the channel gone.
            if (FailingMethod == AmqpMethod.ChannelClose) Output.WriteMethod(frame.Channel, new ChannelCloseOk());
            return;
        }
        if (FailingMethod != AmqpMethod.ChannelOpen) throw ErrorCatalogue.ExpectedChannelOpen();
        if (_channels.Count >= _handshake.ChannelsMax) throw ErrorCatalogue.ChannelLimit(_channels.Count, _handshake.ChannelsMax);
        _channels.Add(frame.Channel, new Channel091(this, frame.Channel));
        Output.WriteMethod(frame.Channel, new ChannelOpenOk());
    }

    private void ApplyToConnection(in Frame frame)
    {
        if (frame.Type != FrameType.Method)
        {
            if (Stage == ConnectionStage.Closing) return;
            throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, 0); // note 13
        }
        var reader = new WireReader(frame.Payload);
        FailingMethod = (AmqpMethod)reader.ReadLong();
        switch (FailingMethod)
        {
            case AmqpMethod.ConnectionClose when Stage is ConnectionStage.Open or ConnectionStage.Closing: OnClose(ConnectionClose.Decode(reader.Rest)); break;
            case AmqpMethod.ConnectionCloseOk when Stage == ConnectionStage.Closing: Stage = ConnectionStage.Closed; break;
            case var _ when Stage == ConnectionStage.Closing: break; // note 17
            case AmqpMethod.ConnectionUpdateSecret when Stage == ConnectionStage.Open: OnUpdateSecret(ConnectionUpdateSecret.Decode(reader.Rest)); break;
            case var method when Stage == ConnectionStage.Handshake: OnHandshake(method, reader.Rest); break;
            default: throw ErrorCatalogue.UnexpectedHandshakeMethod("running");
        }
    }

    private void OnHandshake(AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        bool isOpen = _handshake.OnMethod(method, arguments);
        if (_handshake.FrameBytesMax > 0) _payloadMax = _handshake.FrameBytesMax; // 8 octets more than fit: many clients get it wrong (note 12)
        if (!isOpen) return;
        Stage = ConnectionStage.Open;
        Heartbeat.Start(_handshake.HeartbeatSeconds);
        Log.ConnectionOpened(Name, Session.User.Name, Session.VirtualHost.Name);
    }

    private void OnClose(in ConnectionClose method)
    {
        Log.ClosedByClient(Name, method.ReplyCode);
        EndSession(); // exclusive queues are gone before the client can ask for them again (note 18)
        Output.WriteMethod(0, new ConnectionCloseOk());
        Stage = ConnectionStage.Closed;
    }

    private void OnUpdateSecret(in ConnectionUpdateSecret method)
    {
        if (Session.User.Password?.Matches(method.NewSecret) != true) throw ErrorCatalogue.SecretRefused();
        Output.WriteMethod(0, new ConnectionUpdateSecretOk());
    }

    private void SendConfirms()
    {
        foreach (Channel091 channel in _confirming) channel.SendConfirms();
        _confirming.Clear();
    }

    private void Close(BrokerException error)
    {
        // An error while closing is not worth another close.
        if (Stage is ConnectionStage.Closing or ConnectionStage.Closed) return;
        Log.ConnectionError(Name, (int)error.Code, error.Message);
        bool isLogin = error.Code == ErrorCode.AccessRefused && _handshake.LoginFailure != LoginFailure.None;
        if (isLogin)
        {
            Log.LoginRefused(Name, _handshake.LoginFailure);
            if (!Client.WantsLoginFailure)
            {
                Stage = ConnectionStage.Closed; // older clients take a close without a word as a refusal (note 2)
                return;
            }
        }
        SendClose((ushort)error.Code, error.Message);
    }

    private void CloseGarbled(ushort code, string text)
    {
        if (Stage is ConnectionStage.Closing or ConnectionStage.Closed)
        {
            Stage = ConnectionStage.Closed;
            return;
        }
        Log.ConnectionError(Name, code, text);
        SendClose(code, text);
    }

    private void SendClose(ushort code, string text)
    {
        EndSession();
        AmqpMethod about = code == ReplyCode.ConnectionForced ? default : FailingMethod;
        Output.WriteMethod(0, new ConnectionClose
        {
            ReplyCode = code,
            ReplyText = ReplyText.Of(code, text),
            ClassId = (ushort)((uint)about >> 16),
            MethodId = (ushort)about,
        });
        Heartbeat.SetDeadline(Limits.CloseTimeoutMs);
        Stage = ConnectionStage.Closing;
    }

    protected override void EndSession()
    {
        if (_handshake.Session is null) return;
        try
        {
            Session.Commands.Run();
            SendConfirms();
            foreach (Channel091 channel in _channels.Values) channel.Close();
            _channels.Clear();
            _lastChannel = null;
            Session.Close();
        }
        catch (InvariantException e)
        {
            Log.InvariantBroken(Name, e);
        }
    }
}
