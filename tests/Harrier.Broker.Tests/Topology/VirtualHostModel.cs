using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;

namespace Harrier.Broker.Tests.Topology;

internal enum TopologyAction
{
    DeclareExchange,
    DeleteExchange,
    DeclareQueue,
    DeleteQueue,
    BindQueue,
    BindExchange,
    Unbind,
    UnbindAny,
    Consume,
    Cancel,
    Reconnect,
}

/// <summary>A step of a model test. What the numbers mean is the action's affair; any numbers are valid.</summary>
internal readonly record struct TopologyStep(TopologyAction Action, int A, int B);

/// <summary>
/// A virtual host as lists of what exists: does every step in itself and in the real one, foretells each refusal, and compares all that exists, and
/// where messages go, after each step.
/// </summary>
internal sealed class VirtualHostModel
{
    private const string Locked = "cannot obtain exclusive access to locked ";
    private static readonly string[] Keys = ["", "a", "b", "a.b"];
    private static readonly string[] Types = ["direct", "fanout", "topic"];

    private readonly TestBroker _broker = new();
    private readonly ClientSession[] _sessions;
    private readonly List<ModelExchange> _exchanges = [];
    private readonly List<ModelQueue> _queues = [];
    private readonly List<ModelBinding> _bindings = [];
    private readonly List<ModelConsumer> _consumers = [];

    public VirtualHostModel() => _sessions = [_broker.Connect(), _broker.Connect()];

    public void Run(TopologyStep step)
    {
        int session = step.B % 2;
        string exchange = $"x{step.A % 4}", queue = $"q{step.A / 4 % 4}";
        switch (step.Action)
        {
            case TopologyAction.DeclareExchange: DeclareExchange(exchange, step.B); break;
            case TopologyAction.DeleteExchange: DeleteExchange(exchange, ifUnused: step.B % 3 == 0); break;
            case TopologyAction.DeclareQueue: DeclareQueue(queue, session, step.B / 2); break;
            case TopologyAction.DeleteQueue: DeleteQueue(queue, session, ifUnused: step.B % 3 == 0); break;
            case TopologyAction.BindQueue: Bind(new ModelBinding(exchange, queue, true, Keys[step.B / 2 % 4]), session); break;
            case TopologyAction.BindExchange: Bind(new ModelBinding(exchange, $"x{step.A / 4 % 4}", false, Keys[step.B / 2 % 4]), session); break;
            case TopologyAction.Unbind when _bindings.Count > 0: Unbind(_bindings[step.A % _bindings.Count], session); break;
            case TopologyAction.UnbindAny: Unbind(new ModelBinding(exchange, queue, true, Keys[step.B / 2 % 4]), session); break;
            case TopologyAction.Consume: Consume(queue, session); break;
            case TopologyAction.Cancel: Cancel(step.A); break;
            case TopologyAction.Reconnect: Reconnect(session); break;
        }
        CheckState();
    }

    private void DeclareExchange(string name, int choice)
    {
        var wanted = new ModelExchange(
            name, Types[choice % 3], AutoDelete: choice / 3 % 2 == 0, Alternate: choice / 6 % 3 == 0 ? $"x{choice / 18 % 4}" : null);
        ModelExchange? existing = _exchanges.Find(e => e.Name == name);
        string? refusal = null;
        string start = $"for exchange '{name}' in vhost '/': received ";
        if (existing is not null && existing.Type != wanted.Type) refusal = $"inequivalent arg 'type' {start}'{wanted.Type}' but current is '{existing.Type}'";
        else if (existing is not null && existing.AutoDelete != wanted.AutoDelete)
            refusal = $"inequivalent arg 'auto_delete' {start}'{Text(wanted.AutoDelete)}' but current is '{Text(existing.AutoDelete)}'";
        else if (existing is not null && existing.Alternate != wanted.Alternate) return; // the texts have tests of their own
        Argument[] arguments = wanted.Alternate is null ? [] : [new Argument("alternate-exchange", ArgumentValue.Of(wanted.Alternate))];
        Attempt(() => _sessions[0].Exchange(name, wanted.Type, durable: true, wanted.AutoDelete, isInternal: false, arguments), refusal);
        if (existing is null) _exchanges.Add(wanted);
    }

