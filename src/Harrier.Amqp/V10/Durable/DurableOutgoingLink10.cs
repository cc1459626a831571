using System.Buffers.Binary;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Sources;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// A link from a queue to the peer whose unsettled deliveries outlive it (1.0 part 2, section 2.6.13). A message goes to the peer only once the log says that it
/// is held for this terminus: whatever happens then, nobody else gets it before the peer has come back and said what it knows.
/// </summary>
internal sealed class DurableOutgoingLink10 : OutgoingLink10
{
    // Bytes of messages that are sent once more and wait in memory for the peer's credit.
    private const int ResumedBytesMax = 16 << 20;

    private readonly AttachCopy _attach;
    private readonly UnsettledMap _unsettled;
    private readonly SourceTerminus _source;
    private readonly TerminusHold _hold;
    private readonly HeldTransfers _transfers;
    private readonly Queue<Delivery> _resumable = new();
    private uint _resumedCount;
    private bool _isAttached;

    public DurableOutgoingLink10(Session10 session, in Attach attach, SourceTerminus source) : base(session, in attach, source, registersLater: true)
    {
        _attach = new AttachCopy(in attach);
        _unsettled = UnsettledMap.Read(attach.Unsettled);
        _source = source;
        _hold = new TerminusHold(session, this, _attach.LinkName, isSource: true);
        _transfers = new HeldTransfers(this, Connection.Output, Connection.Broker.Sync);
    }

    public override bool HasRoom => _transfers.HasRoom && base.HasRoom;

    protected override bool OutlivesErrors => true;

    /// <summary>Takes the terminus, from another link if need be; the answer is written when all is known.</summary>
    public override void Answer(in Attach attach) => _hold.Take(Queue, _source.Policy, Compare);

