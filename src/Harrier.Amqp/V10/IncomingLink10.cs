using Harrier.Amqp.Conversion;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// A link from the peer to exchanges and queues: puts transfers together to messages, checks and routes them, and has them answered. Owned by the connection's task.
/// </summary>
internal class IncomingLink10 : ReceivingLink10
{
    // 1.0 part 2, section 2.8.7.
    private const int DeliveryTagBytesMax = 32;

    private readonly PublishTerminus _target;
    private readonly Queue? _node;
    private readonly IncomingMessage _incoming;
    private readonly ReceiverSettleMode _settleMode;
    private readonly byte[] _tag = new byte[DeliveryTagBytesMax];
    private readonly bool _isPresettled;
    private uint _deliveryId;
    private int _tagSize;
    private uint _messageFormat;
    private bool _settlesAtOnce;
    private bool _isUnderWay;
    private bool _isSettled;
    private byte[]? _transaction;

    public IncomingLink10(Session10 session, in Attach attach, PublishTerminus target) : base(session, in attach)
    {
        _target = target;
        _node = target.Queue;
        if (_node is not null) Connection.DynamicNodes.Enter(Client, _node);
        _incoming = new IncomingMessage(Client, target, Connection.Limits.MessageBytesMax);
        _settleMode = attach.RcvSettleMode;
        _isPresettled = attach.SndSettleMode == SenderSettleMode.Settled;
    }

    /// <summary>What the peer calls the delivery that is under way.</summary>
    protected uint DeliveryId => _deliveryId;

    /// <summary>Whether its sender wants no answer.</summary>
    protected bool IsSettled => _isSettled;

    /// <summary>Whether the delivery is settled with its answer.</summary>
    protected bool SettlesAtOnce => _settlesAtOnce;

    /// <summary>Whether a delivery has begun and is not complete.</summary>
    protected bool IsUnderWay => _isUnderWay;

    protected override uint CreditMax => (uint)Connection.Limits.LinkCreditMax;

    public override void Answer(in Attach attach)
    {
        Session.Write(new Attach
        {
            Name = attach.Name,
            Handle = Handle,
            Role = Role.Receiver,
            SndSettleMode = attach.SndSettleMode,
            RcvSettleMode = attach.RcvSettleMode,
            Source = attach.Source,
            Target = _target.Encode(),
            MaxMessageSize = (ulong)Connection.Limits.MessageBytesMax,
        });
        GrantCredit();
    }

    public override void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        if (!_isUnderWay) Begin(in transfer);
        else AssertContinues(in transfer);
        _isSettled |= transfer.Settled == true;
        if (transfer.Aborted)
        {
            Discard();
            return;
        }
        Connection.OnPublished(); // already now: what is not complete takes memory too
        _incoming.Append(payload, isLast: !transfer.More, Connection.Clock.NowMs);
        if (transfer.More) return;
        _isUnderWay = false;
        Complete();
        Replenish();
    }

    protected override void End(LinkEnd how)
    {
        if (how == LinkEnd.Failed && _transaction is not null) Session.Transactions.Fail(_transaction); // the message that failed was part of it
        _incoming.Discard();
        if (_node is not null && how != LinkEnd.ConnectionLost) Connection.DynamicNodes.Leave(Client, _node, isCreator: _target.DynamicQueue is not null);
    }

    private void Begin(in Transfer transfer)
    {
        if (transfer.Resume) throw AmqpErrors.NotKnown();
        _deliveryId = transfer.DeliveryId ?? throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the first transfer of a delivery has its id");
        if (transfer.DeliveryTag.IsNull || transfer.DeliveryTag.Length > DeliveryTagBytesMax)
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"the first transfer of a delivery has its tag, of at most {DeliveryTagBytesMax} bytes");
        transfer.DeliveryTag.CopyTo(_tag);
        _tagSize = transfer.DeliveryTag.Length;
        _messageFormat = transfer.MessageFormat ?? 0;
        ReceiverSettleMode settleMode = transfer.RcvSettleMode ?? _settleMode;
        if (settleMode > _settleMode) throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "a delivery cannot be settled second on a link that settles first");
        _settlesAtOnce = settleMode == ReceiverSettleMode.First;
        TakeCredit();
        _isUnderWay = true;
        _isSettled = _isPresettled;
        DeliveryState state = DeliveryState.Read(transfer.State);
        _transaction = state.IsTransactional ? state.TransactionId.ToArray() : null;
    }

    private void AssertContinues(in Transfer transfer)
    {
        if (transfer.DeliveryId is { } id && id != _deliveryId)
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"delivery {id} begins before delivery {_deliveryId} is complete");
        if (!transfer.DeliveryTag.IsNull && !transfer.DeliveryTag.SequenceEqual(_tag.AsSpan(0, _tagSize)))
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"delivery {_deliveryId} changes its tag");
        if (transfer.MessageFormat is { } format && format != _messageFormat)
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"delivery {_deliveryId} changes its message-format");
    }

    private void Discard()
    {
        _isUnderWay = false;
        _incoming.Discard();
        Replenish();
    }

    private void Complete()
    {
        Transaction10? transaction = _transaction is null ? null : Session.Transactions.Find(_transaction);
        if (!_incoming.TryTake(out Message? message, out AmqpException? refusal)) Refuse(refusal);
        else if (transaction is not null) Publish(message, _target.Route(message), transaction);
        else if (message.ExchangeBytes.IsEmpty && DirectReplies.IsReplyName(message.RoutingKeyBytes)) Reply(message);
        else Publish(message, _target.Route(message));
    }

    /// <summary>Keeps a message until its transaction is discharged, and tells what would become of it.</summary>
    protected virtual void Publish(Message message, RouteSet routes, Transaction10 transaction)
    {
        byte[] outcome = routes.Count == 0 ? DeliveryState.Released : DeliveryState.Accepted;
        transaction.Publish(message, routes);
        if (!_isSettled) Session.Answer(_deliveryId, DeliveryState.In(_transaction!, outcome), _settlesAtOnce);
    }

    /// <summary>Gives a message to its queues and has it answered.</summary>
    protected virtual void Publish(Message message, RouteSet routes)
    {
        PublishReceipt receipt = _isSettled ? default : Session.Expect(_deliveryId, routes.Count, _settlesAtOnce);
        if (routes.Count == 0)
        {
            message.Release(); // the answer says so, if one is wanted (behaviour note 106)
            return;
        }
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++) Client.Commands.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message, receipt));
    }

    /// <summary>Hands a reply straight to the waiting requester (behaviour note 97).</summary>
    private void Reply(Message message)
    {
        bool delivered = Client.VirtualHost.DirectReplies.TryFind(message.RoutingKey, out IReplyConsumer? consumer) && consumer.TryDeliver(message);
        message.Release();
        if (!_isSettled) Session.Answer(_deliveryId, delivered ? DeliveryState.Accepted : DeliveryState.Released, _settlesAtOnce);
    }

    // Of a link without an address, one message may be wrong and the others right; who has settled it cannot be told otherwise (behaviour note 105).
    private void Refuse(AmqpException refusal)
    {
        if (_isSettled) throw refusal;
        Session.Answer(_deliveryId, DeliveryState.RejectedWith(refusal.Condition, refusal.Message), _settlesAtOnce);
    }
}
