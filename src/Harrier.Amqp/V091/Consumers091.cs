using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The consuming side of one channel: its consumers, its prefetch, and what becomes of deliveries. Owned by the connection's task.</summary>
internal sealed class Consumers091(Channel091 channel)
{
    private readonly Dictionary<Utf8Name, Consumer091> _consumers = [];
    private readonly List<Settling<Queue>> _settling = [];
    private ReplyConsumer091? _replyConsumer;
    private int _prefetchCount;
    private int _sweepAt = 64;

    /// <summary>The opaque name under which direct replies reach this channel, or null.</summary>
    public Utf8Name? ReplyName => _replyConsumer?.Name;

    private Connection091 Connection => channel.Connection;

    private ClientSession Session => channel.Connection.Session;

    /// <summary>Per consumer, for consumers made from now on; the global flag means the same (behaviour note 77).</summary>
    public void OnQos(in BasicQos method)
    {
        if (method.PrefetchSize != 0) throw ErrorCatalogue.NotImplemented($"prefetch_size!=0 ({method.PrefetchSize})");
        _prefetchCount = method.PrefetchCount;
        channel.Write(new BasicQosOk());
    }

    public void OnConsume(in BasicConsume method)
    {
        Utf8Name tag = method.ConsumerTag.IsEmpty ? new Utf8Name("amq.ctag-" + Connection.Broker.NewToken()) : new Utf8Name(method.ConsumerTag);
        if (IsTaken(tag)) throw ErrorCatalogue.ConsumerTagInUse(tag.ToString());
        ForgetOrphans();
        if (_consumers.Count >= Connection.Limits.ConsumersPerChannelMax) throw ErrorCatalogue.ConsumerLimit(Connection.Limits.ConsumersPerChannelMax);
        if (method.Queue.SequenceEqual(DirectReplies.QueueName))
        {
            ConsumeReplies(in method, tag);
            return;
        }
        Queue queue = Session.QueueToRead(channel.QueueName(method.Queue));
        ArgumentTable arguments = Arguments091.Read(method.Arguments);
        var consumer = new Consumer091(Connection, channel, tag.Span.ToArray());
        consumer.Registration = new QueueConsumer(queue, consumer)
        {
            PrefetchCount = method.NoAck ? 0 : _prefetchCount,
            NoAck = method.NoAck,
            IsExclusive = method.Exclusive && queue.Definition.Type == QueueType.Classic, // quorum queues ignore it (note 81)
            Priority = Whole(queue, arguments, "x-priority") ?? 0,
            TimeoutMs = Timeout(queue, arguments),
        };
        Session.Consume(consumer.Registration);
        _consumers[tag] = consumer;
        if (!method.Nowait) channel.Write(new BasicConsumeOk { ConsumerTag = tag.Span });
        Session.Commands.Add(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: consumer.Registration)); // after consume-ok (note 79)
    }

    public void OnCancel(in BasicCancel method)
    {
        var tag = new Utf8Name(method.ConsumerTag);
        if (_consumers.Remove(tag, out Consumer091? consumer)) Session.Cancel(consumer.Registration);
        else if (_replyConsumer is { } replies && replies.Tag.AsSpan().SequenceEqual(tag.Span)) EndReplies();
        if (!method.Nowait) channel.Write(new BasicCancelOk { ConsumerTag = tag.Span });
    }

    public void OnGet(in BasicGet method)
    {
        Queue queue = Session.QueueToRead(channel.QueueName(method.Queue));
        bool isRefused = queue.Definition.Type == QueueType.Quorum && queue.Settings.HasSingleActiveConsumer; // note 78
        if (isRefused) throw ErrorCatalogue.GetBesideSingleActiveConsumer(queue.NameText, queue.VirtualHost);
        Get(queue, method.NoAck);
    }

    /// <summary>Settles one delivery or all up to it. Throws 406 for a tag that is not outstanding (notes 84 and 85).</summary>
    public void Settle(ulong tag, bool multiple, Outcome outcome)
    {
        if (!multiple)
        {
            Settling<Queue> one;
            lock (Connection.Output.Gate)
            {
                if (!channel.Unacked.TryTake(tag, out Queue? queue, out DeliveryId id)) throw ErrorCatalogue.UnknownDeliveryTag(tag);
                one = new Settling<Queue>(tag, queue, id);
            }
            Settle(one, outcome);
            return;
        }
        lock (Connection.Output.Gate)
        {
            if (tag != 0 && !channel.Unacked.Contains(tag)) throw ErrorCatalogue.UnknownDeliveryTag(tag);
            channel.Unacked.TakeUpTo(tag, _settling);
        }
        foreach (Settling<Queue> settling in _settling) Settle(settling, outcome);
        _settling.Clear();
    }

    /// <summary>Puts everything unacked back into its queues (note 90).</summary>
    public void Recover(bool requeue)
    {
        if (!requeue) throw ErrorCatalogue.NotImplemented("requeue=false");
        ReturnUnacked(Outcome.Released);
    }

    /// <summary>Ends the consumers and gives back what is unacked (note 92), as failed: the consumer may have died of it (note 88).</summary>
    public void Close()
    {
        Session.Commands.Run(); // resumes that are still to run would come after the end
        foreach (Consumer091 consumer in _consumers.Values) Session.Cancel(consumer.Registration);
        _consumers.Clear();
        if (_replyConsumer is not null) EndReplies();
        ReturnUnacked(Outcome.Failed);
        Session.Commands.Run();
    }

    private void Get(Queue queue, bool noAck)
    {
        QueueCommandFlags flags = noAck ? QueueCommandFlags.Settled : QueueCommandFlags.None;
        QueueAnswer answer = Session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, queue, Flags: flags));
        if (answer.Load is { } load)
        {
            if (load.Failure is not null) throw ErrorCatalogue.QueueUnreadable(queue.NameText, queue.VirtualHost); // the operator has been told why
            channel.AnswerAfter(load.WhenApplied, () => Get(queue, noAck));
            return;
        }
        if (answer.Message is not { } message)
        {
            channel.Write(new BasicGetEmpty());
            return;
        }
        lock (Connection.Output.Gate)
        {
            var found = new BasicGetOk
            {
                DeliveryTag = noAck ? channel.Unacked.AddSettled() : channel.Unacked.Add(queue, answer.Delivery),
                Redelivered = answer.IsRedelivered,
                Exchange = message.ExchangeBytes,
                RoutingKey = message.RoutingKeyBytes,
                MessageCount = (uint)answer.MessageCount,
            };
            using var outgoing = new Outgoing091(message);
            ReadOnlySpan<byte> properties = DeliveryCounts.Of(outgoing.Message, queue, answer.DeliveryCount, answer.AcquiredCount);
            ContentWriter.Write(Connection.Output, channel.Number, in found, outgoing.Message, properties, Connection.FrameBytesMax);
        }
        message.Release();
    }

    private void ReturnUnacked(Outcome outcome)
    {
        lock (Connection.Output.Gate) channel.Unacked.TakeUpTo(0, _settling);
        foreach (Settling<Queue> settling in _settling)
            Session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, settling.Owner, Delivery: settling.Id, Outcome: outcome));
        _settling.Clear();
    }

    private void Settle(Settling<Queue> settling, Outcome outcome)
    {
        if (channel.Transaction is { } transaction) transaction.Settle(settling, outcome);
        else Session.Commands.Add(new QueueCommand(QueueCommandKind.Settle, settling.Owner, Delivery: settling.Id, Outcome: outcome));
    }

    // Clients seldom cancel a consumer whose queue is gone. Swept when their number has doubled, so that it costs next to nothing per consumer.
    private void ForgetOrphans()
    {
        if (_consumers.Count < _sweepAt) return;
        foreach ((Utf8Name tag, Consumer091 consumer) in _consumers)
            if (consumer.IsOrphaned) _consumers.Remove(tag);
        _sweepAt = Math.Max(64, Math.Min(_consumers.Count * 2, Connection.Limits.ConsumersPerChannelMax));
    }

    // A consumer whose queue was deleted is gone, though the client has not been asked.
    private bool IsTaken(Utf8Name tag) =>
        (_consumers.TryGetValue(tag, out Consumer091? consumer) && !consumer.IsOrphaned) || _replyConsumer?.Tag.AsSpan().SequenceEqual(tag.Span) == true;

    private static long? Whole(Queue queue, ArgumentTable arguments, string name)
    {
        if (!arguments.TryGet(name, out ArgumentValue value)) return null;
        if (value.IsInteger) return value.Integer;
        throw ErrorCatalogue.InvalidQueueArgument(name, queue.NameText, queue.VirtualHost, $"\"expected integer, got {value.TypeName}\"");
    }

    // A timeout of 0 is none of the consumer's own.
    private static long? Timeout(Queue queue, ArgumentTable arguments)
    {
        const string Name = "x-consumer-timeout";
        long? timeoutMs = Whole(queue, arguments, Name);
        if (timeoutMs < 0) throw ErrorCatalogue.InvalidQueueArgument(Name, queue.NameText, queue.VirtualHost, $"{{value_negative,{timeoutMs}}}");
        return timeoutMs is > 0 and <= QueueConsumer.TimeoutMsMax ? timeoutMs : null;
    }

    private void ConsumeReplies(in BasicConsume method, Utf8Name tag)
    {
        if (_replyConsumer is not null) throw ErrorCatalogue.ReplyConsumerSet();
        if (!method.NoAck) throw ErrorCatalogue.ReplyConsumerAcknowledges();
        _replyConsumer = new ReplyConsumer091(Connection, channel, tag.Span.ToArray(), DirectReplies.NameOf(Connection.Broker.NewToken()));
        if (!method.Nowait) channel.Write(new BasicConsumeOk { ConsumerTag = tag.Span });
        Session.VirtualHost.DirectReplies.Add(_replyConsumer.Name, _replyConsumer);
    }

    private void EndReplies()
    {
        Session.VirtualHost.DirectReplies.Remove(_replyConsumer!.Name);
        _replyConsumer.End();
        _replyConsumer = null;
    }
}
