using System.IO.Pipelines;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Management;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// What a session sends: transfers within the peer's window (1.0 part 2, section 2.5.6), and what of them is not settled. What the window has no room for waits here, in
/// order, while its links are given nothing more. Written to from any thread, under the output's gate.
/// </summary>
internal sealed class OutgoingSession(Connection10 connection, Session10 session, uint peerWindow)
{
    private readonly UnackedDeliveries<OutgoingLink10> _unsettled = new();
    private readonly Queue<Waiting> _waiting = new();
    private readonly DeliveryHead _head = new();
    private List<IRoomWaiter> _roomWaiters = [];
    private uint _nextTransferId;
    private uint _peerWindow = peerWindow;
    private volatile bool _isStalled = peerWindow == 0;
    private bool _isClosed;

    /// <summary>The id of the next transfer.</summary>
    public uint NextTransferId => Volatile.Read(ref _nextTransferId);

    /// <summary>Whether more may be delivered.</summary>
    public bool HasRoom => !_isStalled && Output.HasRoom;

    private FrameOutput Output => connection.Output;

    /// <summary>Calls the waiter back when there is room; false when there is room already.</summary>
    public bool TryAwaitRoom(IRoomWaiter waiter)
    {
        lock (Output.Gate)
        {
            if (!_isStalled) return Output.TryAwaitRoom(waiter);
            if (!_isClosed) _roomWaiters.Add(waiter);
            return true;
        }
    }

    /// <summary>Writes a delivery. Under the gate; the message stays the caller's.</summary>
    public void Deliver(OutgoingLink10 link, in Delivery delivery, bool isResumed = false)
    {
        ulong number = delivery.IsSettled ? _unsettled.AddSettled() : _unsettled.Add(link, delivery.Id);
        var transfer = new OutgoingTransfer(link, (uint)number, delivery, connection.Clock.Time, isResumed);
        if (_waiting.Count == 0 && TryWrite(ref transfer)) return;
        delivery.Message.AddReferences(1);
        _waiting.Enqueue(link.LastWaiting = new Waiting { Transfer = transfer });
        _isStalled = true;
    }

    /// <summary>Writes an answer of the management node, which is settled by that.</summary>
    public void Send(ReplyTransfer reply)
    {
        lock (Output.Gate)
        {
            reply.DeliveryId = (uint)_unsettled.AddSettled();
            if (_waiting.Count == 0 && TryWrite(reply)) return;
            _waiting.Enqueue(new Waiting { Reply = reply });
            _isStalled = true;
        }
    }

    /// <summary>Tells a link's peer that its credit has been used up, after what it was sent. Under the gate.</summary>
    public void EndDrain(OutgoingLink10 link, uint deliveryCount)
    {
        if (_waiting.Count == 0) link.WriteDrained(deliveryCount);
        else if (link.LastWaiting is { DrainedLink: not null } drained) drained.DeliveryCount = deliveryCount; // a peer may drain as often as it likes
        else _waiting.Enqueue(link.LastWaiting = new Waiting { DrainedLink = link, DeliveryCount = deliveryCount });
    }

    /// <summary>Takes note of what the peer has received and has room for.</summary>
    public void OnFlow(in Flow flow)
    {
        List<IRoomWaiter>? waiters = null;
        lock (Output.Gate)
        {
            uint received = flow.NextIncomingId ?? 0; // before it has our begin it knows of no transfer, and the first is 0
            if ((int)(_nextTransferId - received) < 0)
                throw AmqpErrors.WindowViolation($"the peer's next-incoming-id {received} is ahead of our next-outgoing-id {_nextTransferId}");
            long window = (int)(received - _nextTransferId) + (long)flow.IncomingWindow; // ids go round
            _peerWindow = (uint)Math.Clamp(window, 0, uint.MaxValue);
            WriteWaiting();
            if (_waiting.Count == 0 && _peerWindow > 0) _isStalled = false;
            if (!_isStalled && _roomWaiters.Count > 0) (waiters, _roomWaiters) = (_roomWaiters, []);
        }
        if (waiters is null) return;
        foreach (IRoomWaiter waiter in waiters) PipeScheduler.ThreadPool.Schedule(static state => ((IRoomWaiter)state!).OnRoom(), waiter);
    }

