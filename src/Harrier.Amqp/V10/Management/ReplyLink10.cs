using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>
/// The link that replies go out on, settled. Those for which there is no credit wait here, no more than <see cref="RequestLink10.RequestsMax"/>:
/// for each, one request less may come. Owned by the connection's task.
/// </summary>
internal sealed class ReplyLink10(Session10 session, in Attach attach, ManagementPair pair) : Link10(session, attach.Handle)
{
    private readonly Queue<byte[]> _waiting = new();
    private readonly ulong _messageBytesMax = attach.MaxMessageSize is null or 0 ? ulong.MaxValue : attach.MaxMessageSize.Value;
    private uint _deliveryCount;
    private uint _credit;
    private int _unsentBytes;
    private int _unsentCount; // of those that had credit: the session's window has no room for them yet
    private bool _isDraining;

    public override void Answer(in Attach attach)
    {
        Session.Write(new Attach
        {
            Name = attach.Name,
            Handle = Handle,
            Role = Role.Sender,
            SndSettleMode = SenderSettleMode.Settled,
            RcvSettleMode = attach.RcvSettleMode,
            Source = attach.Source,
            Target = attach.Target,
            InitialDeliveryCount = 0,
            MaxMessageSize = attach.MaxMessageSize,
            Properties = ManagementPair.Properties,
        });
        pair.Requests?.GrantMore(); // those that the link before this one left unanswered count no more
    }

    public override void OnFlow(in Flow flow)
    {
        if (flow.LinkCredit is { } credit)
        {
            _credit = (uint)Math.Max(0, (int)((flow.DeliveryCount ?? 0) + credit - _deliveryCount)); // before it has our attach it knows of no delivery
            _isDraining = flow.Drain;
            SendWaiting();
        }
        if (_isDraining) Drain();
        else if (flow.Echo) WriteFlow(_deliveryCount, _credit, available: (uint)_waiting.Count);
    }

    /// <summary>Sends a reply, or keeps it until there is credit.</summary>
    public void Send(byte[] message)
    {
        if ((ulong)message.Length > _messageBytesMax)
        {
            pair.OnLost(1);
            Detach(AmqpErrors.MessageTooLarge((ulong)message.Length, _messageBytesMax));
            return;
        }
        if (Session.ManagementPairs.UnsentBytes + message.Length > ManagementPairs.UnsentBytesMax)
        {
            pair.OnLost(1);
            Detach(AmqpErrors.TooManyReplies(ManagementPairs.UnsentBytesMax));
            return;
        }
        CountUnsent(message.Length);
        _waiting.Enqueue(message);
        SendWaiting();
    }

    /// <summary>A reply of so many bytes was sent, all of it.</summary>
    public void OnSent(int bytes)
    {
        CountUnsent(-bytes);
        _unsentCount--;
        pair.OnAnswered();
        if (_isDraining) Drain();
    }

    protected override void End(LinkEnd how)
    {
        pair.Replies = null;
        pair.OnLost(_waiting.Count + _unsentCount);
        CountUnsent(-_unsentBytes);
        _waiting.Clear();
        Session.ManagementPairs.RemoveEnded(pair);
    }

    private void CountUnsent(int bytes)
    {
        _unsentBytes += bytes;
        Session.ManagementPairs.UnsentBytes += bytes;
    }

    private void SendWaiting()
    {
        while (_credit > 0 && _waiting.TryDequeue(out byte[]? message))
        {
            _credit--;
            _deliveryCount++;
            _unsentCount++;
            Session.Outgoing.Send(new ReplyTransfer(this, message));
        }
    }

    // After what it still covers (1.0 part 2, section 2.6.7).
    private void Drain()
    {
        if (_unsentCount > 0 || _waiting.Count > 0) return;
        _isDraining = false;
        _deliveryCount += _credit;
        _credit = 0;
        WriteFlow(_deliveryCount, credit: 0, available: 0, drain: true);
    }
}
