using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;
using Outcome = Harrier.Broker.Sessions.Outcome;

namespace Harrier.Broker.Tests.Features;

/// <summary>
/// Many messages are taken out of a queue by their place, in memory and on disk, so that large gaps come about, against a list. What is taken aside and does not depart is back
/// after a restart.
/// </summary>
public class DetachModelTests
{
    private static readonly Gen<(Act Act, int A, int B)> Steps = Gen.Frequency(
        (6, Of(Act.Publish)), (3, Of(Act.Hollow)), (6, Of(Act.DetachSome)), (6, Of(Act.DetachAny)), (3, Of(Act.PutAside)), (4, Of(Act.Give)), (4, Of(Act.Checkpoint)), (1, Of(Act.Restart)));

    private enum Act
    {
        Publish,
        Hollow,
        DetachSome,
        DetachAny,
        PutAside,
        Give,
        Checkpoint,
        Restart,
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Messages_are_taken_out_once_and_no_others_with_them(int priorityMax) => Properties.ForAllSequences(
        Steps,
        steps =>
        {
            using var bench = new FeatureBench();
            var model = new Model(bench, priorityMax);
            foreach ((Act act, int a, int b) in steps) model.Run(act, a, b);
            model.Finish();
        },
        runs: 40,
        size: 60);

    private static Gen<(Act, int, int)> Of(Act act) => Gen.Choose(0, 1 << 20).Zip(Gen.Choose(0, 1 << 20), (a, b) => (act, a, b));

    private sealed class Model
    {
        private readonly FeatureBench _bench;
        private readonly int _priorityMax;
        private readonly List<Item> _all = [];
        private readonly List<Item> _ready = [];
        private readonly List<Item> _aside = [];

        // Nobody can have seen those that are lower and gone: they had gone before the last restart.
        private int _startedAt;

        public Model(FeatureBench bench, int priorityMax)
        {
            (_bench, _priorityMax) = (bench, priorityMax);
            bench.Declare("q", new QueueSettings { PriorityMax = priorityMax });
        }

        private IEnumerable<Item> InOrder => _ready.OrderByDescending(item => item.Lane).ThenBy(item => item.Number);

        public void Run(Act act, int a, int b)
        {
            switch (act)
            {
                case Act.Publish: Publish(1 + a % 600, b); break;
                case Act.Hollow: Hollow(1 + a % 700); break;
                case Act.DetachSome when _ready.Count > 0: DetachSome(_ready.OrderBy(item => item.Number).Skip(a % _ready.Count).Take(b % 1500)); break;
                case Act.DetachAny when _all.Count > 0: DetachAny(_all[a % _all.Count]); break;
                case Act.PutAside when _ready.Count > 0: PutAside(_ready[a % _ready.Count]); break;
                case Act.Give when _ready.Count > 0: Give((Outcome)(a % 4), count: 1 + b % 5); break;
                case Act.Checkpoint: _bench.Checkpoint(); break;
                case Act.Restart: Restart(withCheckpoint: a % 2 == 0); break;
            }
            (_bench["q"].ReadyCount, _bench["q"].AsideCount).ShouldBe((_ready.Count, _aside.Count));
            _bench["q"].Machine.ReadyBytes.ShouldBe(_ready.Sum(item => (long)item.Size));
        }

        public void Finish()
        {
            Restart(withCheckpoint: true);
            Item[] left = [.. InOrder];
            List<Taken> taken = _bench.GetAll();
            taken.Select(t => (t.Number, t.DeliveryCount)).ShouldBe(left.Select(item => (item.Number, item.FailureCount)));
            taken.Where(t => !t.IsRedelivered).ShouldAllBe(t => !_all[t.Number].WasGiven);
        }

        private void Publish(int count, int b)
        {
            for (; count > 0; count--)
            {
                var item = new Item(_all.Count, (byte)Math.Min((_all.Count + b) % 3, _priorityMax), 4 + (_all.Count * 7 + b) % 50);
                _all.Add(item);
                _ready.Add(item);
                _bench.Publish(item.Number, size: item.Size, priority: item.Lane);
            }
        }

        // Enough at once that their places are closed.
        private void Hollow(int distance)
        {
            int first = _all.Count;
            Publish(1400, distance);
            DetachSome(_all.Skip(first).Where(item => item.Number % distance != 0));
        }

        private void DetachSome(IEnumerable<Item> some)
        {
            foreach (Item item in some.ToArray())
            {
                PutAside(item);
                Depart(item);
            }
        }

        private void DetachAny(Item item)
        {
            bool isReady = _ready.Contains(item);
            if (!isReady && item.Number < _startedAt && !_aside.Contains(item)) return;
            if (isReady) DetachSome([item]);
            else Detach(item).ShouldBeFalse($"message {item.Number}");
        }

        private void PutAside(Item item)
        {
            Detach(item).ShouldBeTrue($"message {item.Number}");
            _ready.Remove(item);
            _aside.Add(item);
        }

        private void Depart(Item item)
        {
            _bench.Run(new QueueCommand(QueueCommandKind.Depart, _bench["q"], Sequence: item.Sequence));
            _aside.Remove(item);
        }

        private bool Detach(Item item)
        {
            Message known = FeatureBench.MessageOf(item.Number, item.Size, item.Lane);
            var seen = new BrowsedMessage(known, item.Sequence, item.Lane, _bench.NowMs, ExpiresAtMs: 0, item.WasGiven ? 1 : 0, item.FailureCount);
            QueueAnswer answer = _bench.Ask(seen.DetachFrom(_bench["q"]));
            known.Release();
            return answer.Status == QueueAnswerStatus.Done;
        }

        private void Give(Outcome outcome, int count)
        {
            foreach (Item item in InOrder.Take(count).ToArray())
            {
                Taken taken = _bench.Get()!;
                (taken.Number, taken.DeliveryCount).ShouldBe((item.Number, item.FailureCount));
                item.WasGiven = true;
                if (outcome == Outcome.Failed) item.FailureCount++;
                if (outcome is Outcome.Accepted or Outcome.Rejected) _ready.Remove(item);
                _bench.Settle(taken.Id, outcome);
                if (outcome is not (Outcome.Accepted or Outcome.Rejected)) return; // it is the first again
            }
        }

        private void Restart(bool withCheckpoint)
        {
            _startedAt = _all.Count;
            _ready.AddRange(_aside);
            _aside.Clear();
            _bench.Restart(withCheckpoint);
        }
    }

    private sealed class Item(int number, byte lane, int size)
    {
        public int Number { get; } = number;

        // As long as nothing else joins the queue.
        public ulong Sequence => (ulong)Number + 1;

        public byte Lane { get; } = lane;

        public int Size { get; } = size;

        public int FailureCount { get; set; }

        public bool WasGiven { get; set; }
    }
}