    private void DeleteExchange(string name, bool ifUnused)
    {
        bool used = _bindings.Exists(b => b.Source == name);
        bool refused = used && ifUnused;
        Attempt(() => _sessions[0].DeleteExchange(name, ifUnused), refused ? $"exchange '{name}' in vhost '/' in use" : null);
        if (!refused) RemoveExchange(name);
    }

    private void DeclareQueue(string name, int session, int choice)
    {
        var wanted = new ModelQueue(name, choice % 2 == 0, choice / 2 % 3 == 0 ? session : null, choice / 6 % 2 == 0);
        ModelQueue? existing = _queues.Find(q => q.Name == name);
        string? refusal = null;
        if (existing is not null && existing.Owner != wanted.Owner) refusal = Locked;
        else if (existing is not null && existing.IsDurable != wanted.IsDurable)
            refusal = $"inequivalent arg 'durable' for queue '{name}' in vhost '/': received '{Text(wanted.IsDurable)}' but current is '{Text(existing.IsDurable)}'";
        else if (existing is not null && existing.AutoDelete != wanted.AutoDelete)
            refusal = $"inequivalent arg 'auto_delete' for queue '{name}' in vhost '/': received '{Text(wanted.AutoDelete)}' but current is '{Text(existing.AutoDelete)}'";
        Attempt(() => _sessions[session].Queue(name, wanted.WantsDurable, wanted.Owner is not null, wanted.AutoDelete), refusal);
        if (existing is null) _queues.Add(wanted);
    }

    private void DeleteQueue(string name, int session, bool ifUnused)
    {
        ModelQueue? existing = _queues.Find(q => q.Name == name);
        string? refusal = null;
        if (existing is not null && IsLocked(existing, session)) refusal = Locked;
        else if (existing is not null && ifUnused && _consumers.Exists(c => c.Queue == name)) refusal = $"queue '{name}' in vhost '/' in use";
        Attempt(() => _sessions[session].DeleteQueue(name, ifUnused, ifEmpty: true), refusal);
        if (existing is not null && refusal is null) RemoveQueue(name);
    }

    private void Bind(ModelBinding binding, int session)
    {
        bool noSource = !_exchanges.Exists(e => e.Name == binding.Source);
        ModelQueue? queue = _queues.Find(q => q.Name == binding.Destination);
        bool noDestination = binding.ToQueue ? queue is null : !_exchanges.Exists(e => e.Name == binding.Destination);
        string? refusal = null;
        if (noSource) refusal = $"no exchange '{binding.Source}' in vhost '/'";
        else if (noDestination) refusal = $"no {(binding.ToQueue ? "queue" : "exchange")} '{binding.Destination}' in vhost '/'";
        else if (binding.ToQueue && IsLocked(queue!, session)) refusal = Locked;
        Attempt(() => _sessions[session].Bind(binding.Source, binding.Destination, binding.ToQueue, binding.Key, ArgumentTable.Empty), refusal);
        if (refusal is null && !_bindings.Contains(binding)) _bindings.Add(binding);
    }

    private void Unbind(ModelBinding binding, int session)
    {
        bool isThere = _bindings.Contains(binding);
        string? refusal = isThere && binding.ToQueue && IsLocked(_queues.Single(q => q.Name == binding.Destination), session) ? Locked : null;
        Attempt(() => _sessions[session].Unbind(binding.Source, binding.Destination, binding.ToQueue, binding.Key, ArgumentTable.Empty), refusal);
        if (isThere && refusal is null) RemoveBindings(b => b == binding);
    }

    private void Consume(string name, int session)
    {
        ModelQueue? queue = _queues.Find(q => q.Name == name);
        if (queue is null || IsLocked(queue, session)) return;
        var consumer = new QueueConsumer(_sessions[session].QueueToRead(name), new FakeConsumer());
        _sessions[session].Consume(consumer);
        _consumers.Add(new ModelConsumer(name, session, consumer));
    }

    private void Cancel(int choice)
    {
        if (_consumers.Count == 0) return;
        ModelConsumer consumer = _consumers[choice % _consumers.Count];
        _sessions[consumer.Session].Cancel(consumer.Consumer);
        _consumers.Remove(consumer);
        if (_queues.Single(q => q.Name == consumer.Queue).AutoDelete && !_consumers.Exists(c => c.Queue == consumer.Queue)) RemoveQueue(consumer.Queue);
    }

