using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Simulation.Accounts;

namespace Harrier.Simulation.Running;

/// <content>What clients do to queues, exchanges and bindings.</content>
internal sealed partial class Workload
{
    private const int QueueNames = 5;
    private const int ExchangeNames = 3;

    private static readonly string[] ExchangeTypes = ["direct", "fanout", "topic"];

    private void DeclareQueue()
    {
        ClientSession session = Pick(_sessions);
        // Two queues of one shard share what they log; numbers that far apart are the way to have them.
        if (_random.Next(3) == 0) _broker.Storage.Queues.LastId += ShardSet.Count - 1;
        Step(session, () => Refusable(() =>
        {
            int number = _random.Next(QueueNames);
            ArgumentTable arguments = QueueDraft.Draw(_random, number, QueueNames, out bool isQuorum);
            bool isDurable = isQuorum || _random.Next(4) > 0, isAutoDelete = !isQuorum && _random.Next(5) == 0;
            Queue queue = session.DeclareQueue($"q{number}", isDurable, exclusive: false, isAutoDelete, arguments);
            bool isNew = !_account.Queues.Exists(q => q.Queue == queue);
            QueueAccount account = _account.Declared(queue);
            if (isNew && account.IsDurable) account.DeclaredAt = TicketSpan.At(_broker.Host.Ticket);
        }));
    }

    private void DeleteQueue()
    {
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        ClientSession session = Pick(_sessions);
        Step(session, () => Refusable(() => session.DeleteQueue(queue.Queue.Name, _random.Next(2) == 0, _random.Next(2) == 0)));
    }

    private void Configure()
    {
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        ClientSession session = Pick(_sessions);
        QueueSettings settings = QueueDraft.Change(_random, queue.Queue.Settings);
        Step(session, () => session.Commands.Ask(new QueueCommand(QueueCommandKind.Configure, queue.Queue, Settings: settings)));
    }

    private void ChangeExchange()
    {
        ClientSession session = Pick(_sessions);
        string name = $"x{_random.Next(ExchangeNames)}";
        Step(session, () => Refusable(() =>
        {
            if (_random.Next(4) == 0) session.DeleteExchange(name, ifUnused: _random.Next(2) == 0);
            else session.DeclareExchange(name, Pick(ExchangeTypes), _random.Next(4) > 0, autoDelete: _random.Next(6) == 0, isInternal: false, ArgumentTable.Empty);
        }));
    }

    private void ChangeBinding()
    {
        ClientSession session = Pick(_sessions);
        string source = _random.Next(4) == 0 ? "amq.fanout" : $"x{_random.Next(ExchangeNames)}", key = $"k{_random.Next(3)}";
        bool toQueue = _random.Next(5) > 0;
        string destination = toQueue ? $"q{_random.Next(QueueNames)}" : $"x{_random.Next(ExchangeNames)}";
        if (IsForgotten(source, destination, toQueue)) return;
        Step(session, () => Refusable(() =>
        {
            if (_random.Next(4) == 0) session.Unbind(source, destination, toQueue, key, ArgumentTable.Empty);
            else session.Bind(source, destination, toQueue, key, ArgumentTable.Empty);
        }));
    }

    // A durable auto-delete exchange that outlives a stop and loses a binding that does not is in doubt: nobody says when its last binding went.
    private bool IsForgotten(string source, string destination, bool toQueue)
    {
        VirtualHostTopology topology = _broker.Host.Topology;
        if (!topology.Exchanges.TryGetValue(source, out Exchange? exchange) || !exchange.IsAutoDelete || !exchange.IsDurable) return false;
        return !toQueue || (topology.Queues.TryGetValue(destination, out Queue? queue) && !queue.Definition.IsDurable);
    }
}
