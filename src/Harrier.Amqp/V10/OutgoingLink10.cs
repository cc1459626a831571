using System.Buffers.Binary;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Sources;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// A link from a queue to the peer: gives it no more than its credit (1.0 part 2, section 2.6.7). Deliveries are written from whatever thread has them; the rest is the
/// connection's task's.
/// </summary>
internal class OutgoingLink10 : Link10, IConsumer
{
    /// <summary>Bytes of the longest tag that a link gives to a delivery.</summary>
    public const int TagBytesMax = sizeof(ulong) + sizeof(int);

    private readonly SourceTerminus _source;
    private readonly bool _isSettled;
    private readonly ulong _messageBytesMax;
    private QueueConsumer _registration = null!;
    private ConsumerResume _resume = null!;
    private readonly List<Settling<OutgoingLink10>> _dropped = []; // guarded by the output's gate
    private uint _deliveryCount; // guarded by the output's gate
    private uint _creditLimit;
    private volatile bool _isGone;

    public OutgoingLink10(Session10 session, in Attach attach, SourceTerminus source) : this(session, in attach, source, registersLater: true) => Register(holder: 0);

    protected OutgoingLink10(Session10 session, in Attach attach, SourceTerminus source, bool registersLater) : base(session, attach.Handle)
    {
        _source = source;
        _messageBytesMax = attach.MaxMessageSize ?? 0;
        _isSettled = attach.SndSettleMode == SenderSettleMode.Settled && registersLater;
    }

    public Queue Queue => _source.Queue;

    /// <summary>What becomes of a delivery that the receiver settles without a word.</summary>
    public Outcome DefaultOutcome => _source.DefaultOutcome;

    /// <summary>The last of its deliveries and drains that its session keeps back, or null. Guarded by the output's gate.</summary>
    public OutgoingSession.Waiting? LastWaiting { get; set; }

    /// <summary>Whether nothing more is to be sent.</summary>
    public bool IsGone => _isGone;

    /// <summary>Deliveries that were sent, resumed ones too.</summary>
    protected uint DeliveryCount => Volatile.Read(ref _deliveryCount);

    /// <summary>The queue's side of it; null before it is registered.</summary>
    protected QueueConsumer Registration => _registration;

    /// <summary>Asks the queue to go on.</summary>
    protected IRoomWaiter Resumption => _resume;

    public virtual bool HasRoom => Session.Outgoing.HasRoom;

    public override void Answer(in Attach attach)
    {
        Session.Write(new Attach
        {
            Name = attach.Name,
            Handle = Handle,
            Role = Role.Sender,
            SndSettleMode = _source.IsBrowsed ? SenderSettleMode.Settled : attach.SndSettleMode, // of a copy there is nothing to settle
            RcvSettleMode = attach.RcvSettleMode,
            Source = _source.Encode(),
            Target = attach.Target,
            InitialDeliveryCount = 0,
            OfferedCapabilities = SourceFilters.Capabilities,
        });
        Client.Commands.Add(new QueueCommand(QueueCommandKind.Resume, Queue, Consumer: _registration)); // nothing comes before the attach
    }

    public override void OnFlow(in Flow flow)
    {
        if (flow.LinkCredit is { } credit)
        {
            // Before it has our attach it knows of no delivery, and the first is 0. Limits are serial numbers: credit beyond their half would count as none.
            _creditLimit = (flow.DeliveryCount ?? 0) + Math.Min(credit, int.MaxValue);
            Grant(_creditLimit, flow.Drain);
        }
        if (!flow.Echo) return;
        Client.Commands.Run();
        lock (Connection.Output.Gate) WriteFlow(_deliveryCount, (uint)Math.Max(0, (int)(_creditLimit - _deliveryCount)), (uint)Queue.ReadyCount);
    }

