using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// Lets the confirms of a connection go when the log has what they promise: one basic.ack per channel for all that a sync has covered, unless some of it was
/// refused. A refusal promises nothing and waits for its turn all the same: an answer for many must not cover one that is answered otherwise. What is due is added
/// by the connection's task and written by whichever thread hears of the sync.
/// </summary>
internal sealed class ConfirmRelease(FrameOutput output, LogSync sync) : ISyncWaiter, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<Due> _due = new();
    private readonly List<ChannelConfirms> _released = [];

    /// <summary>Whether something is due that the log does not have yet. May be a moment old.</summary>
    public bool IsWaiting => _due.Count > 0;

    /// <summary>Answers a channel's next publications, once the ticket is durable. The order is kept, also between channels.</summary>
    public void Add(ChannelConfirms channel, ConfirmRun run, long ticket)
    {
        lock (_gate)
        {
            if (_due.Count == 0 && sync.IsDurable(ticket))
            {
                channel.Send(output, run);
                return;
            }
            _due.Enqueue(new Due(channel, run, ticket));
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
                if (!due.Channel.HasReleased) _released.Add(due.Channel);
                due.Channel.Release(output, due.Run);
            }
            foreach (ChannelConfirms channel in _released) channel.SendReleased(output);
            _released.Clear();
        }
        output.Flush();
        if (next != 0) Await(next);
    }

    private void Await(long ticket)
    {
        if (!sync.TryAwait(ticket, this)) OnDurable();
    }

    private readonly record struct Due(ChannelConfirms Channel, ConfirmRun Run, long Ticket);
}

/// <summary>What a channel has been told of its publications. Guarded by the connection's <see cref="ConfirmRelease"/>.</summary>
internal sealed class ChannelConfirms(ushort number)
{
    private ulong _sent;
    private ConfirmRun _released;

    public bool IsClosed { get; set; }

    /// <summary>Whether there is something that it is to be told next.</summary>
    public bool HasReleased => _released.Last > _sent;

    /// <summary>Adds to what it is to be told next; it is told at once what was to be answered otherwise.</summary>
    public void Release(FrameOutput output, ConfirmRun run)
    {
        if (HasReleased && _released.IsRefused != run.IsRefused) SendReleased(output);
        _released = run;
    }

    public void SendReleased(FrameOutput output) => Send(output, _released);

    public void Send(FrameOutput output, ConfirmRun run)
    {
        bool isMultiple = run.Last > _sent + 1;
        _sent = run.Last;
        if (IsClosed) return;
        // The flag requeue means nothing to a publisher. It is set by default, and RabbitMQ leaves it so.
        if (run.IsRefused) output.WriteMethod(number, new BasicNack { DeliveryTag = run.Last, Multiple = isMultiple, Requeue = true });
        else output.WriteMethod(number, new BasicAck { DeliveryTag = run.Last, Multiple = isMultiple });
    }
}
