using System.Buffers;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>A link to the coordinator of transactions (1.0 part 4, section 4.2): takes declare and discharge, and answers each. Owned by the connection's task.</summary>
internal sealed class CoordinatorLink10(Session10 session, in Attach attach) : ReceivingLink10(session, in attach)
{
    // A discharge is no longer than its transaction's name.
    private const int MessageBytesMax = 4096;
    private const uint RequestsMax = 100;

    private static readonly byte[] Capabilities = Values10.Symbols("amqp:local-transactions", "amqp:multi-txns-per-ssn");

    private readonly ArrayBufferWriter<byte> _message = new();
    private readonly bool _settlesAtOnce = attach.RcvSettleMode == ReceiverSettleMode.First;
    private uint _deliveryId;
    private bool _isUnderWay;

    protected override uint CreditMax => RequestsMax;

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
            Target = Values10.Composite(new Coordinator { Capabilities = Capabilities }),
        });
        GrantCredit();
    }

    public override void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        if (!_isUnderWay)
        {
            TakeCredit();
            _deliveryId = transfer.DeliveryId ?? throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the first transfer of a delivery has its id");
            _isUnderWay = true;
        }
        if (_message.WrittenCount + payload.Length > MessageBytesMax) throw AmqpErrors.MessageTooLarge((ulong)(_message.WrittenCount + payload.Length), MessageBytesMax);
        _message.Write(payload);
        if (transfer.More && !transfer.Aborted) return;
        _isUnderWay = false;
        // What is settled beforehand cannot be answered, and nobody would learn of the transaction (1.0 part 4, section 4.2).
        if (transfer.Settled == true) throw AmqpErrors.NotAllowed(AmqpErrorScope.Link, "messages to the coordinator are not settled by their sender");
        byte[]? state = transfer.Aborted ? null : Carry(_message.WrittenSpan);
        _message.ResetWrittenCount();
        if (state is not null) Session.Answer(_deliveryId, state, _settlesAtOnce);
        Replenish();
    }

    // What it declared ends with it (1.0 part 4, section 4.2).
    protected override void End(LinkEnd how) => Session.Transactions.RollBackAll(this);

    private byte[] Carry(ReadOnlySpan<byte> message)
    {
        var reader = new ValueReader(message[Sections10.FindBody(message)..]);
        if (reader.ReadDescriptor() != Descriptors.AmqpValue) throw new DecodeException("a message to the coordinator is an amqp-value");
        switch (reader.ReadDescriptor())
        {
            case Declare.Code:
                if (!Declare.Decode(ref reader).GlobalId.IsEmpty) return DeliveryState.RejectedWith("amqp:not-implemented", "distributed transactions are not supported");
                return Session.Transactions.Declare(this) is { } id
                    ? DeliveryState.Declared(id)
                    : DeliveryState.RejectedWith(AmqpErrors.ResourceLimitExceeded, "too many transactions");
            case Discharge.Code: return End(Discharge.Decode(ref reader));
            default: throw new DecodeException("a message to the coordinator is a declare or a discharge");
        }
    }

    private byte[] End(in Discharge discharge)
    {
        ReadOnlySpan<byte> id = new ValueReader(discharge.TxnId).ReadBinary();
        if (Session.Transactions.Take(id) is not { } transaction) return DeliveryState.RejectedWith("amqp:transaction:unknown-id", "there is no such transaction");
        if (discharge.Fail == true)
        {
            transaction.RollBack(Client.Commands, Session.Outgoing);
            return DeliveryState.Accepted;
        }
        if (!transaction.TryCommit(Client.Commands, Session.Outgoing))
            return DeliveryState.RejectedWith("amqp:transaction:rollback", "a part of the transaction has failed, a queue has no room, or a delivery was taken back");
        foreach ((uint delivery, Outcome outcome) in transaction.Unsettled)
            Connection.Settlements.Add((Session.Settlements, new SettlementRun(Role.Sender, delivery, delivery, DeliveryState.Of(outcome), IsSettled: true)), Client.Ticket);
        return DeliveryState.Accepted;
    }
}
