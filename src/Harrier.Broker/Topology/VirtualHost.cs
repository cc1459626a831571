using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;

namespace Harrier.Broker.Topology;

/// <summary>
/// One virtual host: decides what may be declared, bound and deleted, and keeps what lives in it besides. Thread-safe. It knows nothing of
/// users: who may do what is decided before (<see cref="ClientSession"/>).
/// </summary>
public sealed class VirtualHost
{
    private readonly ITopologyStore _store;
    private readonly QueueFactory _queues;

    internal VirtualHost(string name, ITopologyStore store, QueueFactory queues)
    {
        Name = name;
        _store = store;
        _queues = queues;
    }

    public string Name { get; }

    /// <summary>What exists now. Never waits.</summary>
    public VirtualHostTopology Topology => _store.Current;

    /// <summary>The ticket of the last change to what exists.</summary>
    public long Ticket => _store.Ticket;

    /// <summary>Clients that wait for direct replies.</summary>
    public DirectReplies DirectReplies { get; } = new();

    /// <summary>A seed for a <see cref="RouteSet"/>.</summary>
    public ulong NewRouteSeed() => _queues.NewSeed();

    /// <summary>The exchange of that name; throws 404 when there is none.</summary>
    public Exchange FindExchange(Utf8Name name) =>
        Topology.Exchanges.TryGetValue(name, out Exchange? exchange) ? exchange : throw ErrorCatalogue.NoExchange(name.ToString(), Name);

    /// <summary>The queue of that name; throws 404 when there is none and 405 when it is another connection's.</summary>
    public Queue FindQueue(Utf8Name name, object connection) =>
        TryFindQueue(name, connection, out Queue? queue) ? queue : throw ErrorCatalogue.NoQueue(name.ToString(), Name);

    /// <summary>The queue of that name, or false when there is none; throws 405 when it is another connection's.</summary>
    public bool TryFindQueue(Utf8Name name, object connection, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Queue? queue)
    {
        if (!Topology.Queues.TryGetValue(name, out queue) || queue.IsDeleted) return false;
        AssertAccess(queue, connection);
        return true;
    }

    /// <summary>Makes the exchange exist, or throws 406 when one of that name differs (note 38).</summary>
    public void DeclareExchange(Utf8Name name, ExchangeType type, bool durable, bool autoDelete, bool isInternal, ArgumentTable arguments) =>
        _store.Change(topology =>
        {
            if (topology.Exchanges.TryGetValue(name, out Exchange? existing))
            {
                AssertEquivalent(existing, type, durable, autoDelete, isInternal, arguments);
                return new TopologyDecision<bool>(false);
            }
            AssertNotReserved("exchange", name);
            BindingTable.ValidateArguments(type, arguments, ErrorCatalogue.Exchange(name.ToString(), Name));
            Exchange exchange = Exchange.Create(name, type, durable, autoDelete, isInternal, arguments);
            return type == ExchangeType.RecentHistory
                ? new TopologyDecision<bool>(true, new ExchangeDeclared(exchange), new QueueDeclared(CreateServant(exchange, QueueRole.History)))
                : new TopologyDecision<bool>(true, new ExchangeDeclared(exchange));
        });

    /// <summary>The queue in which messages of an exchange wait. Made when the first has to.</summary>
    internal Queue StagingOf(Exchange exchange) => exchange.Staging ?? _store.Change(topology =>
    {
        Exchange current = topology.Exchanges.GetValueOrDefault(exchange.Name) ?? throw ErrorCatalogue.NoExchange(exchange.Name.ToString(), Name);
        if (current.Staging is { } staging) return new TopologyDecision<Queue>(staging);
        Queue made = CreateServant(current, QueueRole.Staging);
        return new TopologyDecision<Queue>(made, new QueueDeclared(made));
    });

