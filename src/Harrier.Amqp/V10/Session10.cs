using System.Runtime.CompilerServices;
using Harrier.Amqp.V10.Durable;
using Harrier.Amqp.V10.Management;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>One session of a connection: its links, windows, and what is settled in it (1.0 part 2, section 2.5). Owned by the connection's task.</summary>
internal sealed class Session10
{
    private readonly Dictionary<uint, Link10> _links = [];
    private readonly SettlementTracker _publications = new();
    private readonly int _incomingWindowMax;
    private Link10? _lastLink;
    private bool _isEnding;

    // The next transfer's id and how many more may come, in one word: a flow that another thread writes must not mix old and new.
    private ulong _incoming;

    public Session10(Connection10 connection, ushort channel, in Begin begin)
    {
        Connection = connection;
        Channel = channel;
        _incomingWindowMax = connection.Limits.IncomingWindowMax;
        _incoming = Pack(begin.NextOutgoingId, (uint)_incomingWindowMax);
        Outgoing = new OutgoingSession(connection, this, begin.IncomingWindow);
        Settlements = new SessionSettlements(channel);
        Dispositions = new Dispositions10(this);
        ManagementPairs = new ManagementPairs(this);
        Transactions = new Transactions10(this, connection.Limits.TransactionBytesMax);
        Write(new Begin
        {
            RemoteChannel = channel,
            NextOutgoingId = 0,
            IncomingWindow = (uint)_incomingWindowMax,
            OutgoingWindow = int.MaxValue,
            HandleMax = (uint)connection.Limits.LinksPerSessionMax - 1,
        });
    }

    public Connection10 Connection { get; }

    public ushort Channel { get; }

    /// <summary>What goes to the peer.</summary>
    public OutgoingSession Outgoing { get; }

    /// <summary>Whether the connection knows that answers to publications are due.</summary>
    public bool IsSettlementDue { get; set; }

    /// <summary>Transactions that were declared and not discharged.</summary>
    public Transactions10 Transactions { get; }

    /// <summary>Its links to and from the management node.</summary>
    public ManagementPairs ManagementPairs { get; }

    /// <summary>Termini whose link is gone and that stay for as long as the session does.</summary>
    public List<DurableTerminus> LingeringTermini { get; } = [];

    /// <summary>What the peer says of deliveries.</summary>
    public Dispositions10 Dispositions { get; }

    /// <summary>Answers that wait for the disk.</summary>
    public SessionSettlements Settlements { get; }

    private ClientSession Client => Connection.Session;

    /// <summary>Deals with a performative and, behind a transfer, its payload.</summary>
    public void Apply(ulong performative, ref ValueReader reader)
    {
        if (_isEnding)
        {
            if (performative == End.Code) Connection.Remove(this);
            return;
        }
        try
        {
            switch (performative)
            {
                case Transfer.Code: OnTransfer(ref reader); break;
                case Disposition.Code: Dispositions.Apply(ref reader); break;
                default: ApplyRare(performative, ref reader); break;
            }
        }
        catch (AmqpException e) when (e.Scope != AmqpErrorScope.Connection)
        {
            EndWith(e);
        }
        catch (BrokerException e) when (e.Scope == ErrorScope.Channel)
        {
            EndWith(AmqpErrors.From(e, AmqpErrorScope.Session));
        }
    }

    public void Write<T>(in T performative) where T : IComposite, allows ref struct
    {
        if (Frame10.HeaderSize + performative.SizeMax > Connection.PeerFrameBytesMax) AssertFits(in performative);
        FrameWriter10.Write(Connection.Output, Channel, in performative);
    }

