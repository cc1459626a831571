using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Security;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Sessions;

/// <summary>
/// What one connection may do and owns: checks every operation against the user's permissions, runs its queue commands, and ends its exclusive queues with
/// it. Owned by the connection's task. Refusals are <see cref="BrokerException"/>s.
/// </summary>
public sealed class ClientSession(User user, VirtualHost virtualHost)
{
    private readonly HashSet<Queue> _exclusiveQueues = [];

    public User User { get; } = user;

    public VirtualHost VirtualHost { get; } = virtualHost;

    /// <summary>The session's commands to queues.</summary>
    public CommandBatch Commands { get; } = new();

    /// <summary>The ticket of the log that stands for all that the session has done. Whoever is told of it is told when that is durable.</summary>
    public long Ticket => Math.Max(Commands.Ticket, VirtualHost.Ticket);

    /// <summary>The exchange to publish to, after the checks in their order (behaviour note 56): permission, existence, internal.</summary>
    public Exchange ExchangeToPublishTo(Utf8Name name)
    {
        Require(Permission.Write, name, isQueue: false);
        Exchange exchange = VirtualHost.FindExchange(name);
        return exchange.IsInternal ? throw ErrorCatalogue.InternalExchange(name.ToString(), VirtualHost.Name) : exchange;
    }

    /// <summary>Throws 406 when a message claims to be somebody else's (behaviour note 62).</summary>
    public void CheckUserId(ReadOnlySpan<byte> userId)
    {
        string claimed = Encoding.UTF8.GetString(userId);
        if (claimed != User.Name && !User.Tags.Contains(User.ImpersonatorTag)) throw ErrorCatalogue.UserIdMismatch(claimed, User.Name);
    }

    /// <summary>Finds the queues of a message: those that its exchange routes it to, or the one in which it has to wait before that.</summary>
    public void Route(VirtualHostTopology topology, Exchange exchange, Message message, RouteSet routes)
    {
        if (!exchange.StagesMessages || !Staging.Applies(exchange, message))
        {
            Router.Route(topology, exchange, message, routes);
            if (exchange.StagesMessages) routes.IsForThisMessageOnly = true;
            return;
        }
        routes.Clear();
        routes.IsForThisMessageOnly = true;
        routes.Add(VirtualHost.StagingOf(exchange));
    }

    public void DeclareExchange(Utf8Name name, string type, bool durable, bool autoDelete, bool isInternal, ArgumentTable arguments)
    {
        ExchangeType parsed = ExchangeTypeNames.Parse(type);
        RefuseDefaultExchange(name);
        Require(Permission.Configure, name, isQueue: false);
        bool isNew = !VirtualHost.Topology.Exchanges.ContainsKey(name);
        if (isNew && arguments.Find(Exchange.AlternateExchangeArgument) is { } alternate) RequireForAlternate(name, alternate);
        VirtualHost.DeclareExchange(name, parsed, durable, autoDelete, isInternal, arguments);
    }

    /// <summary>Throws 404 when the exchange does not exist.</summary>
    public void DeclareExchangePassively(Utf8Name name)
    {
        RefuseDefaultExchange(name);
        RequireAny(name, isQueue: false);
        VirtualHost.FindExchange(name);
    }

    public void DeleteExchange(Utf8Name name, bool ifUnused)
    {
        RefuseDefaultExchange(name);
        if (name.IsReserved) throw ErrorCatalogue.SystemExchange(name.ToString(), VirtualHost.Name);
        Require(Permission.Configure, name, isQueue: false);
        VirtualHost.DeleteExchange(name, ifUnused);
    }

    public Queue DeclareQueue(Utf8Name name, bool durable, bool exclusive, bool autoDelete, ArgumentTable arguments)
    {
        Require(Permission.Configure, name, isQueue: true);
        bool isNew = !VirtualHost.TryFindQueue(name, this, out _);
        if (isNew) RequireForDeadLetters(name, arguments);
        Queue queue = VirtualHost.DeclareQueue(name, durable, exclusive, autoDelete, arguments, this);
        if (queue.Definition.IsExclusive) _exclusiveQueues.Add(queue);
        Touch(queue, isNew);
        return queue;
    }

