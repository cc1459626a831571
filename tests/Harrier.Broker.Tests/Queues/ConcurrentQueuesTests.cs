using System.Collections.Concurrent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

/// <summary>Several sessions at once. What is counted holds whatever the order in which threads run.</summary>
public class ConcurrentQueuesTests
{
    private const int Sessions = 4;
    private const int Steps = 8_000;

    // Only a deadlock takes this long.
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task No_message_is_lost_or_settled_twice()
    {
        Queue[] queues = new TestQueues().Create(6);
        Session[] sessions = [.. Enumerable.Range(0, Sessions).Select(i => new Session(queues, seed: i))];
        await Task.WhenAll(sessions.Select(s => Task.Run(s.Work))).WaitAsync(TimeMax);
        foreach (Session session in sessions) session.Finish();

        queues.ShouldAllBe(q => q.UnackedCount == 0 && q.ConsumerCount == 0);
        int drained = queues.Sum(Drain);
        Message[] messages = [.. sessions.SelectMany(s => s.Published)];
        (sessions.Sum(s => s.DoneWith) + drained).ShouldBe(messages.Length);
        messages.ShouldAllBe(m => TestMessages.References(m) == 1);
        sessions.SelectMany(s => s.Consumers).ShouldAllBe(c => !c.HasUnflushed);
        sessions.ShouldAllBe(s => s.ConfirmedCount == s.Published.Count);
    }

    [Fact]
    public async Task Nobody_sees_a_part_of_an_atomic_run()
    {
        Queue[] queues = new TestQueues().Create(3);
        bool done = false;
        Task[] writers = [.. Enumerable.Range(0, 3).Select(w => Task.Run(() =>
        {
            var batch = new CommandBatch();
            for (int i = 0; i < 3_000; i++)
            {
                // Each writer names the queues in another order: the locks must not be taken in it.
                batch.RunAtomically([.. Enumerable.Range(w, 3).Select(q => new QueueCommand(QueueCommandKind.Enqueue, queues[q % 3], TestMessages.Create()))]);
            }
        }))];
        Task<int> observer = Task.Run(() =>
        {
            int torn = 0;
            while (!Volatile.Read(ref done))
            {
                lock (queues[0].Shard.Gate)
                lock (queues[1].Shard.Gate)
                lock (queues[2].Shard.Gate)
                {
                    if (queues[0].ReadyCount != queues[1].ReadyCount || queues[1].ReadyCount != queues[2].ReadyCount) torn++;
                }
            }
            return torn;
        });
        try
        {
            await Task.WhenAll(writers).WaitAsync(TimeMax);
        }
        finally
        {
            Volatile.Write(ref done, true);
        }
        (await observer).ShouldBe(0);
        queues.ShouldAllBe(q => q.ReadyCount == 9_000);
    }

    private static int Drain(Queue queue)
    {
        var batch = new CommandBatch();
        int count = 0;
        while (true)
        {
            QueueAnswer answer = batch.Ask(new QueueCommand(QueueCommandKind.Get, queue, Flags: QueueCommandFlags.Settled));
            if (answer.Status == QueueAnswerStatus.Empty) return count;
            answer.Message!.Release();
            count++;
        }
    }

    /// <summary>A client that publishes, consumes, settles, gets and cancels at random, on its own thread.</summary>
    private sealed class Session(Queue[] queues, int seed) : IPublishSink
    {
        private readonly Random _random = new(seed);
        private readonly CommandBatch _batch = new();
        private readonly List<(Queue Queue, DeliveryId Id)> _unacked = [];
        private int _confirmed;

        public List<Message> Published { get; } = [];

        public List<SlowConsumer> Consumers { get; } = [];

        public int DoneWith { get; private set; }

        public int ConfirmedCount => _confirmed;

        public void OnSettled(ulong number, Outcome outcome) => Interlocked.Increment(ref _confirmed);

        public void Work()
        {
            for (int i = 0; i < Steps; i++)
            {
                Queue queue = queues[_random.Next(queues.Length)];
                switch (_random.Next(12))
                {
                    case < 5: Publish(queue); break;
                    case < 9: Settle((Outcome)_random.Next(3)); break;
                    case 9 when Consumers.Count < 20: Consume(queue); break;
                    case 10: Get(queue); break;
                    case 11 when _random.Next(4) == 0: CancelOne(); break;
                }
                if (_random.Next(10) == 0) _batch.Run();
                ReadAll();
            }
        }