    /// <summary>Makes the exchange not exist (note 35); throws 406 when it is in use (note 37).</summary>
    public void DeleteExchange(Utf8Name name, bool ifUnused) =>
        _store.Change(topology =>
        {
            if (!topology.Exchanges.TryGetValue(name, out Exchange? exchange)) return new TopologyDecision<bool>(false);
            if (ifUnused && !topology.BindingsFrom(name).IsEmpty) throw ErrorCatalogue.ExchangeInUse(name.ToString(), Name);
            var change = new TopologyChange(topology);
            change.DeleteExchange(exchange);
            return new TopologyDecision<bool>(true, change.Ops);
        });

    /// <summary>
    /// Makes the queue exist, or throws 405 when it is another connection's and 406 when it differs (note 33). An empty name asks for a
    /// new one (note 30).
    /// </summary>
    public Queue DeclareQueue(Utf8Name name, bool durable, bool exclusive, bool autoDelete, ArgumentTable arguments, object connection) =>
        _store.Change(topology =>
        {
            string text = name.ToString();
            var change = new TopologyChange(topology);
            if (topology.Queues.TryGetValue(name, out Queue? existing))
            {
                if (!existing.IsDeleted)
                {
                    AssertAccess(existing, connection);
                    AssertEquivalent(existing, durable, exclusive, autoDelete, arguments);
                    return new TopologyDecision<Queue>(existing);
                }
                change.DeleteQueue(existing); // it ended itself, and whoever made it do so has not come here yet
            }
            AssertNotReserved("queue", name);
            QueueType type = QueueArguments.Validate(text, Name, arguments);
            AssertProperties(text, type, durable, exclusive, autoDelete);
            Utf8Name given = name.IsEmpty ? _queues.NewName() : name;
            var definition = new QueueDefinition(given, type, durable && !exclusive, exclusive, autoDelete, arguments);
            QueueSettings settings = SettingsMerge.Merge(definition, topology.Policies.For(definition));
            Queue queue = _queues.Create(Name, definition, settings, exclusive ? connection : null);
            change.Add(new QueueDeclared(queue));
            return new TopologyDecision<Queue>(queue, change.Ops);
        });

    /// <summary>Takes a queue that has ended out of the topology, with its bindings. Does nothing when it is gone or replaced already.</summary>
    public void RemoveQueue(Queue queue)
    {
        bool wasThere = _store.Change(topology =>
        {
            if (!topology.Queues.TryGetValue(queue.Name, out Queue? existing) || !ReferenceEquals(existing, queue)) return new TopologyDecision<bool>(false);
            var change = new TopologyChange(topology);
            change.DeleteQueue(queue);
            return new TopologyDecision<bool>(true, change.Ops);
        });
        if (wasThere && queue.Definition.Role == QueueRole.Terminus) Terminus.Release(queue, Topology);
    }

    /// <summary>The terminus of that name, made when there is none; one that is for something else ends before. Null when there are as many as may be.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="arguments">What it is declared with.</param>
    /// <param name="countMax">How many this virtual host may have: they cost their owner nothing and may be for ever.</param>
    public Queue? TryOpenTerminus(Utf8Name name, ArgumentTable arguments, int countMax)
    {
        if (Topology.Queues.TryGetValue(name, out Queue? existing))
        {
            if (!existing.IsDeleted && existing.Definition.Arguments.Equals(arguments)) return existing;
            if (!existing.IsDeleted && Terminus.AreOfOneQueue(existing.Definition.Arguments, arguments)) return Redefine(existing, arguments);
            EndTerminus(existing);
        }
        return _store.Change(topology =>
        {
            if (topology.Queues.TryGetValue(name, out Queue? other)) return new TopologyDecision<Queue?>(other); // made at the same moment
            if (topology.Queues.Values.Count(queue => queue.Definition.Role == QueueRole.Terminus) >= countMax) return new TopologyDecision<Queue?>(null);
            var definition = new QueueDefinition(name, QueueType.Classic, IsDurable: true, IsExclusive: false, IsAutoDelete: false, arguments, QueueRole.Terminus);
            Queue made = _queues.Create(Name, definition, SettingsMerge.Merge(definition, EffectivePolicy.None), owner: null);
            return new TopologyDecision<Queue?>(made, new QueueDeclared(made));
        });
    }