    public override void Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        foreach (ref readonly Delivery delivery in deliveries) _transfers.Hold(in delivery);
    }

    public override void Flush()
    {
        _transfers.Release(Queue);
        base.Flush();
    }

    public override bool AwaitRoom() => _transfers.TryAwaitRoom(Resumption) || base.AwaitRoom();

    public override void OnDrained(uint deliveryCount) => _transfers.HoldDrain(deliveryCount + _resumedCount);

    public override Span<byte> WriteTag(Span<byte> to, uint deliveryId, in Delivery delivery) => WriteTag(to, delivery.Sequence, delivery.AcquiredCount);

    /// <summary>Writes what was held back. The message stays the caller's.</summary>
    public void WriteHeld(in Delivery delivery)
    {
        lock (Connection.Output.Gate) Write(in delivery);
    }

    /// <summary>Writes the end of a drain that was held back.</summary>
    public void WriteHeldDrain(uint deliveryCount) => base.OnDrained(deliveryCount);

    protected override void Grant(uint limit, bool drain)
    {
        // What is resumed comes first. The queue does not know that it takes credit too.
        while (_resumable.Count > 0 && (int)(limit - DeliveryCount) > 0)
        {
            Delivery delivery = _resumable.Dequeue();
            _resumedCount++;
            lock (Connection.Output.Gate) Write(in delivery, isResumed: true);
            delivery.Message.Release();
        }
        base.Grant(limit - _resumedCount, drain);
    }

    protected override void End(LinkEnd how)
    {
        Stop();
        _transfers.Discard();
        while (_resumable.TryDequeue(out Delivery delivery)) delivery.Message.Release();
        if (Registration is not null)
        {
            Session.Outgoing.TakeOf(this, []);
            Client.Commands.Ask(new QueueCommand(QueueCommandKind.Suspend, Queue, Consumer: Registration));
        }
        _hold.End(how);
    }

    protected override void EnsureAttached()
    {
        if (!_isAttached) Session.Write(_attach.Refusal(Handle));
    }

    // A peer that has closed the link does not come back: what would be held for it again after a crash nobody would get.
    protected override void AnswerDetach(bool isClosed)
    {
        if (isClosed && _hold.IsTaken) Connection.Pauses.Suspend(_hold.WhenDurableAsync(), () => base.AnswerDetach(isClosed));
        else base.AnswerDetach(isClosed);
    }

    /// <summary>Compares what is held here with what the peer has, settles what it has an outcome for, and reads what it is to get once more.</summary>
    private void Compare()
    {
        Register(_hold.Terminus.Queue.Id.Value);
        var resumed = new List<HeldDelivery>();
        foreach (HeldDelivery held in Client.Commands.Ask(new QueueCommand(QueueCommandKind.Adopt, Queue, Consumer: Registration)).Held ?? [])
        {
            // What the peer does not know it has never had, or it has settled what we had not: both are as if it had not been sent.
            bool isKnown = _unsettled.TryGet(TagOf(held.Sequence, held.AcquiredCount), out Outcome? outcome);
            if (isKnown && outcome is null) resumed.Add(held);
            else if (isKnown || !_attach.IsIncomplete)
                Client.Commands.Add(new QueueCommand(QueueCommandKind.Settle, Queue, Delivery: held.Id, Outcome: outcome ?? Outcome.Released));
        }
        Client.Commands.Run();
        Task<Delivery[]> read = ReadAsync(resumed);
        int resumedCount = resumed.Count;
        // The peer forgets what it does not find in our map, so that must be on the disk first.
        _hold.Await(Task.WhenAll(read, Connection.Broker.Sync.WhenDurableAsync(Queue.Ticket)), () => Reply(read, resumedCount));
    }

    private async Task<Delivery[]> ReadAsync(List<HeldDelivery> resumed)
    {
        var deliveries = new List<Delivery>();
        long bytes = 0;
        try
        {
            foreach (HeldDelivery held in resumed)
            {
                if (bytes > ResumedBytesMax) break; // the peer learns that the map is incomplete, and comes back for the others
                if (await held.ReadAsync(Queue) is not { } message) continue;
                bytes += message.Size;
                deliveries.Add(new Delivery(Registration, message, held.Id, held.AcquiredCount, held.DeliveryCount, IsSettled: false, IsHandedOver: false, held.Sequence));
            }
        }
        catch
        {
            foreach (Delivery delivery in deliveries) delivery.Message.Release();
            throw;
        }
        return [.. deliveries];
    }

    private void Reply(Task<Delivery[]> read, int count)
    {
        if (read.IsFaulted) throw AmqpErrors.Unreadable(); // nothing may be left out: the peer would forget it
        Delivery[] resumed = read.GetAwaiter().GetResult();
        foreach (Delivery delivery in resumed) _resumable.Enqueue(delivery);
        byte[] unsettled = UnsettledMap.Encode([.. resumed.Select(delivery => TagOf(delivery.Sequence, delivery.AcquiredCount))], default, Connection.PeerFrameBytesMax / 2, out bool isComplete);
        isComplete &= resumed.Length == count;
        _isAttached = true;
        Session.Write(new Attach
        {
            Name = _attach.LinkName,
            Handle = Handle,
            Role = Role.Sender,
            SndSettleMode = _attach.SndSettleMode,
            RcvSettleMode = _attach.RcvSettleMode,
            Source = _source.Encode(),
            Target = _attach.Target,
            Unsettled = unsettled.Length == 0 ? default : unsettled,
            IncompleteUnsettled = !isComplete,
            InitialDeliveryCount = 0,
            OfferedCapabilities = SourceFilters.Capabilities,
        });
        bool sendsNew = isComplete && !_attach.IsIncomplete; // 1.0 part 2, section 2.7.3
        if (sendsNew) Client.Commands.Add(new QueueCommand(QueueCommandKind.Resume, Queue, Consumer: Registration));
    }

    // The message's place in the queue names it for as long as it is there; when it comes back and goes out again, that is another delivery.
    private static Span<byte> WriteTag(Span<byte> to, ulong sequence, int acquiredCount)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, sequence);
        if (acquiredCount == 0) return to[..sizeof(ulong)];
        BinaryPrimitives.WriteInt32BigEndian(to[sizeof(ulong)..], acquiredCount);
        return to[..TagBytesMax];
    }

    private static byte[] TagOf(ulong sequence, int acquiredCount) => WriteTag(stackalloc byte[TagBytesMax], sequence, acquiredCount).ToArray();
}