    public virtual void Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        lock (Connection.Output.Gate)
        {
            foreach (ref readonly Delivery delivery in deliveries) Write(in delivery);
        }
    }

    public virtual void Flush() => Connection.Output.Flush();

    public virtual bool AwaitRoom() => Session.Outgoing.TryAwaitRoom(_resume);

    // What was taken back is settled by the peer in vain, if ever.
    public void OnOverdue(DeliveryId delivery, long timeoutMs)
    {
    }

    public virtual void OnDrained(uint deliveryCount)
    {
        lock (Connection.Output.Gate) Session.Outgoing.EndDrain(this, deliveryCount);
    }

    public void OnUnreadable() => Session.PostDetach(this, AmqpErrors.Unreadable());

    public void OnQueueDeleted() => Session.PostDetach(this, AmqpErrors.QueueDeleted(Queue.NameText));

    /// <summary>Tells the peer that its credit has been used up (1.0 part 2, section 2.6.7). Under the output's gate.</summary>
    public void WriteDrained(uint deliveryCount)
    {
        if (_isGone) return;
        _deliveryCount = deliveryCount;
        WriteFlow(deliveryCount, credit: 0, (uint)Queue.ReadyCount, drain: true);
    }

    /// <summary>The tag of a delivery: its id, for nobody asks for it again (1.0 part 2, section 2.6.12).</summary>
    public virtual Span<byte> WriteTag(Span<byte> to, uint deliveryId, in Delivery delivery)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, deliveryId);
        return to[..sizeof(uint)];
    }

    /// <summary>Joins the queue's consumers; gets nothing before it is resumed.</summary>
    protected void Register(long holder)
    {
        _registration = new QueueConsumer(Queue, this)
        {
            UsesLinkCredit = true,
            NoAck = _isSettled,
            Priority = _source.Priority,
            Holder = holder,
            Filter = _source.Filters.Filter,
            IsBrowsing = _source.IsBrowsed,
        };
        _resume = new ConsumerResume(_registration);
        Client.Consume(_registration);
    }

    /// <summary>Lets the delivery count go up to a number.</summary>
    protected virtual void Grant(uint limit, bool drain)
    {
        QueueCommandFlags flags = drain ? QueueCommandFlags.Drain : QueueCommandFlags.None;
        Client.Commands.Add(new QueueCommand(QueueCommandKind.Credit, Queue, Consumer: _registration, Sequence: limit, Flags: flags));
    }

    /// <summary>Writes a delivery. Under the output's gate; the message stays the caller's.</summary>
    protected void Write(in Delivery delivery, bool isResumed = false)
    {
        if (_isGone)
        {
            Drop(in delivery);
            return;
        }
        int size = delivery.Message.Properties.Length + delivery.Message.BodySize;
        if (_messageBytesMax != 0 && (ulong)size > _messageBytesMax)
        {
            Session.PostDetach(this, AmqpErrors.MessageTooLarge((ulong)size, _messageBytesMax));
            Drop(in delivery);
            return;
        }
        _deliveryCount++;
        if (ReferenceEquals(delivery.Message.Format, MessageFormat10.Instance))
        {
            Session.Outgoing.Deliver(this, in delivery, isResumed);
            return;
        }
        Message converted = To10.Convert(delivery.Message);
        Session.Outgoing.Deliver(this, delivery with { Message = converted }, isResumed);
        converted.Release();
    }

    // It goes back to the queue, for somebody who takes it, when the link has ended there too.
    private void Drop(in Delivery delivery)
    {
        if (!delivery.IsSettled) _dropped.Add(new Settling<OutgoingLink10>(0, this, delivery.Id));
    }

    /// <summary>Nothing more is sent.</summary>
    protected void Stop()
    {
        _isGone = true;
        Client.Commands.Run(); // what was asked for before comes before
    }

    protected override void End(LinkEnd how)
    {
        Stop();
        Client.Cancel(_registration);
        var unsettled = new List<Settling<OutgoingLink10>>();
        Session.Outgoing.TakeOf(this, unsettled);
        lock (Connection.Output.Gate) unsettled.AddRange(_dropped);
        Outcome outcome = how == LinkEnd.ConnectionLost ? Outcome.Failed : Outcome.Released; // who vanishes may have died of a message (behaviour note 88)
        foreach (Settling<OutgoingLink10> settling in unsettled)
            Client.Commands.Add(new QueueCommand(QueueCommandKind.Settle, Queue, Delivery: settling.Id, Outcome: outcome));
        Client.Commands.Run();
        _source.End(Connection, how);
    }
}
