using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Durable;
using Harrier.Amqp.V10.Sources;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Applies the 1.0 frames of one connection to its sessions (1.0 part 2, section 2.4).</summary>
internal sealed class Connection10 : ServedConnection
{
    private readonly Handshake10 _handshake;
    private readonly Dictionary<ushort, Session10> _sessions = [];
    private readonly List<Session10> _settling = [];
    private Session10? _lastSession;

    public Connection10(IDuplexPipe transport, EndPoint? from, AmqpServer server, bool withSasl) : base(transport, from, server)
    {
        Termini = server.Termini;
        _handshake = new Handshake10(this, server, from, withSasl);
        NodeName = server.Identity.ClusterName;
        Settlements = new SettlementRelease(Output, Broker.Sync);
    }

    public ClientSession Session => _handshake.Session!;

    /// <summary>What the client calls itself; links belong to it (1.0 part 2, section 2.6.1).</summary>
    public string ContainerId => _handshake.ContainerId;

    /// <summary>What the broker calls itself: where queues are.</summary>
    public string NodeName { get; }

    /// <summary>Bytes of the largest frame that the peer takes.</summary>
    public int PeerFrameBytesMax => _handshake.PeerFrameBytesMax;

    /// <summary>Who has which durable terminus.</summary>
    public TerminusRegistry Termini { get; }

    /// <summary>Termini whose session is over and that stay for as long as the connection does.</summary>
    public List<DurableTerminus> LingeringTermini { get; } = [];

    /// <summary>The links that are attached, by their names and directions: one at a time (1.0 part 2, section 2.6.1).</summary>
    public Dictionary<(Utf8Name Name, bool IsToPeer), Link10> Links { get; } = [];

    /// <summary>The queues that were made for its links.</summary>
    public DynamicNodes DynamicNodes { get; } = new();

    /// <summary>Answers to publications that wait for the disk.</summary>
    public SettlementRelease Settlements { get; }

    protected override ClientSession? OpenSession => _handshake.Session;

    protected override bool IsAwaitingSync => Settlements.IsWaiting;

    protected override string ClientName => ContainerId;

    private int FrameBytesMax => Stage == ConnectionStage.Handshake ? Limits.InitialFrameBytesMax : Limits.FrameBytesMax;

    public override int CompleteSize(in ReadOnlySequence<byte> bytes)
    {
        if (!_handshake.ExpectsHeader) return FrameReader10.CompleteSize(bytes, FrameBytesMax);
        return bytes.Length < ProtocolHeader.Size ? 0 : ProtocolHeader.Size;
    }

    public override bool TryApply(ref ReadOnlySpan<byte> bytes)
    {
        if (_handshake.ExpectsHeader)
        {
            if (bytes.Length < ProtocolHeader.Size) return false;
            ReadOnlySpan<byte> header = bytes[..ProtocolHeader.Size];
            bytes = bytes[ProtocolHeader.Size..];
            if (!_handshake.TakeHeader(header)) Stage = ConnectionStage.Closed;
            return true;
        }
        if (!FrameReader10.TryRead(ref bytes, FrameBytesMax, out Frame10 frame)) return false;
        Apply(in frame);
        return true;
    }

    /// <summary>Has a session's answers to publications sent at the end of the batch that is being read.</summary>
    public void SettleLater(Session10 session)
    {
        if (session.IsSettlementDue) return;
        session.IsSettlementDue = true;
        _settling.Add(session);
    }

    /// <summary>Takes a session out: it has ended for both sides.</summary>
    public void Remove(Session10 session)
    {
        _sessions.Remove(session.Channel);
        if (ReferenceEquals(_lastSession, session)) _lastSession = null;
    }

    public void LogSessionError(int channel, AmqpException error) => Log.LinkError(Name, channel, error.Condition, error.Message);

    protected override void Start()
    {
        if (!_handshake.Start()) Stage = ConnectionStage.Closed;
    }

    // Should it read after all, it learns why (1.0 part 2, section 2.4.5).
    protected override void WriteFarewell() =>
        FrameWriter10.Write(Output, 0, new Close { Error = AmqpException.Encode(AmqpErrors.ResourceLimitExceeded, "nothing was received within the idle-time-out") });

    protected override void WriteHeartbeat() => FrameWriter10.WriteEmpty(Output);

    protected override void CloseForShutdown() => Close(AmqpErrors.Shutdown());

