using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;
using Microsoft.Extensions.Logging;

namespace Harrier.Amqp.V091;

/// <summary>
/// Reads the 0-9-1 frames of one connection and applies them to its channels. Owned by one task; ends when the peer closes, breaks the protocol or falls silent.
/// Others may write to its output and ask it to shut down.
/// </summary>
internal sealed class Connection091 : IFrameHandler, IBeating
{
    private readonly PipeReader _input;
    private readonly ILogger _log;
    private readonly EndPoint? _from;
    private readonly Handshake091 _handshake;
    private readonly HeartbeatMonitor _heartbeat;
    private readonly Dictionary<ushort, Channel091> _channels = [];
    private readonly List<Channel091> _confirming = [];
    private Channel091? _lastChannel;
    private Stage _stage = Stage.Handshake;
    private bool _hasPublished;
    private volatile bool _shutdownRequested;

    public Connection091(IDuplexPipe transport, EndPoint? from, AmqpServer server)
    {
        _input = transport.Input;
        Clock = new TurnClock(server.Time);
        _log = server.Log;
        _from = from;
        Broker = server.Broker;
        Limits = server.Limits;
        ServerProperties = server.ServerProperties;
        Output = new FrameOutput(transport.Output, server.Scheduler);
        _heartbeat = new HeartbeatMonitor(server.Time, server.Limits);
        Pauses = new ReadPauses(this, _heartbeat, server.Time);
        Posted = new PostedWork(_input);
        Confirms = new ConfirmRelease(Output, Broker.Sync);
        _handshake = new Handshake091(this, from);
        PayloadMax = Limits.InitialFrameBytesMax;
    }

    private enum Stage
    {
        Handshake,
        Open,

        /// <summary>connection.close was sent; only its answer counts.</summary>
        Closing,
        Closed,
    }

    public MessageBroker Broker { get; }

    public ConnectionLimits Limits { get; }

    public byte[] ServerProperties { get; }

    public FrameOutput Output { get; }

    /// <summary>When what is being read has come.</summary>
    public TurnClock Clock { get; }

    /// <summary>Confirms that wait for the disk.</summary>
    public ConfirmRelease Confirms { get; }

    /// <summary>What the reading waits for.</summary>
    public ReadPauses Pauses { get; }

    /// <summary>What others want done.</summary>
    public PostedWork Posted { get; }

    public ClientSession Session => _handshake.Session!;

    public ClientProperties Client => _handshake.Client;

    /// <summary>Bytes of a frame, as negotiated.</summary>
    public int FrameBytesMax => _handshake.FrameBytesMax;

    /// <summary>Whether there are as many connections as may be already; the client learns it at connection.open (note 11).</summary>
    public bool IsBeyondLimit { get; init; }

    /// <inheritdoc/>
    public int PayloadMax { get; private set; }

    /// <inheritdoc/>
    public bool IsStopped => _stage == Stage.Closed || HasToFlush || Pauses.IsSuspended;

    /// <summary>The method that an error is about, for the close method.</summary>
    public AmqpMethod FailingMethod { get; set; }

    // Only an open connection causes answers; one that is closing must get to the end of what the peer sends.
    private bool HasToFlush => _stage == Stage.Open && Output.IsOverfull;

    private string Name => Client.Name.Length > 0 ? $"{_from} ({Client.Name})" : $"{_from}";

    /// <summary>Serves the connection until it ends. Never throws for anything the peer did.</summary>
    public async Task RunAsync()
    {
        _handshake.Start();
        Output.Flush();
        try
        {
            await ReadAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The transport is gone, or what was awaited has been given up: the same as the peer's leaving.
        }
        finally
        {
            EndSession();
            await Output.WhenFlushedAsync().WaitAsync(TimeSpan.FromMilliseconds(Limits.CloseTimeoutMs), Clock.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Output.Close();
        }
    }

    /// <summary>Asks for a close with 320. From any thread.</summary>
    public void RequestShutdown()
    {
        _shutdownRequested = true;
        Interrupt();
    }

    /// <summary>Heartbeats and deadlines; called twice a second or so, from the clock's thread.</summary>
    public void OnBeat()
    {
        if (Output.IsClosed)
        {
            Interrupt(); // the peer is gone; a publisher that is held back would not notice by itself
            return;
        }
        if (_heartbeat.IsDue(Output.FlushCount))
        {
            Output.WriteHeartbeat();
            Output.Flush();
        }
        if (!_heartbeat.IsOverdue) return;
        _log.SilentPeer(Name, _heartbeat.Deadline);
        Output.Close();
        Interrupt();
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

    /// <summary>A message has come in: what holds publishers back applies to this connection (note 21).</summary>
    public void OnPublished() => _hasPublished = true;

    public void LogChannelError(int channel, BrokerException error) => _log.ChannelError(Name, channel, (int)error.Code, error.Message);

    /// <summary>Ends whatever the reading task waits for.</summary>
    private void Interrupt()
    {
        Pauses.Interrupt();
        _input.CancelPendingRead();
    }

    private async Task ReadAsync()
    {
        while (_stage != Stage.Closed)
        {
            ReadResult read = await _input.ReadAsync();
            _heartbeat.OnRead();
            ReadOnlySequence<byte> buffer = read.Buffer;
            ApplyAll(ref buffer);
            bool hasToFlush = HasToFlush, hasMore = hasToFlush || Pauses.IsSuspended || FrameDispatcher.HasWhole(buffer, this);
            _input.AdvanceTo(buffer.Start, hasMore ? buffer.Start : buffer.End); // what was left is looked at again after the wait
            if (Output.IsClosed || (read.IsCompleted && !hasMore))
            {
                if (_stage == Stage.Open) _log.ClosedAbruptly(Name);
                return;
            }
            if (_shutdownRequested && _stage is Stage.Open or Stage.Handshake) Close(ErrorCatalogue.Shutdown());
            Output.Flush();
            // Acknowledgements come on this very stream, so it waits for the peer's reading only when answers have piled up sky-high.
            if (hasToFlush) await Pauses.FlushAnswersAsync();
            while (Pauses.IsSuspended) await ResumeAsync();
            if (_hasPublished && _stage == Stage.Open)
            {
                _hasPublished = false;
                await Pauses.HoldBackAsync();
            }
            // Who waits for confirms from the disk is slow enough as it is.
            if (_handshake.Session is { } session && !Confirms.IsWaiting) await ConsumerPace.LetCatchUpAsync(session.Commands, Clock.Time);
        }
    }

    /// <summary>Goes on with the method that had to wait.</summary>
    private async Task ResumeAsync()
    {
        if (await Pauses.ResumeAsync() is not { } then || _stage != Stage.Open) return;
        ReadOnlySequence<byte> nothing = ReadOnlySequence<byte>.Empty;
        ApplyAll(ref nothing, then);
        Output.Flush();
    }

    /// <summary>Applies every complete frame, synchronously, and answers once.</summary>
    private void ApplyAll(ref ReadOnlySequence<byte> buffer, Action? first = null)
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
            _log.InvariantBroken(Name, e);
            Close(ErrorCatalogue.Internal());
        }
    }

