using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;

namespace Harrier.Broker.Tests.Queues;

/// <summary>How a model test gives commands to the real queue.</summary>
internal interface IQueueDriver
{
    /// <summary>Carries out the command with all that follows from it; the answer is of the command itself.</summary>
    QueueAnswer Apply(in QueueCommand command);
}

/// <summary>
/// A queue as a list of messages: does every step in itself and in the real queue, and checks each delivery as it happens and the whole state after
/// each step. It does not foretell who gets a message, it only knows who may not.
/// </summary>
internal sealed class QueueModel(Queue queue, IQueueDriver driver)
{
    private readonly List<ModelMessage> _messages = [];
    private readonly List<ModelConsumer> _consumers = [];
    private readonly FakeSink _sink = new();
    private int _receipts;
    private bool _isDeleted;

    private IEnumerable<ModelMessage> Ready => _messages.Where(m => m.State == MessageState.Ready);

    private List<ModelMessage> Unacked => [.. _messages.Where(m => m.State == MessageState.Unacked)];

    private List<ModelConsumer> Registered => [.. _consumers.Where(c => c.IsRegistered)];

    public void Run(QueueStep step)
    {
        foreach (ModelConsumer consumer in _consumers) consumer.FilledNow = false;
        switch (step.Action)
        {
            case QueueAction.Enqueue: Enqueue(step.A, withReceipt: step.B % 2 == 0); break;
            case QueueAction.Consume: Consume(step.A, step.B); break;
            case QueueAction.Resume: Resume(Pick(_consumers, step.A)); break;
            case QueueAction.Cancel: Cancel(Pick(_consumers, step.A)); break;
            case QueueAction.Get: Get(settled: step.B % 2 == 0); break;
            case QueueAction.Settle: Settle(Pick(Unacked, step.A), (Outcome)(step.B % 3)); break;
            case QueueAction.Purge: Purge(); break;
            case QueueAction.Delete: Delete((QueueCommandFlags)(step.A % 4 * (int)QueueCommandFlags.IfUnused)); break;
            case QueueAction.LoseRoom: LoseRoom(Pick(Registered, step.A), left: step.B % 3); break;
            case QueueAction.RegainRoom: RegainRoom(Pick(Registered, step.A)); break;
        }
        CheckState();
    }

    /// <summary>Empties the queue by hand, checking the order to the last message, ends it, and accounts for every reference.</summary>
    public void Finish()
    {
        foreach (ModelConsumer consumer in Registered) Cancel(consumer);
        foreach (ModelMessage message in Unacked) Settle(message, Outcome.Released);
        CheckState();
        while (!_isDeleted && Ready.Any())
        {
            Get(settled: true);
            CheckState();
        }
        Delete(QueueCommandFlags.None);
        CheckState();
        foreach (ModelMessage message in _messages) message.Message.Release();
    }

    private static T? Pick<T>(List<T> list, int index) where T : class => list.Count == 0 ? null : list[index % list.Count];

    private void Enqueue(int size, bool withReceipt)
    {
        // Every eighth is so large that a few of them fill the effects of the machine.
        Message message = TestMessages.Create(bodySize: size % 8 == 0 ? 70_000 : 10);
        message.AddReferences(1); // the model's own, so that the message cannot come back under another name
        _messages.Add(new ModelMessage(message) { State = _isDeleted ? MessageState.Gone : MessageState.Ready });
        PublishReceipt receipt = withReceipt ? new PublishReceipt(_sink, (ulong)_receipts++) : default;
        driver.Apply(new QueueCommand(QueueCommandKind.Enqueue, queue, message, receipt));
    }

    private void Consume(int a, int b)
    {
        var model = new ModelConsumer();
        var output = new FakeConsumer { OnDelivery = delivery => OnDelivery(model, delivery) };
        model.Output = output;
        model.Consumer = new QueueConsumer(queue, output)
        {
            PrefetchCount = a % 4, NoAck = a % 5 == 0, IsExclusive = a % 11 == 0, Priority = b % 3 - 1,
        };
        bool refused = Registered.Count > 0 && (model.Consumer.IsExclusive || Registered[0].Consumer.IsExclusive);
        QueueAnswerStatus expected = _isDeleted ? QueueAnswerStatus.Deleted : refused ? QueueAnswerStatus.ExclusiveUse : QueueAnswerStatus.Done;
        _consumers.Add(model);
        model.IsRegistered = expected == QueueAnswerStatus.Done;
        driver.Apply(new QueueCommand(QueueCommandKind.Consume, queue, Consumer: model.Consumer)).Status.ShouldBe(expected);
        if (b % 4 != 0) Resume(model);
    }

