using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// Lets the confirms of a connection go when the log has what they promise: one basic.ack per channel for all that a sync has covered. What is due is added by
/// the connection's task and written by whichever thread hears of the sync.
/// </summary>
internal sealed class ConfirmRelease(FrameOutput output, LogSync sync) : ISyncWaiter, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<Due> _due = new();
    private readonly List<ChannelConfirms> _released = [];

    /// <summary>Whether something is due that the log does not have yet. May be a moment old.</summary>
    public bool IsWaiting => _due.Count > 0;

    /// <summary>Confirms a channel's publications up to a number, once the ticket is durable. The order is kept, also between channels.</summary>
    public void Add(ChannelConfirms channel, ulong upTo, long ticket)
    {
        lock (_gate)
        {
            if (_due.Count == 0 && sync.IsDurable(ticket))
            {
                channel.Send(output, upTo);
                return;
            }
            _due.Enqueue(new Due(channel, upTo, ticket));
            if (_due.Count > 1) return; // the wait for the first goes on to the next
        }
        Await(ticket);
    }

    /// <summary>The channel is closing: nothing more is written to it.</summary>
    public void Forget(ChannelConfirms channel)
    {
        lock (_gate) channel.IsClosed = true;
    }

    public void OnDurable() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    public void Execute()
    {
        long next = 0;
        lock (_gate)
        {
            while (_due.TryPeek(out Due due))
            {
                if (!sync.IsDurable(due.Ticket))
                {
                    next = due.Ticket;
                    break;
                }
                _due.Dequeue();
                if (due.Channel.Released == 0) _released.Add(due.Channel);
                due.Channel.Released = due.UpTo;
            }
            foreach (ChannelConfirms channel in _released)
            {
                channel.Send(output, channel.Released);
                channel.Released = 0;
            }
            _released.Clear();
        }
        output.Flush();
        if (next != 0) Await(next);
    }

    private void Await(long ticket)
    {
        if (!sync.TryAwait(ticket, this)) OnDurable();
    }

    private readonly record struct Due(ChannelConfirms Channel, ulong UpTo, long Ticket);
}

/// <summary>What a channel has been told of its publications. Guarded by the connection's <see cref="ConfirmRelease"/>.</summary>
internal sealed class ChannelConfirms(ushort number)
{
    private ulong _sent;

    public bool IsClosed { get; set; }

    /// <summary>Up to where it is to be told next; 0 for nothing.</summary>
    public ulong Released { get; set; }

    public void Send(FrameOutput output, ulong upTo)
    {
        if (IsClosed) return;
        output.WriteMethod(number, new BasicAck { DeliveryTag = upTo, Multiple = upTo > _sent + 1 });
        _sent = upTo;
    }
}
