using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

/// <summary>Scenes in the life of one queue, for what the model test cannot see or where a name helps.</summary>
public class QueueMachineTests
{
    private readonly Queue _queue = new TestQueues().Create();
    private readonly BareDriver _driver = new();

    [Fact]
    public void A_consumer_gets_nothing_before_its_first_resume()
    {
        (QueueConsumer consumer, FakeConsumer output) = Consume(resume: false);
        Enqueue(1);
        output.Deliveries.ShouldBeEmpty();
        Apply(QueueCommandKind.Resume, consumer);
        output.Deliveries.Count.ShouldBe(1);
    }

    [Fact]
    public void Prefetch_is_refilled_by_settlement_only()
    {
        (_, FakeConsumer output) = Consume(prefetch: 2);
        Enqueue(5);
        output.Deliveries.Count.ShouldBe(2);
        Settle(output.Deliveries[1], Outcome.Accepted);
        output.Deliveries.Count.ShouldBe(3);
        _queue.UnackedCount.ShouldBe(2);
    }

    [Fact]
    public void Released_messages_come_again_in_their_order_and_before_newer_ones()
    {
        (QueueConsumer consumer, FakeConsumer output) = Consume(prefetch: 3);
        Message[] messages = Enqueue(5);
        Apply(QueueCommandKind.Cancel, consumer);
        foreach (int i in new[] { 2, 0, 1 }) Settle(output.Deliveries[i], Outcome.Released);
        (_, FakeConsumer second) = Consume();
        second.Deliveries.Select(d => d.Message).ShouldBe(messages);
        second.Deliveries.Select(d => d.IsRedelivered).ShouldBe([true, true, true, false, false]);
    }

    [Fact]
    public void What_a_cancelled_consumer_holds_can_still_be_settled()
    {
        (QueueConsumer consumer, FakeConsumer output) = Consume();
        Enqueue(2);
        Apply(QueueCommandKind.Cancel, consumer);
        _queue.UnackedCount.ShouldBe(2);
        Settle(output.Deliveries[0], Outcome.Accepted);
        Settle(output.Deliveries[1], Outcome.Released);
        (_queue.ReadyCount, _queue.UnackedCount).ShouldBe((1, 0));
        output.Deliveries.Count.ShouldBe(2);
    }

    [Fact]
    public void Settling_twice_settles_once()
    {
        (_, FakeConsumer output) = Consume();
        Enqueue(1);
        Settle(output.Deliveries[0], Outcome.Accepted);
        Enqueue(1);
        Settle(output.Deliveries[0], Outcome.Accepted);
        (_queue.ReadyCount, _queue.UnackedCount).ShouldBe((0, 1), "the slot is another delivery's now");
    }

    [Fact]
    public void An_exclusive_consumer_tolerates_no_other_and_comes_after_none()
    {
        (QueueConsumer first, _) = Consume();
        Apply(QueueCommandKind.Consume, New(exclusive: true)).Status.ShouldBe(QueueAnswerStatus.ExclusiveUse);
        Apply(QueueCommandKind.Cancel, first);
        QueueConsumer exclusive = New(exclusive: true);
        Apply(QueueCommandKind.Consume, exclusive).Status.ShouldBe(QueueAnswerStatus.Done);
        Apply(QueueCommandKind.Consume, New()).Status.ShouldBe(QueueAnswerStatus.ExclusiveUse);
        Apply(QueueCommandKind.Cancel, exclusive);
        Apply(QueueCommandKind.Consume, New()).Status.ShouldBe(QueueAnswerStatus.Done);
    }

    [Fact]
    public void An_auto_delete_queue_outlives_gets_and_ends_with_its_last_consumer()
    {
        Queue queue = new TestQueues().Create(autoDelete: true);
        _driver.Apply(new QueueCommand(QueueCommandKind.Get, queue)).Status.ShouldBe(QueueAnswerStatus.Empty);
        queue.IsDeleted.ShouldBeFalse();
        QueueConsumer a = new(queue, new FakeConsumer()), b = new(queue, new FakeConsumer());
        foreach (QueueConsumer consumer in new[] { a, b }) _driver.Apply(new QueueCommand(QueueCommandKind.Consume, queue, Consumer: consumer));
        _driver.Apply(new QueueCommand(QueueCommandKind.Cancel, queue, Consumer: a)).HasEnded.ShouldBeFalse();
        _driver.Apply(new QueueCommand(QueueCommandKind.Cancel, queue, Consumer: b)).HasEnded.ShouldBeTrue();
        queue.IsDeleted.ShouldBeTrue();
    }