    private void Reconnect(int session)
    {
        foreach (ModelConsumer consumer in _consumers.ToArray())
        {
            // Its queue may have gone with another consumer of the same connection.
            if (consumer.Session == session && _consumers.Contains(consumer)) Cancel(_consumers.IndexOf(consumer));
        }
        _sessions[session].Close();
        foreach (ModelQueue queue in _queues.ToArray())
            if (queue.Owner == session) RemoveQueue(queue.Name);
        _sessions[session] = _broker.Connect();
    }

    private void RemoveExchange(string name)
    {
        if (_exchanges.RemoveAll(e => e.Name == name) == 0) return;
        _bindings.RemoveAll(b => b.Source == name);
        RemoveBindings(b => !b.ToQueue && b.Destination == name);
    }

    private void RemoveQueue(string name)
    {
        _queues.RemoveAll(q => q.Name == name);
        _consumers.RemoveAll(c => c.Queue == name);
        RemoveBindings(b => b.ToQueue && b.Destination == name);
    }

    private void RemoveBindings(Predicate<ModelBinding> which)
    {
        string[] sources = [.. _bindings.FindAll(which).Select(b => b.Source).Distinct()];
        _bindings.RemoveAll(which);
        foreach (string source in sources)
        {
            if (_exchanges.Exists(e => e.Name == source && e.AutoDelete) && !_bindings.Exists(b => b.Source == source)) RemoveExchange(source);
        }
    }

    private static bool IsLocked(ModelQueue queue, int session) => queue.Owner is { } owner && owner != session;

    private static string Text(bool value) => value ? "true" : "false";

    private static void Attempt(Action action, string? refusal)
    {
        if (refusal is null) action();
        else Should.Throw<BrokerException>(action).Message.ShouldStartWith(refusal, Case.Sensitive);
    }

    private void CheckState()
    {
        VirtualHostTopology topology = _broker.Host.Topology;
        topology.Exchanges.Keys.Select(n => n.ToString()).Where(n => n.StartsWith('x')).Order().ShouldBe(_exchanges.Select(e => e.Name).Order());
        topology.Queues.Values.Select(Describe).Order().ShouldBe(_queues.Select(q => $"{q.Name} {q.IsDurable} {q.AutoDelete}").Order());
        string[] expected = [.. _bindings.Select(b => $"{b.Source} {b.Destination} {b.Key}").Order()];
        topology.BindingsBySource.Values.SelectMany(b => b).Select(Describe).Order().ShouldBe(expected);
        topology.BindingsByQueue.Values.Concat(topology.BindingsByExchange.Values).SelectMany(b => b).Select(Describe).Order().ShouldBe(expected);
        foreach (ModelExchange exchange in _exchanges)
        {
            foreach (string key in Keys) _broker.Route(exchange.Name, key).ShouldBe(Route(exchange.Name, key), $"from {exchange.Name} with '{key}'");
        }
    }

    private static string Describe(Queue queue) => $"{queue.NameText} {queue.Definition.IsDurable} {queue.Definition.IsAutoDelete}";

    private static string Describe(Binding binding) => $"{binding.Source} {binding.Destination.Name} {binding.RoutingKey}";

    private List<string> Route(string start, string key)
    {
        List<string> visited = [start];
        var queues = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < visited.Count; i++)
        {
            // No pattern is ever bound, so a topic exchange is a direct one.
            if (_exchanges.Find(e => e.Name == visited[i]) is not { } exchange) continue;
            List<ModelBinding> matching = _bindings.FindAll(b => b.Source == exchange.Name && (exchange.Type == "fanout" || b.Key == key));
            foreach (ModelBinding binding in matching)
            {
                if (binding.ToQueue) queues.Add(binding.Destination);
                else if (!visited.Contains(binding.Destination)) visited.Add(binding.Destination);
            }
            if (matching.Count == 0 && exchange.Alternate is { } alternate && !visited.Contains(alternate)) visited.Add(alternate);
        }
        return [.. queues];
    }

    private sealed record ModelExchange(string Name, string Type, bool AutoDelete, string? Alternate);

    private sealed record ModelQueue(string Name, bool WantsDurable, int? Owner, bool AutoDelete)
    {
        public bool IsDurable => WantsDurable && Owner is null;
    }

    private sealed record ModelBinding(string Source, string Destination, bool ToQueue, string Key);

    private sealed record ModelConsumer(string Queue, int Session, QueueConsumer Consumer);
}