    private void Resume(ModelConsumer? model)
    {
        if (model is null || model.Output.AwaitsResume) return; // its output resumes it, nobody else
        model.IsResumed = model.IsRegistered;
        driver.Apply(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: model.Consumer));
    }

    private void Cancel(ModelConsumer? model)
    {
        if (model is null) return;
        bool ends = !_isDeleted && model.IsRegistered && Registered.Count == 1 && queue.Definition.IsAutoDelete;
        model.IsRegistered = false;
        QueueAnswer answer = driver.Apply(new QueueCommand(QueueCommandKind.Cancel, queue, Consumer: model.Consumer));
        answer.HasEnded.ShouldBe(ends);
        if (ends) End();
    }

    private void Get(bool settled)
    {
        ModelMessage? first = Ready.FirstOrDefault();
        QueueAnswer answer = driver.Apply(new QueueCommand(
            QueueCommandKind.Get, queue, Flags: settled ? QueueCommandFlags.Settled : QueueCommandFlags.None));
        if (_isDeleted || first is null)
        {
            answer.Status.ShouldBe(_isDeleted ? QueueAnswerStatus.Deleted : QueueAnswerStatus.Empty);
            return;
        }
        answer.Status.ShouldBe(QueueAnswerStatus.Done);
        answer.Message.ShouldBeSameAs(first.Message);
        answer.IsRedelivered.ShouldBe(first.WasReturned);
        answer.Message!.Release();
        first.State = settled ? MessageState.Gone : MessageState.Unacked;
        first.Id = answer.Delivery;
        answer.MessageCount.ShouldBe(Ready.Count());
    }

    private void Settle(ModelMessage? message, Outcome outcome)
    {
        if (message is null) return;
        message.State = outcome == Outcome.Released ? MessageState.Ready : MessageState.Gone;
        message.WasReturned = true;
        message.Holder = null;
        driver.Apply(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: message.Id, Outcome: outcome));
    }

    private void Purge()
    {
        int ready = Ready.Count();
        foreach (ModelMessage message in Ready) message.State = MessageState.Gone;
        QueueAnswer answer = driver.Apply(new QueueCommand(QueueCommandKind.Purge, queue));
        answer.Status.ShouldBe(_isDeleted ? QueueAnswerStatus.Deleted : QueueAnswerStatus.Done);
        answer.MessageCount.ShouldBe(ready);
    }

    private void Delete(QueueCommandFlags flags)
    {
        int ready = Ready.Count();
        QueueAnswerStatus expected = QueueAnswerStatus.Done;
        if (_isDeleted) expected = QueueAnswerStatus.Deleted;
        else if (flags.HasFlag(QueueCommandFlags.IfUnused) && Registered.Count > 0) expected = QueueAnswerStatus.InUse;
        else if (flags.HasFlag(QueueCommandFlags.IfEmpty) && ready > 0) expected = QueueAnswerStatus.NotEmpty;
        QueueAnswer answer = driver.Apply(new QueueCommand(QueueCommandKind.Delete, queue, Flags: flags));
        answer.Status.ShouldBe(expected);
        if (expected != QueueAnswerStatus.Done) return;
        answer.MessageCount.ShouldBe(ready);
        foreach (ModelConsumer consumer in Registered)
        {
            consumer.Output.LostItsQueue.ShouldBeTrue("a consumer hears of the end of its queue");
            consumer.IsRegistered = false;
        }
        End();
    }

    private void End()
    {
        _isDeleted = true;
        foreach (ModelMessage message in _messages)
        {
            message.State = MessageState.Gone;
            message.Holder = null;
        }
    }

    private void LoseRoom(ModelConsumer? model, int left)
    {
        if (model is null || !model.Output.HasRoom) return;
        model.Output.RoomLeft = left;
        model.Overtakers.Clear();
    }

    private void RegainRoom(ModelConsumer? model)
    {
        if (model is null) return;
        model.Output.RoomLeft = null;
        if (!model.Output.AwaitsResume) return;
        model.Output.AwaitsResume = false;
        driver.Apply(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: model.Consumer));
    }

    private void OnDelivery(ModelConsumer model, Delivery delivery)
    {
        ModelMessage message = Ready.First();
        delivery.Message.ShouldBeSameAs(message.Message, "the first ready message goes first");
        delivery.Consumer.ShouldBeSameAs(model.Consumer);
        delivery.IsRedelivered.ShouldBe(message.WasReturned, "only what was returned is marked as redelivered");
        delivery.IsSettled.ShouldBe(model.Consumer.NoAck);
        CheckTurn(model);

        message.State = delivery.IsSettled ? MessageState.Gone : MessageState.Unacked;
        message.Id = delivery.Id;
        if (!delivery.IsSettled) message.Holder = model;
        model.FilledNow |= model.Output.RoomLeft == 1;
    }

    private void CheckTurn(ModelConsumer model)
    {
        MayTake(model, ignoreRoom: model.FilledNow).ShouldBeTrue("only an active consumer with credit gets a message");
        foreach (ModelConsumer other in _consumers)
        {
            if (other == model) continue;
            if (!MayTake(other, ignoreRoom: false))
            {
                other.Overtakers.Clear();
                continue;
            }
            other.Consumer.Priority.ShouldBeLessThanOrEqualTo(model.Consumer.Priority, "a higher priority is served first");
            if (other.Consumer.Priority == model.Consumer.Priority)
                other.Overtakers.Add(model).ShouldBeTrue("nobody is served twice while another of the same priority waits");
        }
        model.Overtakers.Clear();
    }

    private bool MayTake(ModelConsumer model, bool ignoreRoom) =>
        model.IsRegistered && model.IsResumed && !model.Output.AwaitsResume && (model.Output.HasRoom || ignoreRoom)
        && (model.Consumer.PrefetchCount == 0 || HeldBy(model) < model.Consumer.PrefetchCount);

    private int HeldBy(ModelConsumer model) => _messages.Count(m => m.Holder == model);

    private void CheckState()
    {
        queue.IsDeleted.ShouldBe(_isDeleted);
        queue.ReadyCount.ShouldBe(Ready.Count());
        queue.UnackedCount.ShouldBe(Unacked.Count);
        queue.ConsumerCount.ShouldBe(Registered.Count);
        foreach (ModelConsumer consumer in _consumers)
        {
            if (!_isDeleted) consumer.Consumer.UnackedCount.ShouldBe(HeldBy(consumer));
            if (consumer.Consumer.PrefetchCount > 0) HeldBy(consumer).ShouldBeLessThanOrEqualTo(consumer.Consumer.PrefetchCount);
            consumer.Output.UnflushedCount.ShouldBe(0, "what was delivered is flushed");
        }
        if (Ready.Any()) _consumers.ShouldNotContain(c => MayTake(c, false), "no message waits beside a consumer that could take it");
        foreach (ModelMessage message in _messages)
        {
            int expected = message.State == MessageState.Gone ? 1 : 2;
            TestMessages.References(message.Message).ShouldBe(expected, "the queue holds one reference to what it has and none to what it had");
        }
        _sink.Settled.Select(s => (int)s.Number).ShouldBe(Enumerable.Range(0, _receipts), "every publication is answered, once and in order");
    }

    private enum MessageState
    {
        Ready,
        Unacked,
        Gone,
    }

    private sealed class ModelMessage(Message message)
    {
        public Message Message { get; } = message;
        public MessageState State { get; set; }
        public bool WasReturned { get; set; }
        public ModelConsumer? Holder { get; set; }
        public DeliveryId Id { get; set; }
    }

    private sealed class ModelConsumer
    {
        public QueueConsumer Consumer { get; set; } = null!;
        public FakeConsumer Output { get; set; } = null!;
        public bool IsRegistered { get; set; }
        public bool IsResumed { get; set; }

        /// <summary>Its room ended in this step; the machine may have decided on deliveries before it saw that.</summary>
        public bool FilledNow { get; set; }

        /// <summary>Who was served while this one waited for its turn.</summary>
        public HashSet<ModelConsumer> Overtakers { get; } = [];
    }
}

internal enum QueueAction
{
    Enqueue,
    Consume,
    Resume,
    Cancel,
    Get,
    Settle,
    Purge,
    Delete,
    LoseRoom,
    RegainRoom,
}

/// <summary>A step of a model test. What the numbers mean is the action's affair; any numbers are valid.</summary>
internal readonly record struct QueueStep(QueueAction Action, int A, int B);