    // It expires otherwise from now on, and forgets nothing: its peer counts on what it was told.
    private Queue Redefine(Queue terminus, ArgumentTable arguments)
    {
        _store.Change(_ =>
        {
            terminus.Definition = terminus.Definition with { Arguments = arguments };
            return new TopologyDecision<bool>(true, new QueueDeclared(terminus));
        });
        QueueSettings settings = SettingsMerge.Merge(terminus.Definition, EffectivePolicy.None);
        new CommandBatch().Ask(new QueueCommand(QueueCommandKind.Configure, terminus, Settings: settings));
        return terminus;
    }

    /// <summary>Ends a terminus with all that it knows. What is held for it is ready again.</summary>
    public void EndTerminus(Queue terminus, bool ifUnused = false)
    {
        QueueCommandFlags flags = ifUnused ? QueueCommandFlags.IfUnused : QueueCommandFlags.None;
        QueueAnswer answer = new CommandBatch().Ask(new QueueCommand(QueueCommandKind.Delete, terminus, Flags: flags));
        if (answer.Status != QueueAnswerStatus.InUse) RemoveQueue(terminus);
    }

    /// <summary>Makes the binding exist; throws 404 when an end is missing, 406 when the exchange type cannot take it.</summary>
    /// <returns>Whether it did not exist before.</returns>
    public bool Bind(Utf8Name source, Utf8Name destination, bool toQueue, Utf8Name routingKey, ArgumentTable arguments, object connection) =>
        _store.Change(topology =>
        {
            ExchangeType type = FindExchange(source).MatchedType;
            Destination end = toQueue ? new Destination(FindQueue(destination, connection)) : new Destination(FindExchange(destination).Name);
            var binding = new Binding(source, end, routingKey, arguments);
            BindingTable.Validate(type, binding);
            return topology.BindingsFrom(source).Contains(binding)
                ? new TopologyDecision<bool>(false)
                : new TopologyDecision<bool>(true, new BindingAdded(binding));
        });

    /// <summary>Makes the binding not exist, whether or not its ends do (note 35).</summary>
    public void Unbind(Utf8Name source, Utf8Name destination, bool toQueue, Utf8Name routingKey, ArgumentTable arguments, object connection) =>
        _store.Change(topology =>
        {
            Queue? queue = null;
            if (toQueue && !topology.Queues.TryGetValue(destination, out queue)) return new TopologyDecision<bool>(false);
            var binding = new Binding(source, queue is null ? new Destination(destination) : new Destination(queue), routingKey, arguments);
            if (!topology.BindingsFrom(source).Contains(binding)) return new TopologyDecision<bool>(false);
            if (queue is not null) AssertAccess(queue, connection);
            var change = new TopologyChange(topology);
            change.RemoveBinding(binding);
            return new TopologyDecision<bool>(true, change.Ops);
        });

    /// <summary>Has a queue deliver nothing, or deliver again. What it takes in it keeps; a durable queue stays paused over a restart.</summary>
    public void Pause(Queue queue, bool isPaused) =>
        new CommandBatch().Ask(new QueueCommand(isPaused ? QueueCommandKind.Pause : QueueCommandKind.Unpause, queue));

    /// <summary>Makes the policy exist, in place of one of its name, and applies it at once. Answers why it is refused (RabbitMQ's text), or null.</summary>
    public string? SetPolicy(PolicyDraft draft) => SetPolicy(PolicyKind.User, draft);

    /// <summary>The same for an operator policy.</summary>
    public string? SetOperatorPolicy(PolicyDraft draft) => SetPolicy(PolicyKind.Operator, draft);

    /// <summary>Makes the policy not exist; false when it did not.</summary>
    public bool ClearPolicy(string name) => ClearPolicy(PolicyKind.User, name);

    /// <summary>The same for an operator policy.</summary>
    public bool ClearOperatorPolicy(string name) => ClearPolicy(PolicyKind.Operator, name);

