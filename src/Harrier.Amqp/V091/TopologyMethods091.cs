using System.Text;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The exchange and queue methods of one channel. Owned by the connection's task.</summary>
internal sealed class TopologyMethods091(Channel091 channel)
{
    private ClientSession Session => channel.Connection.Session;

    public void OnExchangeDeclare(in ExchangeDeclare method)
    {
        Utf8Name name = NameOf(method.Exchange);
        if (method.Passive) Session.DeclareExchangePassively(name);
        else
        {
            string type = Encoding.UTF8.GetString(method.Type);
            Session.DeclareExchange(name, type, method.Durable, method.AutoDelete, method.Internal, Arguments091.Read(method.Arguments));
        }
        if (!method.Nowait) channel.AnswerOnceDurable(() => channel.Write(new ExchangeDeclareOk()));
    }

    public void OnExchangeDelete(in ExchangeDelete method)
    {
        Session.DeleteExchange(NameOf(method.Exchange), method.IfUnused);
        if (!method.Nowait) channel.AnswerOnceDurable(() => channel.Write(new ExchangeDeleteOk()));
    }

    public void OnExchangeBind(in ExchangeBind method)
    {
        Task bound = Session.Bind(
            NameOf(method.Source), NameOf(method.Destination), toQueue: false, new Utf8Name(method.RoutingKey), Arguments091.Read(method.Arguments));
        bool nowait = method.Nowait;
        AnswerAfter(bound, () =>
        {
            if (!nowait) channel.AnswerOnceDurable(() => channel.Write(new ExchangeBindOk()));
        });
    }

    public void OnExchangeUnbind(in ExchangeUnbind method)
    {
        Session.Unbind(NameOf(method.Source), NameOf(method.Destination), toQueue: false, new Utf8Name(method.RoutingKey), Arguments091.Read(method.Arguments));
        if (!method.Nowait) channel.AnswerOnceDurable(() => channel.Write(new ExchangeUnbindOk()));
    }

    public void OnQueueDeclare(in QueueDeclare method)
    {
        if (DirectReplies.IsReplyName(method.Queue))
        {
            DeclareReplyQueue(in method);
            return;
        }
        Utf8Name name = NameOf(method.Queue);
        Queue queue = method.Passive
            ? Session.DeclareQueuePassively(name)
            : Session.DeclareQueue(name, method.Durable, method.Exclusive, method.AutoDelete, Arguments091.Read(method.Arguments));
        channel.LastQueue = queue.Name;
        if (method.Nowait) return;
        var (ready, consumers) = ((uint)queue.ReadyCount, (uint)queue.ConsumerCount);
        channel.AnswerOnceDurable(() => channel.Write(new QueueDeclareOk { Queue = queue.Name.Span, MessageCount = ready, ConsumerCount = consumers }));
    }

    public void OnQueueBind(in QueueBind method)
    {
        Utf8Name queue = channel.QueueName(method.Queue), source = NameOf(method.Exchange);
        // Both empty: the last queue, under its own name (behaviour note 29).
        Utf8Name key = method.Queue.IsEmpty && method.RoutingKey.IsEmpty ? queue : new Utf8Name(method.RoutingKey);
        Task bound = Session.Bind(source, queue, toQueue: true, key, Arguments091.Read(method.Arguments));
        bool nowait = method.Nowait;
        AnswerAfter(bound, () =>
        {
            if (!nowait) channel.AnswerOnceDurable(() => channel.Write(new QueueBindOk()));
        });
    }

    public void OnQueueUnbind(in QueueUnbind method)
    {
        Utf8Name queue = channel.QueueName(method.Queue);
        Utf8Name key = method.Queue.IsEmpty && method.RoutingKey.IsEmpty ? queue : new Utf8Name(method.RoutingKey);
        Session.Unbind(NameOf(method.Exchange), queue, toQueue: true, key, Arguments091.Read(method.Arguments));
        channel.AnswerOnceDurable(() => channel.Write(new QueueUnbindOk()));
    }

    public void OnQueuePurge(in QueuePurge method)
    {
        int count = Session.Purge(channel.QueueName(method.Queue));
        if (!method.Nowait) channel.AnswerOnceDurable(() => channel.Write(new QueuePurgeOk { MessageCount = (uint)count }));
    }

    public void OnQueueDelete(in QueueDelete method)
    {
        int count = Session.DeleteQueue(channel.QueueName(NameOf(method.Queue).Span), method.IfUnused, method.IfEmpty);
        if (!method.Nowait) channel.AnswerOnceDurable(() => channel.Write(new QueueDeleteOk { MessageCount = (uint)count }));
    }

    private void AnswerAfter(Task task, Action answer)
    {
        if (task.IsCompletedSuccessfully) answer();
        else channel.AnswerAfter(task, answer);
    }

    /// <summary>Tells whether a requester still waits (note 97).</summary>
    private void DeclareReplyQueue(in QueueDeclare method)
    {
        bool exists = method.Queue.SequenceEqual(DirectReplies.QueueName) || Session.VirtualHost.DirectReplies.TryFind(new Utf8Name(method.Queue), out _);
        if (!exists) throw ErrorCatalogue.NoQueue(Encoding.UTF8.GetString(method.Queue), Session.VirtualHost.Name);
        if (!method.Nowait) channel.Write(new QueueDeclareOk { Queue = method.Queue, MessageCount = 0, ConsumerCount = 1 });
    }

    /// <summary>The name without CR and LF, which are stripped and not refused (note 28).</summary>
    private static Utf8Name NameOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IndexOfAny((byte)'\r', (byte)'\n') < 0) return new Utf8Name(bytes);
        Span<byte> kept = stackalloc byte[bytes.Length];
        int count = 0;
        foreach (byte b in bytes)
            if (b is not ((byte)'\r' or (byte)'\n')) kept[count++] = b;
        return new Utf8Name(kept[..count]);
    }
}