    /// <summary>Throws 404 when the queue does not exist.</summary>
    public Queue DeclareQueuePassively(Utf8Name name)
    {
        RequireAny(name, isQueue: true);
        Queue queue = VirtualHost.FindQueue(name, this);
        Touch(queue, isNew: false);
        return queue;
    }

    /// <summary>Deletes a queue; how many messages went with it, 0 when there is no such queue (note 35).</summary>
    public int DeleteQueue(Utf8Name name, bool ifUnused, bool ifEmpty)
    {
        Require(Permission.Configure, name, isQueue: true);
        if (!VirtualHost.TryFindQueue(name, this, out Queue? queue)) return 0;
        if (queue.Definition.Type == QueueType.Quorum && (ifUnused || ifEmpty))
            throw ErrorCatalogue.QuorumDeleteFlag(queue.NameText, VirtualHost.Name, ifUnused ? "if-unused" : "if-empty");

        QueueCommandFlags flags = (ifUnused ? QueueCommandFlags.IfUnused : default) | (ifEmpty ? QueueCommandFlags.IfEmpty : default);
        QueueAnswer answer = Commands.Ask(new QueueCommand(QueueCommandKind.Delete, queue, Flags: flags));
        switch (answer.Status)
        {
            case QueueAnswerStatus.InUse: throw ErrorCatalogue.QueueInUse(queue.NameText, VirtualHost.Name);
            case QueueAnswerStatus.NotEmpty: throw ErrorCatalogue.QueueNotEmpty(queue.NameText, VirtualHost.Name);
            default: Forget(queue); return answer.MessageCount;
        }
    }

    /// <summary>Drops the ready messages of a queue; how many.</summary>
    public int Purge(Utf8Name name)
    {
        Require(Permission.Read, name, isQueue: true);
        return Commands.Ask(new QueueCommand(QueueCommandKind.Purge, VirtualHost.FindQueue(name, this))).MessageCount;
    }

    /// <summary>Makes a binding exist. Ends when what its exchange has kept for it is there.</summary>
    public Task Bind(Utf8Name source, Utf8Name destination, bool toQueue, Utf8Name routingKey, ArgumentTable arguments)
    {
        RequireForBinding(source, destination, toQueue);
        bool isNew = VirtualHost.Bind(source, destination, toQueue, routingKey, arguments, this);
        VirtualHostTopology topology = VirtualHost.Topology;
        bool hasHistory = isNew && topology.Exchanges.TryGetValue(source, out Exchange? exchange) && exchange.Type == ExchangeType.RecentHistory;
        return hasHistory ? RecentHistory.ReplayAsync(topology, source, destination, toQueue, VirtualHost.NewRouteSeed()) : Task.CompletedTask;
    }

    public void Unbind(Utf8Name source, Utf8Name destination, bool toQueue, Utf8Name routingKey, ArgumentTable arguments)
    {
        RequireForBinding(source, destination, toQueue);
        VirtualHost.Unbind(source, destination, toQueue, routingKey, arguments, this);
    }

    /// <summary>The queue to consume or get from.</summary>
    public Queue QueueToRead(Utf8Name name)
    {
        Require(Permission.Read, name, isQueue: true);
        return VirtualHost.FindQueue(name, this);
    }

    /// <summary>Adds a consumer that gets nothing until it is resumed.</summary>
    public void Consume(QueueConsumer consumer)
    {
        switch (Commands.Ask(new QueueCommand(QueueCommandKind.Consume, consumer.Queue, Consumer: consumer)).Status)
        {
            case QueueAnswerStatus.ExclusiveUse: throw ErrorCatalogue.ExclusiveUse(consumer.Queue.NameText, VirtualHost.Name);
            case QueueAnswerStatus.Deleted: throw ErrorCatalogue.NoQueue(consumer.Queue.NameText, VirtualHost.Name);
        }
    }

