using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>A link from the peer: counts what comes, and grants credit for more (1.0 part 2, section 2.6.7). Owned by the connection's task.</summary>
internal abstract class ReceivingLink10(Session10 session, in Attach attach) : Link10(session, attach.Handle)
{
    private uint _deliveryCount = attach.InitialDeliveryCount ?? 0;
    private uint _credit;

    /// <summary>Credit that the sender may have now.</summary>
    protected abstract uint CreditMax { get; }

    /// <summary>Deliveries that may come before more credit is granted.</summary>
    protected uint Credit => _credit;

    public override void OnFlow(in Flow flow)
    {
        if (flow.DeliveryCount is { } count && (int)(count - _deliveryCount) > 0)
        {
            // The sender's count is the one that counts (1.0 part 2, section 2.6.7): it has given up some of its credit.
            _credit = (uint)Math.Max(0, (int)(_deliveryCount + _credit - count));
            _deliveryCount = count;
            Replenish();
        }
        if (flow.Echo) WriteFlow(_deliveryCount, _credit);
    }

    /// <summary>Counts a delivery. Throws <c>amqp:link:transfer-limit-exceeded</c>.</summary>
    protected void TakeCredit()
    {
        if (_credit == 0) throw AmqpErrors.TransferLimit();
        _credit--;
        _deliveryCount++;
    }

    /// <summary>Grants credit when half of it is used up.</summary>
    protected void Replenish()
    {
        if (_credit <= CreditMax / 2) GrantCredit();
    }

    protected void GrantCredit()
    {
        if (CreditMax == _credit) return;
        _credit = CreditMax;
        WriteFlow(_deliveryCount, _credit);
    }
}