    [Fact]
    public void A_queue_that_has_ended_still_confirms_what_was_routed_to_it()
    {
        var sink = new FakeSink();
        _driver.Apply(new QueueCommand(QueueCommandKind.Delete, _queue));
        _driver.Apply(new QueueCommand(QueueCommandKind.Enqueue, _queue, TestMessages.Create(), new PublishReceipt(sink, 7)));
        sink.Settled.ShouldBe([(7UL, Outcome.Accepted)]);
    }

    [Fact]
    public void If_unused_is_looked_at_before_if_empty()
    {
        Consume(resume: false);
        Enqueue(1);
        QueueCommandFlags both = QueueCommandFlags.IfUnused | QueueCommandFlags.IfEmpty;
        _driver.Apply(new QueueCommand(QueueCommandKind.Delete, _queue, Flags: both)).Status.ShouldBe(QueueAnswerStatus.InUse);
    }

    [Fact]
    public void If_empty_does_not_mind_unacked_messages()
    {
        Enqueue(1);
        _driver.Apply(new QueueCommand(QueueCommandKind.Get, _queue)).Message!.Release();
        QueueAnswer answer = _driver.Apply(new QueueCommand(QueueCommandKind.Delete, _queue, Flags: QueueCommandFlags.IfEmpty));
        answer.Status.ShouldBe(QueueAnswerStatus.Done);
    }

    [Fact]
    public void The_turn_of_a_consumer_is_not_lost_when_no_more_deliveries_fit()
    {
        FakeConsumer[] outputs = [.. Enumerable.Range(0, 3).Select(_ => Consume().Output)];
        var effects = new QueueEffects();
        // 128 deliveries fit, and 128 is no multiple of three.
        for (int i = 0; i < 300; i++) _queue.Machine.Apply(new QueueCommand(QueueCommandKind.Enqueue, _queue, TestMessages.Create()), effects);
        var served = new List<QueueConsumer>();
        while (effects.Deliveries.Length > 0)
        {
            foreach (Delivery delivery in effects.Deliveries) served.Add(delivery.Consumer);
            effects.ClearDeliveries();
            _queue.Machine.Apply(new QueueCommand(QueueCommandKind.Continue, _queue), effects);
        }
        served.Count.ShouldBe(300);
        served.Chunk(3).ShouldAllBe(round => round.Distinct().Count() == 3, "three consumers take turns all the way");
        GC.KeepAlive(outputs);
    }

    [Fact]
    public void A_queue_is_backed_up_while_its_consumers_are_far_behind()
    {
        Enqueue(QueueMachine.BackedUpCount + 1);
        _queue.IsBackedUp.ShouldBeFalse("nobody consumes");
        (QueueConsumer consumer, FakeConsumer output) = Consume(prefetch: 1);
        _queue.IsBackedUp.ShouldBeFalse("the limit itself is tolerated");
        Enqueue(1);
        _queue.IsBackedUp.ShouldBeTrue();
        Settle(output.Deliveries[0], Outcome.Accepted);
        _queue.IsBackedUp.ShouldBeFalse();
        Enqueue(1);
        Apply(QueueCommandKind.Cancel, consumer);
        _queue.IsBackedUp.ShouldBeFalse();
    }

    [Fact]
    public void A_message_that_was_got_outlives_its_queue_until_the_asker_lets_go()
    {
        Enqueue(1);
        QueueAnswer answer = _driver.Apply(new QueueCommand(QueueCommandKind.Get, _queue));
        _driver.Apply(new QueueCommand(QueueCommandKind.Delete, _queue));
        TestMessages.References(answer.Message!).ShouldBe(1);
        answer.Message!.Release();
    }

    private (QueueConsumer Consumer, FakeConsumer Output) Consume(int prefetch = 0, bool resume = true)
    {
        QueueConsumer consumer = New(prefetch);
        Apply(QueueCommandKind.Consume, consumer).Status.ShouldBe(QueueAnswerStatus.Done);
        if (resume) Apply(QueueCommandKind.Resume, consumer);
        return (consumer, (FakeConsumer)consumer.Output);
    }

    private QueueConsumer New(int prefetch = 0, bool exclusive = false) =>
        new(_queue, new FakeConsumer()) { PrefetchCount = prefetch, IsExclusive = exclusive };

    private QueueAnswer Apply(QueueCommandKind kind, QueueConsumer consumer) => _driver.Apply(new QueueCommand(kind, _queue, Consumer: consumer));

    private Message[] Enqueue(int count)
    {
        Message[] messages = [.. Enumerable.Range(0, count).Select(_ => TestMessages.Create())];
        foreach (Message message in messages) _driver.Apply(new QueueCommand(QueueCommandKind.Enqueue, _queue, message));
        return messages;
    }

    private void Settle(Delivery delivery, Outcome outcome) =>
        _driver.Apply(new QueueCommand(QueueCommandKind.Settle, _queue, Delivery: delivery.Id, Outcome: outcome));
}
