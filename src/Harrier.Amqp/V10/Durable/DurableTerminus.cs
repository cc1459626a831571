using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// One end of a link that outlives it, while somebody is attached to it or could be again without its beginning to expire: a consumer of the queue that stands for it,
/// which keeps the queue, and of a target reads what is in it. Owned by the connection's task, but for what comes from the queue.
/// </summary>
internal sealed class DurableTerminus(ClientSession client, Queue queue, TerminusPolicy policy) : IConsumer
{
    private readonly Dictionary<Utf8Name, DeliveryId> _received = [];
    private readonly TaskCompletionSource<bool> _isRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QueueConsumer? _reader;
    private QueueConsumer? _keeper;
    private int _toRead;

    /// <summary>The queue that stands for it.</summary>
    public Queue Queue => queue;

    public TerminusPolicy Policy => policy;

    /// <summary>Ends when all is known that was received before; with false when that cannot be read.</summary>
    public Task<bool> WhenRead => _isRead.Task;

    /// <summary>The tags of deliveries that were received and not settled by their sender.</summary>
    public byte[][] ReceivedTags
    {
        get
        {
            lock (_received) return [.. _received.Keys.Select(tag => tag.Span.ToArray())];
        }
    }

    /// <summary>How many they are.</summary>
    public int ReceivedCount
    {
        get
        {
            lock (_received) return _received.Count;
        }
    }

    bool IConsumer.HasRoom => true;

    /// <summary>Keeps it from expiring, and reads what it knows.</summary>
    public void Open()
    {
        var reader = new QueueConsumer(queue, this);
        client.Consume(reader);
        _reader = reader;
        _toRead = queue.ReadyCount;
        if (_toRead == 0) _isRead.SetResult(true);
        client.Commands.Add(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: _reader));
        client.Commands.Run();
    }

    /// <summary>Whether a delivery was received already.</summary>
    public bool HasReceived(ReadOnlySpan<byte> tag)
    {
        lock (_received) return _received.ContainsKey(new Utf8Name(tag));
    }

    /// <summary>What notes that a delivery was received, to be done as one with what it causes.</summary>
    public QueueCommand Receive(ReadOnlySpan<byte> tag)
    {
        Message note = Message.Rent(Conversion.MessageFormat10.Instance, default, default, default, tag.Length);
        note.AppendBody(tag, tag.Length);
        note.IsPersistent = true;
        return new QueueCommand(QueueCommandKind.Enqueue, queue, note, Flags: QueueCommandFlags.Unconditional);
    }

    /// <summary>The sender has settled a delivery: it will not ask for it again.</summary>
    public void Forget(ReadOnlySpan<byte> tag)
    {
        DeliveryId id;
        lock (_received)
        {
            if (!_received.Remove(new Utf8Name(tag), out id)) return;
        }
        client.Commands.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: id));
    }

    /// <summary>Its link has ended, and may come back: what it knows stays with it. Whether it expires from now on, or is kept for good.</summary>
    public bool Leave(LinkEnd how)
    {
        if (_reader is not { } reader) return true;
        _reader = null;
        bool lingers = policy.Policy != ExpiryPolicy.Never && !policy.BeginsWith(how) && !queue.IsDeleted;
        if (lingers)
        {
            _keeper = new QueueConsumer(queue, this) { UsesLinkCredit = true }; // it is there, and is given nothing
            client.Consume(_keeper);
        }
        client.Commands.Run();
        client.Cancel(reader);
        GiveBack();
        if (!lingers && policy is { TimeoutSeconds: 0, Policy: not ExpiryPolicy.Never }) EndIfUnused();
        return !lingers;
    }

    /// <summary>The session or connection of its link has ended: whether it expires from now on.</summary>
    public bool Expire(LinkEnd how)
    {
        if (!policy.BeginsWith(how)) return false;
        GiveUp();
        if (policy.TimeoutSeconds == 0) EndIfUnused();
        return true;
    }

    /// <summary>Keeps it no more: another link has it.</summary>
    public void GiveUp()
    {
        if (_keeper is { } keeper) client.Cancel(keeper);
        _keeper = null;
    }

    /// <summary>Ends it with all that it knows.</summary>
    public void End()
    {
        client.Commands.Run();
        _reader = null;
        client.VirtualHost.EndTerminus(queue);
    }

    void IConsumer.Deliver(ReadOnlySpan<Delivery> deliveries)
    {
        lock (_received)
        {
            foreach (ref readonly Delivery delivery in deliveries) _received[new Utf8Name(delivery.Message.Body)] = delivery.Id;
            if ((_toRead -= deliveries.Length) <= 0) _isRead.TrySetResult(true);
        }
    }

    void IConsumer.Flush()
    {
    }

    bool IConsumer.AwaitRoom() => false;

    void IConsumer.OnOverdue(DeliveryId delivery, long timeoutMs)
    {
    }

    void IConsumer.OnUnreadable() => _isRead.TrySetResult(false);

    void IConsumer.OnQueueDeleted() => _isRead.TrySetResult(true);

    // Another link may have it meanwhile, or have had it under another policy.
    private void EndIfUnused()
    {
        if (queue.Settings.ExpiresMs == policy.ExpiresMs) client.VirtualHost.EndTerminus(queue, ifUnused: true);
    }

    private void GiveBack()
    {
        lock (_received)
        {
            foreach (DeliveryId id in _received.Values) client.Commands.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: id, Outcome: Outcome.Released));
            _received.Clear();
        }
        client.Commands.Run();
    }
}