    private string? SetPolicy(PolicyKind kind, PolicyDraft draft) =>
        Policy.TryCreate(kind, draft, out Policy? policy, out string? refusal)
            ? _store.Change(_ => new TopologyDecision<string?>(null, new PolicySet(policy)))
            : refusal;

    private bool ClearPolicy(PolicyKind kind, string name) =>
        _store.Change(topology => topology.Policies.Find(kind, name) is null
            ? new TopologyDecision<bool>(false)
            : new TopologyDecision<bool>(true, new PolicyCleared(kind, name)));

    private Queue CreateServant(Exchange exchange, QueueRole role)
    {
        var definition = new QueueDefinition(
            ExchangeArguments.ServantName(exchange, role), QueueType.Classic, exchange.IsDurable, IsExclusive: false, IsAutoDelete: false,
            ExchangeArguments.ServantArguments(exchange, role), role, exchange.Name);
        return _queues.Create(Name, definition, SettingsMerge.Merge(definition, EffectivePolicy.None), owner: null);
    }

    private void AssertAccess(Queue queue, object connection)
    {
        if (!queue.Definition.IsOrdinary) throw ErrorCatalogue.InternalQueue(queue.NameText, Name);
        if (queue.Owner is { } owner && !ReferenceEquals(owner, connection)) throw ErrorCatalogue.QueueLocked(queue.NameText, Name);
    }

    private void AssertProperties(string name, QueueType type, bool durable, bool exclusive, bool autoDelete)
    {
        if (type != QueueType.Quorum) return;
        if (name.Length == 0) throw ErrorCatalogue.ServerNamedQueueType(QueueArguments.RabbitName(type));
        if (autoDelete) throw ErrorCatalogue.InvalidQueueProperty("auto-delete", name, Name);
        if (exclusive) throw ErrorCatalogue.InvalidQueueProperty("exclusive-owner", name, Name);
        if (!durable) throw ErrorCatalogue.InvalidQueueProperty("non-durable", name, Name);
    }

    private static void AssertNotReserved(string kind, Utf8Name name)
    {
        if (name.IsReserved) throw ErrorCatalogue.ReservedName(kind, name.ToString());
    }

    private void AssertEquivalent(Queue queue, bool durable, bool exclusive, bool autoDelete, ArgumentTable arguments)
    {
        string resource = ErrorCatalogue.Queue(queue.NameText, Name);
        // A queue that is exclusive and not this client's was refused before; this one is not exclusive but was asked to be, or the reverse.
        if (queue.Definition.IsExclusive != exclusive) throw ErrorCatalogue.QueueLocked(queue.NameText, Name);
        AssertSame("durable", resource, durable && !exclusive, queue.Definition.IsDurable);
        AssertSame("auto_delete", resource, autoDelete, queue.Definition.IsAutoDelete);
        QueueArguments.AssertEquivalent(queue, arguments);
    }

    private void AssertEquivalent(Exchange exchange, ExchangeType type, bool durable, bool autoDelete, bool isInternal, ArgumentTable arguments)
    {
        string resource = ErrorCatalogue.Exchange(exchange.Name.ToString(), Name);
        if (exchange.Type != type)
            throw ErrorCatalogue.Inequivalent("type", resource, $"'{ExchangeTypeNames.NameOf(type)}'", $"'{ExchangeTypeNames.NameOf(exchange.Type)}'");
        AssertSame("durable", resource, durable, exchange.IsDurable);
        AssertSame("auto_delete", resource, autoDelete, exchange.IsAutoDelete);
        AssertSame("internal", resource, isInternal, exchange.IsInternal);
        ArgumentValue? received = arguments.Find(Exchange.AlternateExchangeArgument), current = exchange.Arguments.Find(Exchange.AlternateExchangeArgument);
        if (!received.Equals(current)) throw ErrorCatalogue.Inequivalent(Exchange.AlternateExchangeArgument, resource, received, current);
    }

    private static void AssertSame(string field, string resource, bool received, bool current)
    {
        if (received != current) throw ErrorCatalogue.Inequivalent(field, resource, received ? "'true'" : "'false'", current ? "'true'" : "'false'");
    }
}
