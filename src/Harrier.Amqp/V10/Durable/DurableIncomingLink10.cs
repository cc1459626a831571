using System.Runtime.InteropServices;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// A link from the peer that remembers what it has received until the peer has settled it (1.0 part 2, sections 2.6.12 and 2.6.13): a message joins its queues
/// and its tag the terminus as one, so that a sender that comes back is told what became of each delivery, and sends again only what was not received.
/// </summary>
internal sealed class DurableIncomingLink10 : IncomingLink10
{
    /// <summary>Deliveries that a sender may leave unsettled, though they are accepted, before it gets no more credit.</summary>
    public const int UnsettledMax = 10_000;

    private readonly AttachCopy _attach;
    private readonly UnsettledMap _unsettled;
    private readonly PublishTerminus _target;
    private readonly TerminusHold _hold;
    private readonly List<QueueCommand> _group = [];
    private readonly Dictionary<Utf8Name, PendingReceipt> _pending = []; // of transactions that are not discharged
    private byte[] _tag = [];
    private uint? _resumedId;
    private bool _isResumedSettled;
    private bool _isAttached;
    private bool _takesNew;

    public DurableIncomingLink10(Session10 session, in Attach attach, PublishTerminus target) : base(session, in attach, target)
    {
        _attach = new AttachCopy(in attach);
        _unsettled = UnsettledMap.Read(attach.Unsettled);
        _target = target;
        _hold = new TerminusHold(session, this, _attach.LinkName, isSource: false);
    }

    protected override uint CreditMax => (uint)Math.Clamp(UnsettledMax - _hold.Terminus.ReceivedCount - _pending.Count, 0, base.CreditMax);

    protected override bool OutlivesErrors => true;

    /// <summary>Takes the terminus, from another link if need be; the answer is written when all is known that was received, and is on the disk.</summary>
    public override void Answer(in Attach attach) =>
        _hold.Take(queue: null, _target.Policy, () => _hold.Await(_hold.Terminus.WhenRead, OnRead));