    protected override void ApplyAll(ref ReadOnlySequence<byte> buffer, Action? first)
    {
        Clock.BeginTurn();
        try
        {
            first?.Invoke();
            Posted.Run();
            FrameDispatcher.ApplyAll(ref buffer, this);
            _handshake.Session?.Commands.Run();
            SendSettlements();
        }
        catch (AmqpException e)
        {
            Close(e);
        }
        catch (BrokerException e)
        {
            Close(AmqpErrors.From(e, AmqpErrorScope.Connection));
        }
        catch (DecodeException e)
        {
            Close(AmqpErrors.Decode(e.Message, AmqpErrorScope.Connection));
        }
        catch (FramingException e)
        {
            Close(AmqpErrors.Framing(e.Message));
            Stage = ConnectionStage.Closed; // where the next frame begins cannot be known
        }
        catch (InvariantException e)
        {
            Log.InvariantBroken(Name, e);
            Close(AmqpErrors.Internal());
        }
    }

    protected override void EndSession()
    {
        if (_handshake.Session is null) return;
        try
        {
            Session.Commands.Run();
            SendSettlements();
            foreach (Session10 session in _sessions.Values) session.Abandon();
            _sessions.Clear();
            _lastSession = null;
            foreach (DurableTerminus terminus in LingeringTermini) terminus.Expire(LinkEnd.ConnectionLost);
            LingeringTermini.Clear();
            Session.Close();
        }
        catch (InvariantException e)
        {
            Log.InvariantBroken(Name, e);
        }
    }

    private void Apply(in Frame10 frame)
    {
        if (frame.Type == FrameType10.Sasl || _handshake.ExpectsSasl)
        {
            if (!_handshake.TakeSasl(in frame, Log, Name)) Stage = ConnectionStage.Closed;
            return;
        }
        if (frame.Body.IsEmpty) return; // a sign of life
        var reader = new ValueReader(frame.Body);
        ulong performative = reader.ReadDescriptor();
        if (performative == Harrier.Protocol.Amqp10.Close.Code) OnClose(ref reader);
        else if (Stage == ConnectionStage.Closing) return;
        else if (Stage == ConnectionStage.Handshake) OnOpen(performative, ref reader);
        else ApplyToSession(frame.Channel, performative, ref reader);
    }

    private void ApplyToSession(ushort channel, ulong performative, ref ValueReader reader)
    {
        if (_lastSession?.Channel != channel && !_sessions.TryGetValue(channel, out _lastSession))
        {
            BeginSession(channel, performative, ref reader);
            return;
        }
        _lastSession!.Apply(performative, ref reader);
    }

    private void BeginSession(ushort channel, ulong performative, ref ValueReader reader)
    {
        if (channel >= Limits.SessionsMax) throw AmqpErrors.ChannelTooHigh(channel, Limits.SessionsMax - 1);
        if (performative != Begin.Code) throw AmqpErrors.IllegalState($"there is no session on channel {channel}");
        Begin begin = Begin.Decode(ref reader);
        if (begin.RemoteChannel is { } ours) throw AmqpErrors.IllegalState($"a begin answers one on channel {ours}, where none was begun");
        _sessions.Add(channel, new Session10(this, channel, in begin));
    }

    private void OnOpen(ulong performative, ref ValueReader reader)
    {
        if (performative != Open.Code) throw AmqpErrors.IllegalState("the first performative is open");
        Open open = Open.Decode(ref reader);
        _handshake.OnOpen(in open);
        Stage = ConnectionStage.Open;
        Heartbeat.Start(Limits.HeartbeatSeconds * 1000L / 2, open.IdleTimeOut ?? 0); // as announced; overdue is who misses it twice
        Log.ConnectionOpened(Name, Session.User.Name, Session.VirtualHost.Name);
    }

    private void OnClose(ref ValueReader reader)
    {
        if (Stage == ConnectionStage.Open)
        {
            Close close = Harrier.Protocol.Amqp10.Close.Decode(ref reader);
            Log.ClosedByPeer(Name, close.Error.IsEmpty ? "no error" : "an error");
            EndSession();
            FrameWriter10.Write(Output, 0, new Close());
        }
        Stage = ConnectionStage.Closed;
    }

    private void SendSettlements()
    {
        foreach (Session10 session in _settling) session.SendSettlements();
        _settling.Clear();
    }

    private void Close(AmqpException error)
    {
        // An error while closing is not worth another close.
        if (Stage is ConnectionStage.Closing or ConnectionStage.Closed) return;
        Log.ConnectionFailed(Name, error.Condition, error.Message);
        EndSession();
        if (_handshake.ExpectsSasl || _handshake.ExpectsHeader)
        {
            Stage = ConnectionStage.Closed; // too early for any performative (1.0 part 5, section 5.3.1)
            return;
        }
        _handshake.EnsureOpened(); // a close may follow an open only (1.0 part 2, section 2.4.3)
        FrameWriter10.Write(Output, 0, new Close { Error = error.ToBytes() });
        Heartbeat.SetDeadline(Limits.CloseTimeoutMs);
        Stage = ConnectionStage.Closing;
    }
}