    void IFrameHandler.Apply(in Frame frame)
    {
        if (frame.Type == FrameType.Heartbeat)
        {
            if (frame.Channel != 0) throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, frame.Channel); // note 10
            return;
        }
        if (frame.Channel == 0) ApplyToConnection(in frame);
        else if (_stage == Stage.Open) ApplyToChannel(in frame);
        else if (_stage == Stage.Handshake) throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, frame.Channel);
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
            if (_stage == Stage.Closing) return;
            throw ErrorCatalogue.UnexpectedFrame((int)frame.Type, 0); // note 13
        }
        var reader = new WireReader(frame.Payload);
        FailingMethod = (AmqpMethod)reader.ReadLong();
        switch (FailingMethod)
        {
            case AmqpMethod.ConnectionClose when _stage is Stage.Open or Stage.Closing: OnClose(ConnectionClose.Decode(reader.Rest)); break;
            case AmqpMethod.ConnectionCloseOk when _stage == Stage.Closing: _stage = Stage.Closed; break;
            case var _ when _stage == Stage.Closing: break; // note 17
            case AmqpMethod.ConnectionUpdateSecret when _stage == Stage.Open: OnUpdateSecret(ConnectionUpdateSecret.Decode(reader.Rest)); break;
            case var method when _stage == Stage.Handshake: OnHandshake(method, reader.Rest); break;
            default: throw ErrorCatalogue.UnexpectedHandshakeMethod("running");
        }
    }

    private void OnHandshake(AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        bool isOpen = _handshake.OnMethod(method, arguments);
        if (_handshake.FrameBytesMax > 0) PayloadMax = _handshake.FrameBytesMax; // 8 octets more than fit: many clients get it wrong (note 12)
        if (!isOpen) return;
        _stage = Stage.Open;
        _heartbeat.Start(_handshake.HeartbeatSeconds);
        _log.ConnectionOpened(Name, Session.User.Name, Session.VirtualHost.Name);
    }

    private void OnClose(in ConnectionClose method)
    {
        _log.ClosedByClient(Name, method.ReplyCode);
        EndSession(); // exclusive queues are gone before the client can ask for them again (note 18)
        Output.WriteMethod(0, new ConnectionCloseOk());
        _stage = Stage.Closed;
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
        if (_stage is Stage.Closing or Stage.Closed) return;
        _log.ConnectionError(Name, (int)error.Code, error.Message);
        bool isLogin = error.Code == ErrorCode.AccessRefused && _handshake.LoginFailure != LoginFailure.None;
        if (isLogin)
        {
            _log.LoginRefused(Name, _handshake.LoginFailure);
            if (!Client.WantsLoginFailure)
            {
                _stage = Stage.Closed; // older clients take a close without a word as a refusal (note 2)
                return;
            }
        }
        SendClose((ushort)error.Code, error.Message);
    }

    private void CloseGarbled(ushort code, string text)
    {
        if (_stage is Stage.Closing or Stage.Closed)
        {
            _stage = Stage.Closed;
            return;
        }
        _log.ConnectionError(Name, code, text);
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
        _heartbeat.SetDeadline(Limits.CloseTimeoutMs);
        _stage = Stage.Closing;
    }

    /// <summary>Ends channels and what is exclusively the connection's. Safe to call again.</summary>
    private void EndSession()
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
            _log.InvariantBroken(Name, e);
        }
    }
}