    /// <summary>A flow of this session, and of a link when there is a handle. From any thread.</summary>
    public Flow FlowOf(uint? handle = null, uint? deliveryCount = null, uint? credit = null, uint? available = null, bool drain = false, bool echo = false)
    {
        ulong incoming = Volatile.Read(ref _incoming);
        return new Flow
        {
            NextIncomingId = (uint)(incoming >> 32),
            IncomingWindow = (uint)incoming,
            NextOutgoingId = Outgoing.NextTransferId,
            OutgoingWindow = int.MaxValue,
            Handle = handle,
            DeliveryCount = deliveryCount,
            LinkCredit = credit,
            Available = available,
            Drain = drain,
            Echo = echo,
        };
    }

    /// <summary>Whom queues tell that they have taken a publication.</summary>
    /// <param name="deliveryId">What the peer calls it.</param>
    /// <param name="queueCount">How many will.</param>
    /// <param name="isSettled">Whether it is settled with the answer, or only once the sender has settled it as well (receiver settle mode second).</param>
    public PublishReceipt Expect(uint deliveryId, int queueCount, bool isSettled)
    {
        Connection.SettleLater(this);
        return new PublishReceipt(_publications, _publications.Begin(deliveryId, queueCount, isSettled));
    }

    /// <summary>Answers a publication that no queue will answer for.</summary>
    public void Answer(uint deliveryId, byte[] state, bool isSettled)
    {
        Connection.SettleLater(this);
        _publications.Add(deliveryId, state, isSettled);
    }

    /// <summary>Has publications answered that the queues have taken or refused, once what was taken is durable.</summary>
    public void SendSettlements()
    {
        IsSettlementDue = false;
        while (_publications.TryTakeAnswered(out SettlementRun run)) Connection.Settlements.Add((Settlements, run), Client.Ticket);
    }

    /// <summary>Ends a link with an error. For those who learn of it on another thread it is posted to the connection's task.</summary>
    public void PostDetach(Link10 link, AmqpException error) => Connection.Posted.Post(() => link.Detach(error));

    /// <summary>Ends what is the session's because the connection is gone.</summary>
    public void Abandon() => Close(LinkEnd.ConnectionLost);

    // Apart, for these performatives are large: their room on the stack would be cleared for every transfer.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ApplyRare(ulong performative, ref ValueReader reader)
    {
        switch (performative)
        {
            case Flow.Code: OnFlow(Flow.Decode(ref reader)); break;
            case Attach.Code: OnAttach(Attach.Decode(ref reader)); break;
            case Detach.Code: OnDetach(Detach.Decode(ref reader)); break;
            case End.Code: OnEnd(); break;
            case Begin.Code: throw AmqpErrors.IllegalState($"a session was begun on channel {Channel}, which has one");
            default: throw AmqpErrors.IllegalState($"a performative with the descriptor 0x{performative:x} is not expected in a session");
        }
    }

    // What a peer says comes back to it in some performatives, and may be too much for it.
    private void AssertFits<T>(in T performative) where T : IComposite, allows ref struct
    {
        int size = Frame10.HeaderSize + Values10.Composite(in performative).Length;
        if (size > Connection.PeerFrameBytesMax) throw AmqpErrors.FrameTooSmall(size, Connection.PeerFrameBytesMax);
    }

    private void Close(LinkEnd how)
    {
        Client.Commands.Run();
        foreach (Link10 link in _links.Values)
        {
            link.Abandon(how);
            ForgetName(link);
        }
        _links.Clear();
        _lastLink = null;
        LingeringTermini.RemoveAll(terminus => terminus.Expire(how));
        Connection.LingeringTermini.AddRange(LingeringTermini);
        Dispositions.AwaitingSender.Clear();
        Transactions.RollBackAll();
        Outgoing.Close();
        Client.Commands.Run();
        Connection.Settlements.Forget(Settlements);
    }

    private void EndWith(AmqpException error)
    {
        Connection.LogSessionError(Channel, error);
        Close(LinkEnd.SessionEnded);
        Write(new End { Error = error.ToBytes() });
        _isEnding = true;
    }

    private void OnEnd()
    {
        Client.Commands.Run();
        SendSettlements();
        Close(LinkEnd.SessionEnded);
        Write(new End());
        Connection.Remove(this);
    }

