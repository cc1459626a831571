using System.IO.Pipelines;
using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10.Durable;

/// <summary>Deliveries that go to the peer only once the log has what is written of them. They come from any thread and go, in order, by whichever hears of the sync.</summary>
internal sealed class HeldTransfers(DurableOutgoingLink10 link, FrameOutput output, LogSync sync) : SyncedAnswers<HeldTransfers.Held>(output, sync)
{
    // As much as an output may have that is not sent: with what is held here the queue cannot know of a peer that does not read.
    private const long BytesMax = 1 << 20;

    private readonly Lock _pendingGate = new();
    private readonly Lock _releaseGate = new(); // so that two who let go at once keep the order
    private List<Held> _pending = [];
    private IRoomWaiter? _roomWaiter;
    private long _heldBytes;
    private bool _isDiscarded;

    /// <summary>Whether more may be kept back.</summary>
    public bool HasRoom => Volatile.Read(ref _heldBytes) < BytesMax;

    /// <summary>Calls the waiter back when there is room; false when there is room already.</summary>
    public bool TryAwaitRoom(IRoomWaiter waiter)
    {
        lock (_pendingGate)
        {
            if (HasRoom) return false;
            _roomWaiter = waiter;
            return true;
        }
    }

    /// <summary>Keeps a delivery back. Under the shard's lock.</summary>
    public void Hold(in Delivery delivery)
    {
        delivery.Message.AddReferences(1);
        lock (_pendingGate)
        {
            _pending.Add(new Held(delivery, 0));
            _heldBytes += delivery.Message.Size;
        }
    }

    /// <summary>Keeps the end of a drain back, behind the deliveries before it. Under the shard's lock.</summary>
    public void HoldDrain(uint deliveryCount)
    {
        lock (_pendingGate) _pending.Add(new Held(null, deliveryCount));
    }

    /// <summary>Lets go, once it is durable, what was kept back until now. Outside of any lock.</summary>
    public void Release(Queue queue)
    {
        lock (_releaseGate)
        {
            List<Held> released;
            lock (_pendingGate)
            {
                if (_pending.Count == 0) return;
                (released, _pending) = (_pending, []);
            }
            long ticket = queue.Ticket; // asked for after they were taken: by then what is written of them has been appended
            foreach (Held held in released) Add(in held, ticket);
        }
    }

    /// <summary>Forgets what has not gone: the link is no more.</summary>
    public void Discard()
    {
        lock (Gate) _isDiscarded = true;
        lock (_pendingGate)
        {
            foreach (Held held in _pending) held.Delivery?.Message.Release();
            _pending.Clear();
            _roomWaiter = null;
        }
    }

    protected override void Send(in Held answer)
    {
        if (answer.Delivery is { } delivery)
        {
            if (!_isDiscarded) link.WriteHeld(in delivery);
            MakeRoom(delivery.Message.Size);
            delivery.Message.Release();
        }
        else if (!_isDiscarded) link.WriteHeldDrain(answer.DeliveryCount);
    }

    protected override void Release(in Held answer) => Send(in answer);

    protected override void EndRelease()
    {
    }

    private void MakeRoom(int bytes)
    {
        IRoomWaiter? waiter = null;
        lock (_pendingGate)
        {
            _heldBytes -= bytes;
            if (HasRoom) (waiter, _roomWaiter) = (_roomWaiter, null);
        }
        if (waiter is not null) PipeScheduler.ThreadPool.Schedule(static state => ((IRoomWaiter)state!).OnRoom(), waiter);
    }

    /// <summary>A delivery, or the delivery count at the end of a drain.</summary>
    internal readonly record struct Held(Delivery? Delivery, uint DeliveryCount);
}
