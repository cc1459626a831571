using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Simulation.Accounts;
using Shouldly;

namespace Harrier.Simulation.Running;

/// <content>What publishers and consumers do.</content>
internal sealed partial class Workload
{
    private const int ManyCount = 300;

    private void Publish()
    {
        ClientSession session = Pick(_sessions);
        Step(session, () =>
        {
            for (int count = _random.Next(4) == 0 ? _random.Next(1, 5) : 1; count > 0; count--)
                foreach (QueueCommand command in Route(NewSize())) session.Commands.Add(in command);
            session.Commands.Run();
        });
    }

    private void PublishMany()
    {
        ClientSession session = Pick(_sessions);
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        bool isPersistent = _random.Next(2) == 0;
        Step(session, () =>
        {
            for (int i = 0; i < ManyCount; i++)
            {
                SimulatedMessage message = Create("", queue.Queue.NameText, _random.Next(40), isPersistent);
                _account.Expect(queue, message);
                session.Commands.Add(new QueueCommand(QueueCommandKind.Enqueue, queue.Queue, message.Rent()));
            }
            session.Commands.Run();
        });
    }

    private SimulatedMessage Create(string exchange, string routingKey, int bodySize, bool isPersistent)
    {
        byte key = (byte)(_random.Next(3) == 0 ? _random.Next(1, 12) : 0);
        SimulatedMessage message = _account.CreateMessage(exchange, routingKey, bodySize, isPersistent, key);
        long nowMs = _broker.NowMs, expiresAtMs = _random.Next(4) > 0 ? 0 : nowMs + _random.Next(_random.Next(3) == 0 ? 20 : 4000);
        return _account.Refine(message, nowMs, expiresAtMs, _random.Next(2) == 0 ? null : (byte)_random.Next(6));
    }

    private int NewSize() => _random.Next(20) switch
    {
        < 4 => 0,
        < 10 => _random.Next(100),
        < 14 => _random.Next(400, 700),
        < 19 => _random.Next(3000),
        _ => (int)(_largeSize * (0.2 + 1.3 * _random.NextDouble())),
    };

    /// <summary>A message to wherever an exchange sends it.</summary>
    private List<QueueCommand> Route(int bodySize)
    {
        VirtualHostTopology topology = _broker.Host.Topology;
        Exchange[] exchanges = [.. topology.Exchanges.Values.Where(e => !e.Name.IsReserved && !e.IsInternal).OrderBy(e => e.Name)];
        Exchange exchange = _random.Next(2) == 0 ? topology.Exchanges[""] : Pick(exchanges);
        string key = exchange.Name.IsEmpty ? $"q{_random.Next(QueueNames)}" : $"k{_random.Next(3)}";
        SimulatedMessage published = Create(exchange.Name.ToString(), key, bodySize, isPersistent: _random.Next(4) > 0);
        Message message = published.Rent();
        var routes = new RouteSet(1);
        Router.Route(topology, exchange, message, routes);
        List<QueueCommand> commands = [];
        foreach (Queue queue in routes.Queues.OrderBy(q => q.Id.Value))
        {
            _account.Expect(_account.Of(queue), published);
            message.AddReferences(1);
            commands.Add(new QueueCommand(QueueCommandKind.Enqueue, queue, message));
        }
        message.Release();
        return commands;
    }

    private void Get()
    {
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        bool isSettled = _random.Next(3) == 0;
        ClientSession session = Pick(_sessions);
        Step(session, () =>
        {
            var command = new QueueCommand(QueueCommandKind.Get, queue.Queue, Flags: isSettled ? QueueCommandFlags.Settled : QueueCommandFlags.None);
            QueueAnswer answer = session.Commands.Ask(in command);
            if (answer.Status == QueueAnswerStatus.OnDisk) _broker.LoadCount.ShouldBeGreaterThan(0, "a message that is on disk is being read");
            else Take(queue, in answer, isSettled);
        });
    }

    private void Take(QueueAccount queue, in QueueAnswer answer, bool isSettled)
    {
        if (answer.Status == QueueAnswerStatus.Empty)
        {
            queue.PassAllOver();
            return;
        }
        Placement placement = _account.Delivered(queue, answer.Message!, answer.Sequence, answer.IsRedelivered, isSettled);
        answer.MessageCount.ShouldBe(queue.Queue.ReadyCount);
        answer.Message!.Release();
        if (!isSettled) _unacked.Add(new Unacked(queue, placement, answer.Delivery));
    }

    private void DrainOne()
    {
        if (TryPick(_account.Queues, out QueueAccount queue)) Drain(queue);
    }