        public void Finish()
        {
            _batch.Run();
            foreach (SlowConsumer consumer in Consumers)
                _batch.Ask(new QueueCommand(QueueCommandKind.Cancel, consumer.Registration.Queue, Consumer: consumer.Registration));
            foreach (SlowConsumer consumer in Consumers) Read(consumer);
            while (_unacked.Count > 0) Settle(Outcome.Released);
            _batch.Run();
        }

        private void Publish(Queue queue)
        {
            Message message = TestMessages.Create();
            message.AddReferences(1);
            Published.Add(message);
            _batch.Add(new QueueCommand(QueueCommandKind.Enqueue, queue, message, new PublishReceipt(this, (ulong)Published.Count)));
        }

        private void Consume(Queue queue)
        {
            var consumer = new SlowConsumer();
            consumer.Registration = new QueueConsumer(queue, consumer)
            {
                PrefetchCount = _random.Next(5), NoAck = _random.Next(4) == 0, Priority = _random.Next(2),
            };
            Consumers.Add(consumer);
            _batch.Ask(new QueueCommand(QueueCommandKind.Consume, queue, Consumer: consumer.Registration));
            _batch.Add(new QueueCommand(QueueCommandKind.Resume, queue, Consumer: consumer.Registration));
        }

        private void CancelOne()
        {
            if (Consumers.Count == 0) return;
            QueueConsumer consumer = Consumers[_random.Next(Consumers.Count)].Registration;
            _batch.Ask(new QueueCommand(QueueCommandKind.Cancel, consumer.Queue, Consumer: consumer));
        }

        private void Get(Queue queue)
        {
            QueueAnswer answer = _batch.Ask(new QueueCommand(QueueCommandKind.Get, queue));
            if (answer.Status == QueueAnswerStatus.Empty) return;
            answer.Message!.Release();
            _unacked.Add((queue, answer.Delivery));
        }

        private void Settle(Outcome outcome)
        {
            if (_unacked.Count == 0) return;
            int index = _random.Next(_unacked.Count);
            (Queue queue, DeliveryId id) = _unacked[index];
            _unacked.RemoveAt(index);
            if (outcome != Outcome.Released) DoneWith++;
            _batch.Add(new QueueCommand(QueueCommandKind.Settle, queue, Delivery: id, Outcome: outcome));
        }

        private void ReadAll()
        {
            foreach (SlowConsumer consumer in Consumers) Read(consumer);
        }

        private void Read(SlowConsumer consumer)
        {
            while (consumer.TryRead(out DeliveryId id, out bool isSettled))
            {
                if (isSettled) DoneWith++;
                else _unacked.Add((consumer.Registration.Queue, id));
            }
            if (consumer.TakeResumeRequest())
                _batch.Add(new QueueCommand(QueueCommandKind.Resume, consumer.Registration.Queue, Consumer: consumer.Registration));
        }
    }

    /// <summary>Has room for a few deliveries that its session has not read yet.</summary>
    private sealed class SlowConsumer : IConsumer
    {
        private readonly ConcurrentQueue<(DeliveryId, bool)> _output = new();
        private int _awaitsResume;
        private int _unflushed;

        public QueueConsumer Registration { get; set; } = null!;

        public bool HasRoom => _output.Count < 8;

        public bool HasUnflushed => Volatile.Read(ref _unflushed) != 0;

        public void Deliver(ReadOnlySpan<Delivery> deliveries)
        {
            foreach (Delivery delivery in deliveries) _output.Enqueue((delivery.Id, delivery.IsSettled));
            Volatile.Write(ref _unflushed, 1);
        }

        public void Flush() => Interlocked.Exchange(ref _unflushed, 0);

        public bool AwaitRoom()
        {
            Interlocked.Exchange(ref _awaitsResume, 1);
            // When the session read in between it may have taken the request already; then it resumes.
            return !HasRoom || !TakeResumeRequest();
        }

        public void OnOverdue(DeliveryId delivery, long timeoutMs)
        {
        }

        public void OnQueueDeleted() => throw new InvalidOperationException("no queue ends here");

        public bool TakeResumeRequest() => Interlocked.Exchange(ref _awaitsResume, 0) == 1;

        public bool TryRead(out DeliveryId id, out bool isSettled)
        {
            bool read = _output.TryDequeue(out (DeliveryId Id, bool IsSettled) entry);
            (id, isSettled) = entry;
            return read;
        }
    }
}