    /// <summary>Removes a consumer; an auto-delete queue goes with its last one (note 41).</summary>
    public void Cancel(QueueConsumer consumer)
    {
        QueueAnswer answer = Commands.Ask(new QueueCommand(QueueCommandKind.Cancel, consumer.Queue, Consumer: consumer));
        if (answer.HasEnded) Forget(consumer.Queue);
    }

    /// <summary>Ends what was the connection's own. Its channels are closed before.</summary>
    public void Close()
    {
        Commands.Run();
        foreach (Queue queue in _exclusiveQueues)
        {
            Commands.Ask(new QueueCommand(QueueCommandKind.Delete, queue));
            VirtualHost.RemoveQueue(queue);
        }
        _exclusiveQueues.Clear();
    }

    // A queue that goes when it is not used counts from now on; a quorum queue from its first declaration (note 53).
    private void Touch(Queue queue, bool isNew)
    {
        if (queue.Settings.ExpiresMs is not null && (isNew || queue.Definition.Type == QueueType.Classic))
            Commands.Add(new QueueCommand(QueueCommandKind.Touch, queue));
    }

    private void Forget(Queue queue)
    {
        VirtualHost.RemoveQueue(queue);
        _exclusiveQueues.Remove(queue);
    }

    private void RequireForAlternate(Utf8Name name, ArgumentValue alternate)
    {
        if (alternate.Kind != ArgumentKind.Text)
            throw ErrorCatalogue.InvalidArgumentType(alternate.TypeName, Exchange.AlternateExchangeArgument, Describe(name, isQueue: false));
        Require(Permission.Read, name, isQueue: false);
        Require(Permission.Write, alternate.Text, isQueue: false);
    }

    // Asked for once, when the queue is made (note 103): what a policy names is its operator's business.
    private void RequireForDeadLetters(Utf8Name name, ArgumentTable arguments)
    {
        if (QueueArguments.FindDeadLetterExchange(name.ToString(), VirtualHost.Name, arguments) is not { } exchange) return;
        Require(Permission.Read, name, isQueue: true);
        Require(Permission.Write, exchange, isQueue: false);
    }

    private void RequireForBinding(Utf8Name source, Utf8Name destination, bool toQueue)
    {
        RefuseDefaultExchange(source);
        if (!toQueue) RefuseDefaultExchange(destination);
        if (toQueue && DirectReplies.IsReplyName(destination.Span)) throw ErrorCatalogue.ReplyQueueBinding();
        Require(Permission.Write, destination, toQueue);
        Require(Permission.Read, source, isQueue: false);
    }

    private static void RefuseDefaultExchange(Utf8Name name)
    {
        if (name.IsEmpty) throw ErrorCatalogue.DefaultExchange();
    }

    private void Require(Permission permission, Utf8Name name, bool isQueue)
    {
        if (Allows(permission, name, isQueue)) return;
        throw Refusal(permission, name, isQueue);
    }

    private void RequireAny(Utf8Name name, bool isQueue)
    {
        if (Allows(Permission.Configure, name, isQueue) || Allows(Permission.Write, name, isQueue) || Allows(Permission.Read, name, isQueue)) return;
        throw Refusal(Permission.Configure, name, isQueue);
    }

    private bool Allows(Permission permission, Utf8Name name, bool isQueue) =>
        User.Allows(VirtualHost.Name, permission, name.IsEmpty && !isQueue ? "amq.default" : name.ToString());

    private BrokerException Refusal(Permission permission, Utf8Name name, bool isQueue) =>
        ErrorCatalogue.AccessRefused(permission.ToString().ToLowerInvariant(), Describe(name, isQueue), User.Name);

    private string Describe(Utf8Name name, bool isQueue) =>
        isQueue ? ErrorCatalogue.Queue(name.ToString(), VirtualHost.Name) : ErrorCatalogue.Exchange(name.ToString(), VirtualHost.Name);
}