    private void Drain(QueueAccount queue)
    {
        if (queue.Queue.ConsumerCount > 0) return; // what is read for others goes to others
        while (queue.Ready.Count > 0)
        {
            // Each reading is a step of its own, for it may deliver to consumers of other queues.
            if (_broker.LoadCount > 0) Step(_sessions[0], () => _broker.RunLoad(0));
            else
            {
                Step(_sessions[0], () =>
                {
                    QueueAnswer answer = _sessions[0].Commands.Ask(new QueueCommand(QueueCommandKind.Get, queue.Queue, Flags: QueueCommandFlags.Settled));
                    if (answer.Status != QueueAnswerStatus.OnDisk) Take(queue, in answer, isSettled: true);
                    else _broker.LoadCount.ShouldBeGreaterThan(0, "a message that is on disk is being read");
                });
            }
        }
    }

    private void Consume()
    {
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        var output = new SimulatedConsumer(OnDelivery, OnOverdue) { RoomLeft = _random.Next(3) == 0 ? _random.Next(4) : -1 };
        var consumer = new QueueConsumer(queue.Queue, output) { PrefetchCount = _random.Next(3) == 0 ? 0 : _random.Next(1, 6), NoAck = _random.Next(4) == 0 };
        ClientSession session = Pick(_sessions);
        Step(session, () =>
        {
            session.Consume(consumer);
            _consumers.Add(consumer);
            session.Commands.Add(new QueueCommand(QueueCommandKind.Resume, queue.Queue, Consumer: consumer));
            session.Commands.Run();
        });
    }

    private void OnDelivery(Delivery delivery)
    {
        QueueAccount queue = _account.Of(delivery.Consumer.Queue);
        CommitMeanwhile();
        Placement placement = _account.Delivered(queue, delivery.Message, delivery.Sequence, delivery.IsRedelivered, delivery.IsSettled);
        if (!delivery.IsSettled) _unacked.Add(new Unacked(queue, placement, delivery.Id, (SimulatedConsumer)delivery.Consumer.Output));
    }

    private void OnOverdue(SimulatedConsumer consumer, DeliveryId id)
    {
        Unacked? overdue = _unacked.Find(u => u.Id == id && u.Consumer == consumer);
        overdue.ShouldNotBeNull("what is overdue is somebody's");
        _unacked.Remove(overdue);
        _account.Returned(overdue.Placement, isFailure: true);
    }

    private void Cancel()
    {
        if (!TryPick(_consumers, out QueueConsumer consumer)) return;
        ClientSession session = Pick(_sessions);
        _consumers.Remove(consumer);
        Step(session, () => session.Cancel(consumer));
    }

    private void Resume()
    {
        if (!TryPick([.. _consumers.Where(c => ((SimulatedConsumer)c.Output).AwaitsResume)], out QueueConsumer consumer)) return;
        var output = (SimulatedConsumer)consumer.Output;
        output.RoomLeft = _random.Next(-1, 5);
        if (!output.HasRoom) return;
        output.AwaitsResume = false;
        Step(_sessions[0], () =>
        {
            _sessions[0].Commands.Add(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
            _sessions[0].Commands.Run();
        });
    }

    private void SettleOne() => Settle(1);

    private void SettleMany() => Settle(_random.Next(1, 20));

    private void Settle(int count)
    {
        ClientSession session = Pick(_sessions);
        Step(session, () =>
        {
            for (; count > 0 && TryPick(_unacked, out Unacked unacked); count--)
            {
                session.Commands.Add(End(unacked, _random.Next(5) switch { 0 => Outcome.Released, 1 => Outcome.Rejected, 2 => Outcome.Failed, _ => Outcome.Accepted }));
                session.Commands.Run();
            }
        });
    }

    private QueueCommand End(Unacked unacked, Outcome outcome)
    {
        _unacked.Remove(unacked);
        if (outcome == Outcome.Accepted) _account.Settled(unacked.Placement);
        else if (outcome == Outcome.Rejected) _account.Rejected(unacked.Placement);
        else _account.Returned(unacked.Placement, outcome == Outcome.Failed);
        return new QueueCommand(QueueCommandKind.Settle, unacked.Queue.Queue, Delivery: unacked.Id, Outcome: outcome);
    }

    private void RunTransaction()
    {
        ClientSession session = Pick(_sessions);
        bool isGroup = true;
        Step(session, () =>
        {
            List<QueueCommand> commands = [];
            for (int count = _random.Next(4); count > 0; count--) commands.AddRange(Route(Math.Min(NewSize(), 5000)));
            for (int count = _random.Next(4); count > 0 && TryPick(_unacked, out Unacked unacked); count--) commands.Add(End(unacked, Outcome.Accepted));
            isGroup = session.Commands.RunAtomically(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(commands));
            if (isGroup) return;
            foreach (QueueCommand command in commands) session.Commands.Add(in command); // it was refused as a whole, and the client does it step by step
            session.Commands.Run();
        }, () => isGroup);
    }

    private void Purge()
    {
        if (!TryPick(_account.Queues, out QueueAccount queue)) return;
        ClientSession session = Pick(_sessions);
        Step(session, () => session.Purge(queue.Queue.Name).ShouldBe(_account.Purged(queue)));
    }
}
