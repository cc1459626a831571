using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class CommandBatchTests
{
    // Queues 0 and 64 share a shard.
    private readonly Queue[] _queues = new TestQueues().Create(ShardSet.Count + 1);
    private readonly CommandBatch _batch = new();

    [Fact]
    public void Commands_to_one_queue_keep_their_order_over_any_number_of_batches()
    {
        FakeConsumer output = Consume(_queues[0]);
        Message[] messages = [.. Enumerable.Range(0, 1300).Select(_ => TestMessages.Create())];
        for (int i = 0; i < messages.Length; i++)
        {
            _batch.Add(Enqueue(_queues[0], messages[i]));
            _batch.Add(Enqueue(_queues[1 + i % 5], TestMessages.Create()));
        }
        _batch.Run();
        output.Deliveries.Select(d => d.Message).ShouldBe(messages);
        _queues[1..6].Sum(q => q.ReadyCount).ShouldBe(1300);
    }

    [Fact]
    public void Nothing_happens_before_the_batch_runs()
    {
        _batch.Add(Enqueue(_queues[0]));
        _queues[0].ReadyCount.ShouldBe(0);
        _batch.Run();
        _queues[0].ReadyCount.ShouldBe(1);
    }

    [Fact]
    public void A_question_is_answered_after_what_was_added_before_it()
    {
        _batch.Add(Enqueue(_queues[0]));
        _batch.Ask(new QueueCommand(QueueCommandKind.Purge, _queues[0])).MessageCount.ShouldBe(1);
    }

    [Fact]
    public void An_output_is_flushed_once_per_batch()
    {
        FakeConsumer output = Consume(_queues[0]);
        for (int i = 0; i < 300; i++) _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        output.Deliveries.Count.ShouldBe(300);
        output.FlushCount.ShouldBe(1);
        output.UnflushedCount.ShouldBe(0);
    }

    [Fact]
    public void What_another_session_delivers_during_a_flush_is_flushed_by_that_session()
    {
        var other = new CommandBatch();
        bool isFirst = true;
        void DeliverMore()
        {
            if (!isFirst) return;
            isFirst = false;
            other.Add(Enqueue(_queues[0]));
            other.Run();
        }
        FakeConsumer output = Consume(_queues[0], new FakeConsumer { OnFlush = DeliverMore });
        _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        output.Deliveries.Count.ShouldBe(2);
        output.UnflushedCount.ShouldBe(0);
    }

    [Fact]
    public void Deliveries_happen_under_the_lock_and_receipts_outside_of_it()
    {
        bool underLock = false;
        Consume(_queues[0], new FakeConsumer { OnDelivery = _ => underLock = _queues[0].Shard.Gate.IsHeldByCurrentThread });
        var sink = new LockWatchingSink(_queues[0].Shard);
        _batch.Add(Enqueue(_queues[0], receipt: new PublishReceipt(sink, 1)));
        _batch.Run();
        underLock.ShouldBeTrue();
        sink.CalledOutside.ShouldBe(true);
    }

    [Fact]
    public void A_consumer_that_has_room_again_already_goes_on_at_once()
    {
        var output = new FlutteringConsumer();
        var consumer = new QueueConsumer(_queues[0], output);
        _batch.Ask(new QueueCommand(QueueCommandKind.Consume, _queues[0], Consumer: consumer));
        _batch.Add(new QueueCommand(QueueCommandKind.Resume, _queues[0], Consumer: consumer));
        for (int i = 0; i < 50; i++) _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        output.Delivered.ShouldBe(50);
    }

    [Fact]
    public void A_consumer_whose_room_ends_within_a_large_backlog_is_not_flooded()
    {
        for (int i = 0; i < 2000; i++) _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        FakeConsumer output = Consume(_queues[0], new FakeConsumer { RoomLeft = 10 });
        output.AwaitsResume.ShouldBeTrue();
        output.Deliveries.Count.ShouldBeInRange(10, 10 + 128, "its room is looked at again after every 128 deliveries");
    }

    [Fact]
    public void A_session_learns_that_it_publishes_faster_than_is_consumed()
    {
        Consume(_queues[0], new FakeConsumer { RoomLeft = 0 });
        for (int i = 0; i < QueueMachine.BackedUpCount; i++) _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        _batch.BackedUp.ShouldBeNull();
        for (int i = 0; i < 10; i++) _batch.Add(Enqueue(_queues[0]));
        _batch.Run();
        _batch.BackedUp.ShouldBeSameAs(_queues[0]);
        var other = new CommandBatch();
        other.Add(Enqueue(_queues[64]));
        other.Run();
        other.BackedUp.ShouldBeNull("another session of the same shard has nothing to do with it");
    }

    [Fact]
    public void Running_one_by_one_or_together_makes_no_difference() =>
        Properties.ForAllSequences(Gen.Choose(0, 1 << 20), steps =>
        {
            Run(steps, together: true).ShouldBe(Run(steps, together: false));
        }, runs: 100, size: 200);

    [Fact]
    public void An_atomic_run_comes_after_what_was_added_before()
    {
        FakeConsumer output = Consume(_queues[0]);
        Message first = TestMessages.Create(), second = TestMessages.Create();
        _batch.Add(Enqueue(_queues[0], first));
        _batch.RunAtomically([Enqueue(_queues[0], second), Enqueue(_queues[1])]);
        output.Deliveries.Select(d => d.Message).ShouldBe([first, second]);
        _queues[1].ReadyCount.ShouldBe(1);
    }

    [Fact]
    public void An_atomic_run_may_be_larger_than_a_batch()
    {
        QueueCommand[] commands = [.. Enumerable.Range(0, 5000).Select(i => Enqueue(_queues[i % 64]))];
        _batch.RunAtomically(commands);
        _queues.Sum(q => q.ReadyCount).ShouldBe(5000);
    }

    [Fact]
    public void What_a_failed_batch_leaves_is_not_carried_out_by_the_next()
    {
        FakeConsumer output = Consume(_queues[0]);
        _batch.Add(Enqueue(_queues[0]));
        _batch.Add(new QueueCommand(QueueCommandKind.Settle, _queues[64], Delivery: new DeliveryId(99, 99)));
        Should.Throw<InvariantException>(_batch.Run);
        var next = new CommandBatch();
        next.Ask(new QueueCommand(QueueCommandKind.Purge, _queues[64]));
        output.Deliveries.ShouldBeEmpty();
    }

    [Fact]
    public void What_a_failed_question_leaves_is_not_carried_out_by_the_next()
    {
        var failing = new FailingConsumer();
        _batch.Ask(new QueueCommand(QueueCommandKind.Consume, _queues[0], Consumer: new QueueConsumer(_queues[0], failing)));
        Should.Throw<TimeoutException>(() => _batch.Ask(new QueueCommand(QueueCommandKind.Delete, _queues[0])));
        Should.NotThrow(() => new CommandBatch().Ask(new QueueCommand(QueueCommandKind.Purge, _queues[64])));
    }

    [Fact]
    public void What_was_delivered_is_flushed_even_when_another_shard_fails_in_the_same_batch()
    {
        FakeConsumer output = Consume(_queues[0]);
        _batch.Add(Enqueue(_queues[0]));
        _batch.Add(new QueueCommand(QueueCommandKind.Settle, _queues[1], Delivery: new DeliveryId(99, 99)));
        Should.Throw<InvariantException>(_batch.Run);
        var other = new CommandBatch(); // the failed session ends; the consumer's output lives on through others
        other.Add(Enqueue(_queues[0]));
        other.Run();
        output.Deliveries.Count.ShouldBe(2);
        output.UnflushedCount.ShouldBe(0);
    }

    [Fact]
    public void A_message_is_not_released_before_its_delivery_when_its_queue_ends_in_the_same_batch()
    {
        int references = -1;
        Consume(_queues[0], new FakeConsumer { OnDelivery = d => references = TestMessages.References(d.Message) });
        _batch.Add(Enqueue(_queues[0]));
        _batch.Add(new QueueCommand(QueueCommandKind.Delete, _queues[0]));
        _batch.Run();
        references.ShouldNotBe(0, "a consumer must not be handed a message that went back to the pool");
    }

    private FakeConsumer Consume(Queue queue, FakeConsumer? output = null)
    {
        output ??= new FakeConsumer();
        var consumer = new QueueConsumer(queue, output);
        _batch.Ask(new QueueCommand(QueueCommandKind.Consume, queue, Consumer: consumer));
        _batch.Add(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: consumer));
        _batch.Run();
        return output;
    }

    private static QueueCommand Enqueue(Queue queue, Message? message = null, PublishReceipt receipt = default) =>
        new(QueueCommandKind.Enqueue, queue, message ?? TestMessages.Create(), receipt);

    /// <summary>Publishes and settles in rounds of ten; who got what is the result.</summary>
    private static List<string> Run(int[] steps, bool together)
    {
        Queue[] queues = new TestQueues().Create(2);
        var batch = new CommandBatch();
        var log = new List<string>();
        var numbers = new Dictionary<Message, int>(ReferenceEqualityComparer.Instance);
        var unsettled = new List<Delivery>();
        foreach (int i in Enumerable.Range(0, 6))
        {
            void Log(Delivery d)
            {
                log.Add($"{i} gets {numbers[d.Message]} {d.IsRedelivered} of {d.Consumer.Queue.NameText}");
                unsettled.Add(d);
            }
            var consumer = new QueueConsumer(queues[i % 2], new FakeConsumer { OnDelivery = Log }) { PrefetchCount = i, Priority = i / 4 };
            batch.Ask(new QueueCommand(QueueCommandKind.Consume, consumer.Queue, Consumer: consumer));
            batch.Ask(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
        }
        foreach (int[] round in steps.Chunk(10))
        {
            Delivery[] known = [.. unsettled.OrderBy(d => numbers[d.Message])];
            var settled = new HashSet<Delivery>();
            foreach (int step in round)
            {
                Delivery chosen = known.Length == 0 ? default : known[step % known.Length];
                if (step % 2 == 0 || known.Length == 0 || !settled.Add(chosen))
                {
                    Message message = TestMessages.Create();
                    message.AddReferences(1); // or the pool would give it a second number
                    numbers.Add(message, numbers.Count);
                    batch.Add(Enqueue(queues[step / 2 % 2], message));
                }
                else
                {
                    unsettled.Remove(chosen);
                    batch.Add(new QueueCommand(
                        QueueCommandKind.Settle, chosen.Consumer.Queue, Delivery: chosen.Id, Outcome: (Outcome)(step / 2 % 3)));
                }
                if (!together) batch.Run();
            }
            batch.Run();
        }
        // Queues in different shards are independent: only the order within each counts.
        return [.. log.OrderBy(line => line[^2..], StringComparer.Ordinal)];
    }

    private sealed class LockWatchingSink(Shard shard) : IPublishSink
    {
        public bool? CalledOutside { get; private set; }

        public void OnSettled(ulong number, Outcome outcome) => CalledOutside = !shard.Gate.IsHeldByCurrentThread;
    }

    /// <summary>Is full whenever it is looked at for the second time, and has room as soon as it is asked to wait.</summary>
    private sealed class FlutteringConsumer : IConsumer
    {
        private int _looks;

        public int Delivered { get; private set; }

        public bool HasRoom => _looks++ % 2 == 0;

        public bool AwaitRoom()
        {
            _looks = 0;
            return false;
        }

        public void Deliver(ReadOnlySpan<Delivery> deliveries) => Delivered += deliveries.Length;

        public void Flush()
        {
        }

        public void OnOverdue(DeliveryId delivery, long timeoutMs)
        {
        }

        public void OnQueueDeleted()
        {
        }
    }

    private sealed class FailingConsumer : IConsumer
    {
        public bool HasRoom => true;

        public bool AwaitRoom() => false;

        public void Deliver(ReadOnlySpan<Delivery> deliveries) => throw new TimeoutException();

        public void Flush()
        {
        }

        public void OnOverdue(DeliveryId delivery, long timeoutMs)
        {
        }

        public void OnQueueDeleted() => throw new TimeoutException();
    }
}