    private void OnAttach(in Attach attach)
    {
        uint handleMax = (uint)Connection.Limits.LinksPerSessionMax - 1;
        if (attach.Handle > handleMax) throw AmqpErrors.HandleTooHigh(attach.Handle, handleMax);
        if (_links.ContainsKey(attach.Handle)) throw AmqpErrors.HandleInUse(attach.Handle);
        Link10 link;
        try
        {
            link = LinkFactory.Create(this, in attach);
        }
        catch (Exception e) when (RefusalOf(e) is { } refusal)
        {
            link = new RefusedLink10(this, attach.Handle, refusal);
        }
        _links.Add(attach.Handle, link);
        if (link is not RefusedLink10) Name(link, in attach);
        link.Answer(in attach);
    }

    /// <summary>Goes on with an attach whose answer had to wait. What is wrong with it concerns the one link.</summary>
    public static void GoOn(Link10 link, Action work)
    {
        if (link.IsDetached) return;
        try
        {
            work();
        }
        catch (Exception e) when (RefusalOf(e) is { } refusal)
        {
            link.Detach(refusal);
        }
    }

    private void Name(Link10 link, in Attach attach)
    {
        link.Name = (new Utf8Name(attach.Name), attach.Role == Role.Receiver);
        if (Connection.Links.TryGetValue(link.Name, out Link10? other)) other.Steal(link);
        Connection.Links[link.Name] = link;
    }

    private void ForgetName(Link10 link)
    {
        if (Connection.Links.TryGetValue(link.Name, out Link10? named) && ReferenceEquals(named, link)) Connection.Links.Remove(link.Name);
    }

    // Everything that is wrong with an attach concerns the one link (1.0 part 2, section 2.6.3).
    private static AmqpException? RefusalOf(Exception e) => e switch
    {
        AmqpException { Scope: AmqpErrorScope.Link } error => error,
        BrokerException error => AmqpErrors.From(error, AmqpErrorScope.Link),
        DecodeException error => AmqpErrors.Decode(error.Message, AmqpErrorScope.Link),
        IOException => AmqpErrors.Unreadable(),
        _ => null,
    };

    private void OnDetach(in Detach detach)
    {
        Link10 link = FindLink(detach.Handle);
        Client.Commands.Run(); // what came before is done before
        link.OnDetach(detach.Closed);
        _links.Remove(detach.Handle);
        ForgetName(link);
        _lastLink = null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void OnTransfer(ref ValueReader reader)
    {
        Transfer transfer = Transfer.Decode(ref reader);
        (uint next, uint window) = ((uint)(_incoming >> 32), (uint)_incoming);
        if (window == 0) throw AmqpErrors.WindowViolation("a transfer came beyond the incoming window");
        _incoming = Pack(next + 1, window - 1);
        if (window - 1 <= _incomingWindowMax / 2)
        {
            _incoming = Pack(next + 1, (uint)_incomingWindowMax);
            Write(FlowOf());
        }
        Link10 link = FindLink(transfer.Handle);
        if (link.IsDetached) return; // it was on its way
        try
        {
            link.OnTransfer(in transfer, reader.Rest);
        }
        catch (Exception e) when (RefusalOf(e) is { } error)
        {
            link.Detach(error);
        }
    }

    private void OnFlow(in Flow flow)
    {
        Outgoing.OnFlow(in flow);
        if (flow.Handle is not { } handle)
        {
            if (flow.Echo) Write(FlowOf());
            return;
        }
        Link10 link = FindLink(handle);
        if (!link.IsDetached) link.OnFlow(in flow);
    }

    private Link10 FindLink(uint handle)
    {
        if (_lastLink?.Handle == handle || _links.TryGetValue(handle, out _lastLink)) return _lastLink;
        throw AmqpErrors.UnattachedHandle(handle);
    }

    private static ulong Pack(uint next, uint window) => (ulong)next << 32 | window;
}
