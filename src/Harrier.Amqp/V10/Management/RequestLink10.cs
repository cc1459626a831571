using System.Buffers;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>
/// The link that brings requests: has each carried out as soon as it is complete, in their order, and its reply sent when what it has done is durable.
/// Owned by the connection's task.
/// </summary>
internal sealed class RequestLink10(Session10 session, in Attach attach, ManagementPair pair) : ReceivingLink10(session, in attach)
{
    /// <summary>Requests that may be under way, as with RabbitMQ: those that may come and those whose replies wait for credit.</summary>
    public const int RequestsMax = 8;

    // What a 0-9-1 client can put into a frame by default.
    private const int MessageBytesMax = 128 << 10;

    private readonly ManagementHandler _handler = new(session.Connection.Session, session.Connection.NodeName);
    private readonly ArrayBufferWriter<byte> _message = new();
    private readonly bool _settlesAtOnce = attach.RcvSettleMode == ReceiverSettleMode.First;
    private readonly bool _isPresettled = attach.SndSettleMode == SenderSettleMode.Settled;
    private uint _deliveryId;
    private bool _isUnderWay;
    private bool _isSettled;

    protected override uint CreditMax => (uint)Math.Max(0, RequestsMax - pair.UnansweredCount);

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
            Target = attach.Target,
            MaxMessageSize = MessageBytesMax,
            Properties = ManagementPair.Properties,
        });
        GrantCredit();
    }

    /// <summary>Lets more requests come, when half of those that may be under way have been answered.</summary>
    public void GrantMore()
    {
        if (!IsDetached && Credit <= RequestsMax / 2) GrantCredit();
    }

    public override void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        if (!_isUnderWay) Begin(in transfer);
        _isSettled |= transfer.Settled == true;
        int size = _message.WrittenCount + payload.Length;
        if (size > MessageBytesMax) throw AmqpErrors.MessageTooLarge((ulong)size, MessageBytesMax);
        _message.Write(payload);
        if (transfer.More && !transfer.Aborted)
        {
            Connection.OnPublished(); // what is not complete takes memory
            return;
        }
        _isUnderWay = false;
        if (!transfer.Aborted) Carry(_message.WrittenSpan);
        _message.ResetWrittenCount();
        GrantMore();
    }

    protected override void End(LinkEnd how)
    {
        pair.Requests = null;
        Session.ManagementPairs.RemoveEnded(pair);
    }

    private void Begin(in Transfer transfer)
    {
        TakeCredit();
        _deliveryId = transfer.DeliveryId ?? throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the first transfer of a delivery has its id");
        _isUnderWay = true;
        _isSettled = _isPresettled;
    }

    private void Carry(ReadOnlySpan<byte> message)
    {
        if (pair.Replies is null) throw AmqpErrors.HalfOpenPair();
        ManagementRequest request = ManagementRequest.Read(message);
        Client.Commands.Run(); // a request sees what was published and settled before it
        ManagementReply reply = _handler.Handle(in request);
        if (!_isSettled) Session.Answer(_deliveryId, DeliveryState.Accepted, _settlesAtOnce);
        pair.OnRequest();
        byte[] answer = reply.ToMessage(request.MessageId);
        if (reply.Done.IsCompleted) SendOnceDurable(answer);
        else Connection.Pauses.Suspend(reply.Done, () => SendOnceDurable(answer));
    }

    /// <summary>Replies once everything that the client has done is durable, as 0-9-1 does. Nothing more is read before.</summary>
    private void SendOnceDurable(byte[] answer)
    {
        LogSync sync = Connection.Broker.Sync;
        if (sync.IsDurable(Client.Ticket)) Send(answer);
        else Connection.Pauses.Suspend(sync.WhenDurableAsync(Client.Ticket), () => Send(answer));
    }

    private void Send(byte[] answer)
    {
        if (pair.Replies is { } replies) replies.Send(answer);
        else pair.OnLost(1);
    }
}