    /// <summary>Takes out unsettled deliveries by their ids.</summary>
    public void Take(uint first, uint last, List<Settling<OutgoingLink10>> taken)
    {
        lock (Output.Gate)
        {
            ulong from = NumberOf(first), to = NumberOf(last);
            if (from <= to) _unsettled.TakeBetween(from, to, taken);
        }
    }

    /// <summary>Takes out what a link has unsettled, and what of it was not sent yet.</summary>
    public void TakeOf(OutgoingLink10 link, List<Settling<OutgoingLink10>> taken)
    {
        lock (Output.Gate)
        {
            _unsettled.TakeOf(link, taken);
            for (int left = _waiting.Count; left > 0; left--)
            {
                Waiting waiting = _waiting.Dequeue();
                if (!waiting.Concerns(link)) _waiting.Enqueue(waiting);
                else waiting.Release();
            }
        }
    }

    /// <summary>Puts deliveries back that were taken: their transaction was rolled back.</summary>
    public void Restore(IEnumerable<Settling<OutgoingLink10>> settled)
    {
        lock (Output.Gate) _unsettled.Restore(settled);
    }

    /// <summary>Forgets what was not sent: the session has ended.</summary>
    public void Close()
    {
        lock (Output.Gate)
        {
            _isClosed = _isStalled = true;
            while (_waiting.TryDequeue(out Waiting? waiting)) waiting.Release();
            _roomWaiters.Clear();
        }
    }

    private void WriteWaiting()
    {
        while (_waiting.TryPeek(out Waiting? waiting))
        {
            if (waiting.DrainedLink is { } link) link.WriteDrained(waiting.DeliveryCount);
            else if (waiting.Reply is { } reply)
            {
                if (!TryWrite(reply)) return;
            }
            else
            {
                if (!TryWrite(ref waiting.Transfer)) return;
                waiting.Transfer.Message.Release();
            }
            _waiting.Dequeue().Leave();
        }
    }

    /// <summary>Writes frames until the delivery is complete or the window is used up.</summary>
    private bool TryWrite(ref OutgoingTransfer transfer)
    {
        if (transfer.Link.IsGone) return true;
        long before = Output.UnflushedBytes;
        bool isComplete = false;
        while (!isComplete && _peerWindow > 0)
        {
            isComplete = transfer.WriteFrame(Output, session.Channel, connection.PeerFrameBytesMax, _head);
            _peerWindow--;
            Volatile.Write(ref _nextTransferId, _nextTransferId + 1);
        }
        if (_peerWindow == 0) _isStalled = true;
        Output.CountAsDeliveries(Output.UnflushedBytes - before);
        return isComplete;
    }

    /// <summary>The same for an answer, which the peer has asked for: it does not count as a delivery.</summary>
    private bool TryWrite(ReplyTransfer reply)
    {
        if (reply.IsGone) return true;
        bool isComplete = false;
        while (!isComplete && _peerWindow > 0)
        {
            isComplete = reply.WriteFrame(Output, session.Channel, connection.PeerFrameBytesMax);
            _peerWindow--;
            Volatile.Write(ref _nextTransferId, _nextTransferId + 1);
        }
        if (_peerWindow == 0) _isStalled = true;
        if (isComplete) reply.End();
        return isComplete;
    }

    // Ids are the lower half of our numbers.
    private ulong NumberOf(uint id)
    {
        long behind = (int)((uint)_unsettled.LastTag - id);
        return (ulong)Math.Max(0, (long)_unsettled.LastTag - behind);
    }

    /// <summary>A delivery or an answer, as far as it was not sent, or the end of a link's drain.</summary>
    internal sealed class Waiting
    {
        public OutgoingTransfer Transfer;

        public ReplyTransfer? Reply { get; init; }

        public OutgoingLink10? DrainedLink { get; init; }

        public uint DeliveryCount { get; set; }

        public void Release()
        {
            if (DrainedLink is null && Reply is null) Transfer.Message.Release();
        }

        /// <summary>It waits no more.</summary>
        public void Leave()
        {
            if (Reply is null && ReferenceEquals((DrainedLink ?? Transfer.Link).LastWaiting, this)) (DrainedLink ?? Transfer.Link).LastWaiting = null;
        }

        public bool Concerns(OutgoingLink10 link) => ReferenceEquals(DrainedLink ?? Transfer.Link, link);
    }
}