    public override void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        bool isFirst = !IsUnderWay && _resumedId is null;
        if (isFirst && IsReceived(in transfer))
        {
            TakeCredit();
            _resumedId = transfer.DeliveryId ?? throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the first transfer of a delivery has its id");
            _isResumedSettled = false;
        }
        if (_resumedId is null)
        {
            if (isFirst && !transfer.Resume && !_takesNew) throw AmqpErrors.MapIncomplete();
            base.OnTransfer(in transfer, payload);
            return;
        }
        _isResumedSettled |= transfer.Settled == true || transfer.Aborted;
        if (transfer.More && !transfer.Aborted) return;
        Resume(_resumedId.Value);
        _resumedId = null;
        Replenish();
    }

    /// <summary>The peer has settled a delivery.</summary>
    public void Forget(byte[] tag)
    {
        if (IsDetached) return;
        if (_pending.Remove(new Utf8Name(tag), out PendingReceipt? pending)) pending.Forget();
        else _hold.Terminus.Forget(tag);
        Replenish();
    }

    /// <summary>What remembers a delivery, to be done as one with what it causes.</summary>
    public QueueCommand Note(byte[] tag) => _hold.Terminus.Receive(tag);

    /// <summary>The transaction of a delivery is over.</summary>
    public void EndPending(PendingReceipt pending, bool isCommitted)
    {
        _pending.Remove(new Utf8Name(pending.Tag));
        if (!isCommitted) Session.Dispositions.AwaitingSender.Remove(pending.DeliveryId);
    }

    /// <summary>Grants credit for what was rolled back.</summary>
    public void GrantAgain() => Replenish();

    protected override void Publish(Message message, RouteSet routes)
    {
        if (IsSettled || SettlesAtOnce || routes.Count == 0)
        {
            base.Publish(message, routes); // nobody will ask for what became of it, or nothing has
            return;
        }
        _group.Clear();
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++) _group.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message));
        _group.Add(_hold.Terminus.Receive(_tag));
        if (Client.Commands.RunAtomically(CollectionsMarshal.AsSpan(_group)))
        {
            Session.Dispositions.AwaitingSender[DeliveryId] = (this, _tag);
            Session.Answer(DeliveryId, DeliveryState.Accepted, isSettled: false);
            return;
        }
        foreach (QueueCommand command in _group) command.Message!.Release();
        Session.Answer(DeliveryId, DeliveryState.Rejected, isSettled: false);
    }

    protected override void Publish(Message message, RouteSet routes, Transaction10 transaction)
    {
        bool isRemembered = !IsSettled && !SettlesAtOnce && routes.Count > 0;
        base.Publish(message, routes, transaction);
        if (!isRemembered) return;
        var pending = new PendingReceipt(this, transaction, DeliveryId, _tag);
        transaction.Remember(pending);
        _pending.Add(new Utf8Name(_tag), pending);
        Session.Dispositions.AwaitingSender[DeliveryId] = (this, _tag);
    }

    protected override void End(LinkEnd how)
    {
        base.End(how);
        foreach (PendingReceipt pending in _pending.Values)
        {
            if (how == LinkEnd.Closed) pending.Forget();
            else pending.Lose();
        }
        _pending.Clear();
        uint[] awaited = [.. Session.Dispositions.AwaitingSender.Where(a => ReferenceEquals(a.Value.Link, this)).Select(a => a.Key)];
        foreach (uint id in awaited) Session.Dispositions.AwaitingSender.Remove(id);
        _hold.End(how);
    }

    protected override void EnsureAttached()
    {
        if (!_isAttached) Session.Write(_attach.Refusal(Handle));
    }

    // A peer that has closed the link does not come back: what comes back after a crash would stay.
    protected override void AnswerDetach(bool isClosed)
    {
        if (isClosed && _hold.IsTaken) Connection.Pauses.Suspend(_hold.WhenDurableAsync(), () => base.AnswerDetach(isClosed));
        else base.AnswerDetach(isClosed);
    }

    private bool IsReceived(in Transfer transfer)
    {
        if (transfer.DeliveryTag.IsNull || transfer.DeliveryTag.Length > UnsettledMap.TagSizeMax) return false;
        _tag = transfer.DeliveryTag.ToArray();
        if (_pending.ContainsKey(new Utf8Name(_tag))) throw AmqpErrors.TagInTransaction();
        return _hold.Terminus.HasReceived(_tag);
    }

    // It was received before: what comes now is its name only, or once more what is here already.
    private void Resume(uint id)
    {
        if (_isResumedSettled)
        {
            _hold.Terminus.Forget(_tag);
            return;
        }
        Session.Dispositions.AwaitingSender[id] = (this, _tag);
        Session.Answer(id, DeliveryState.Accepted, isSettled: false);
    }

    private void OnRead()
    {
        if (!_hold.Terminus.WhenRead.GetAwaiter().GetResult()) throw AmqpErrors.Unreadable();
        _hold.Await(_hold.WhenDurableAsync(), Reply);
    }

    private void Reply()
    {
        var known = new List<byte[]>();
        foreach (byte[] tag in _hold.Terminus.ReceivedTags)
        {
            if (_unsettled.Contains(tag)) known.Add(tag);
            else if (!_attach.IsIncomplete) _hold.Terminus.Forget(tag); // settled by the peer, though we have not heard of it
        }
        byte[] unsettled = UnsettledMap.Encode(known, DeliveryState.Accepted, Connection.PeerFrameBytesMax / 2, out bool isComplete);
        _takesNew = isComplete && !_attach.IsIncomplete; // 1.0 part 2, section 2.7.3
        _isAttached = true;
        Session.Write(new Attach
        {
            Name = _attach.LinkName,
            Handle = Handle,
            Role = Role.Receiver,
            SndSettleMode = _attach.SndSettleMode,
            RcvSettleMode = _attach.RcvSettleMode,
            Source = _attach.Source,
            Target = _target.Encode(),
            Unsettled = unsettled.Length == 0 ? default : unsettled,
            IncompleteUnsettled = !isComplete,
            MaxMessageSize = (ulong)Connection.Limits.MessageBytesMax,
        });
        GrantCredit();
    }
}
