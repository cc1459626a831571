using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;
using Shouldly;

namespace Harrier.Broker.Tests.Features;

/// <summary>
/// A queue "q" as a list, and the reasons for which its messages went to the queue "dead": does every step in itself and in the real queue, and compares the two after
/// each. All its times are multiples of ten milliseconds, but for those of delayed retries, which end in five: so nothing falls due together that has no order.
/// </summary>
internal sealed class FeatureModel
{
    private const long RetryMs = 15;

    private readonly FeatureBench _bench;
    private readonly List<Item> _items = [];
    private readonly List<(Item Item, string Reason)> _dead = [];
    private readonly List<(Item Item, bool IsRedelivered, int FailureCount)> _pushed = [];
    private readonly List<(int Number, Delivery Delivery)> _received = [];
    private readonly int _sizeFactor;
    private QueueSettings _settings;
    private QueueConsumer? _consumer;
    private bool _isPaused;
    private int _published;
    private long _nowMs;

    /// <param name="bench">Where the real queues are.</param>
    /// <param name="settings">What applies to "q".</param>
    /// <param name="areLarge">Whether messages are so large that reading them back from disk takes many turns.</param>
    public FeatureModel(FeatureBench bench, QueueSettings settings, bool areLarge)
    {
        _sizeFactor = areLarge ? 300 : 1;
        _bench = bench;
        if (settings.DelayedRetry != DelayedRetry.Disabled) settings = settings with { DelayedRetryMinMs = RetryMs, DelayedRetryMaxMs = RetryMs };
        _settings = settings;
        _nowMs = bench.NowMs;
        bench.Declare("dead");
        bench.Declare("q", _settings);
    }

    /// <summary>Settings with which what dies goes to the queue "dead".</summary>
    public static QueueSettings DeadLettering { get; } = new() { DeadLetterExchange = new Utf8Name(""), DeadLetterRoutingKey = new Utf8Name("dead") };

    private List<Item> Unacked => [.. _items.Where(item => item.State == ItemState.Unacked)];

    private List<Item> Ready => [.. _items.Where(item => item.State == ItemState.Ready).OrderByDescending(item => item.Lane)]; // the sort is stable

    public void Run(FeatureStep step)
    {
        (int a, int b) = (step.A, step.B);
        switch (step.Action)
        {
            case FeatureAction.Publish: Publish(a, b); break;
            case FeatureAction.Get: Get(isSettled: a % 3 == 0); break;
            case FeatureAction.Settle: Settle(Pick(Unacked, a), (Outcome)(b % 4)); break;
            case FeatureAction.Advance: Advance(10 * (1 + a % 20)); break;
            case FeatureAction.Checkpoint: _bench.Checkpoint(); break;
            case FeatureAction.CheckpointMeanwhile: CheckpointMeanwhile(a, b); break;
            case FeatureAction.Restart: Restart(withCheckpoint: a % 2 == 0); break;
            case FeatureAction.ChangeTtl: Configure(_settings with { MessageTtlMs = a % 3 == 0 ? null : 10 * (1 + b % 50) }); break;
            // Of several whose retry comes at the same moment, which one is too many is not said.
            case FeatureAction.ChangeLimit when _settings.DelayedRetry != DelayedRetry.Disabled: break;
            case FeatureAction.ChangeLimit: Configure(_settings with { LengthMax = a % 4 == 0 ? null : b % 12, BytesMax = a % 4 < 3 ? null : _sizeFactor * (b % 400) }); break;
            case FeatureAction.Purge: Purge(); break;
            case FeatureAction.Pause: Pause(!_isPaused); break;
            case FeatureAction.Consume: Consume(prefetch: 1 + a % 4); break;
        }
        Compare();
    }

    /// <summary>Gives everything back and takes it out again, in its order; what has died is where dead messages go, for its reason.</summary>
    public void Finish()
    {
        if (_consumer is not null) Cancel();
        if (_isPaused) Pause(false);
        foreach (Item item in Unacked)
        {
            Settle(item, Outcome.Released);
            Compare();
        }
        while (_items.Exists(item => item.State == ItemState.Postponed))
        {
            Advance(20);
            Compare();
        }
        while (Ready.Count > 0)
        {
            Get(isSettled: true);
            Compare();
        }
        _bench.GetAll("dead").Select(taken => (taken.Number, taken.Deaths)).Order()
            .ShouldBe(_dead.Select(dead => (dead.Item.Number, $"q:{dead.Reason}")).Order());
    }

    private static Item? Pick(List<Item> items, int index) => items.Count == 0 ? null : items[index % items.Count];

    private void Publish(int a, int b)
    {
        long? expirationMs = a % 3 == 0 ? 10 * (1 + b % 60) : null;
        var item = new Item(_published++, (byte)Math.Min(a % 7, _settings.PriorityMax), _sizeFactor * (4 + b % 60), IsPersistent: a % 5 != 0)
        {
            ArrivedAtMs = _nowMs, ExpiresAtMs = expirationMs is { } ms ? _nowMs + ms : long.MaxValue,
        };
        bool isFull = IsOver(Ready.Count + 1, Ready.Sum(i => i.Size) + item.Size) && _settings.Overflow != Overflow.DropHead;
        if (!isFull) _items.Add(item);
        else if (_settings.Overflow == Overflow.RejectPublishDeadLetter) Bury(item, DeathReason.MaxLength);
        Push();
        DropOverflow();
        _bench.Publish(item.Number, expirationMs, item.Size, (byte)(a % 7), item.IsPersistent).ShouldBe(isFull ? Outcome.Rejected : Outcome.Accepted);
    }

    private void Get(bool isSettled)
    {
        Item? first = _isPaused ? null : Ready.FirstOrDefault();
        Taken? taken = _bench.Get(isSettled: isSettled);
        (taken?.Number).ShouldBe(first?.Number);
        if (first is null || taken is null) return;
        (taken.IsRedelivered, taken.DeliveryCount).ShouldBe((first.WasGiven, first.FailureCount), $"message {first.Number}");
        first.WasGiven = true;
        first.Id = taken.Id;
        if (isSettled) _items.Remove(first);
        else first.State = ItemState.Unacked;
    }

    private void Settle(Item? item, Outcome outcome)
    {
        if (item is null) return;
        if (outcome == Outcome.Accepted) _items.Remove(item);
        else if (outcome == Outcome.Rejected) Die(item, DeathReason.Rejected);
        else Return(item, isFailure: outcome == Outcome.Failed);
        item.IsPushed = false;
        Push();
        _bench.Settle(item.Id, outcome);
    }

    private void Return(Item item, bool isFailure)
    {
        if (isFailure) item.FailureCount++;
        bool isDelayed = _settings.DelayedRetry == DelayedRetry.All || _settings.DelayedRetry == (isFailure ? DelayedRetry.Failed : DelayedRetry.Returned);
        if (item.FailureCount > _settings.DeliveryLimit) Die(item, DeathReason.DeliveryLimit);
        else if (IsExpired(item)) Die(item, DeathReason.Expired);
        else if (isDelayed) (item.State, item.ReadyAtMs) = (ItemState.Postponed, _nowMs + RetryMs);
        else
        {
            item.State = ItemState.Ready;
            DropOverflow();
        }
    }

    private void Advance(long ms)
    {
        long endMs = _nowMs + ms;
        while (_nowMs < endMs)
        {
            _nowMs += 5; // whatever happens, happens at such a time
            foreach (Item item in _items.Where(i => i.State == ItemState.Postponed && i.ReadyAtMs <= _nowMs).OrderBy(i => i.ReadyAtMs).ToArray())
            {
                item.State = ItemState.Ready;
                if (IsExpired(item)) Die(item, DeathReason.Expired);
                DropOverflow();
            }
            Expire();
            Push();
        }
        _bench.Advance(ms);
    }

    private void CheckpointMeanwhile(int a, int b)
    {
        _bench.Durable.WhileWritten = () =>
        {
            _bench.Durable.WhileWritten = null;
            Run(new FeatureStep((FeatureAction)(a % (int)FeatureAction.Checkpoint), a / 7, b));
            Run(new FeatureStep((FeatureAction)(b % (int)FeatureAction.Checkpoint), b / 7, a));
        };
        _bench.Checkpoint();
        _bench.Durable.WhileWritten = null;
    }

    private void Restart(bool withCheckpoint)
    {
        if (_bench.IsTransient) return;
        Item[] kept = [.. _items.Where(item => item.IsPersistent && item.State != ItemState.Postponed)];
        // What expired and what is too much would be found at once, and either may be found first.
        if (kept.Any(IsExpired) && IsOver(kept.Length, kept.Sum(item => item.Size))) return;
        _items.RemoveAll(item => !item.IsPersistent);
        _dead.RemoveAll(dead => !dead.Item.IsPersistent);
        foreach (Item item in Unacked) (item.State, item.IsPushed) = (ItemState.Ready, false);
        _consumer = null;
        Expire();
        DropOverflow();
        _bench.Restart(withCheckpoint);
    }

    private void Configure(QueueSettings settings)
    {
        _settings = settings;
        Expire();
        DropOverflow();
        Push();
        _bench.Configure("q", settings);
    }

    private void Purge()
    {
        int count = Ready.Count;
        _items.RemoveAll(item => item.State == ItemState.Ready);
        _bench.Ask(new QueueCommand(QueueCommandKind.Purge, _bench["q"])).MessageCount.ShouldBe(count);
    }

    private void Consume(int prefetch)
    {
        if (_consumer is not null)
        {
            Cancel();
            return;
        }
        var output = new FakeConsumer { OnDelivery = delivery => _received.Add((DurableBench.NumberOf(delivery.Message), delivery)) };
        _consumer = _bench.Consume(output, prefetch);
        Push();
    }

    private void Cancel()
    {
        foreach (Item item in Unacked) item.IsPushed = false;
        _bench.Cancel(_consumer!);
        _consumer = null;
    }

    private bool HasTaker => !_isPaused && _consumer is { } consumer && _items.Count(item => item.IsPushed) < consumer.PrefetchCount;

    private void Push()
    {
        while (HasTaker && Ready.FirstOrDefault() is { } first)
        {
            _pushed.Add((first, first.WasGiven, first.FailureCount));
            (first.State, first.WasGiven, first.IsPushed) = (ItemState.Unacked, true, true);
        }
    }

    private void Pause(bool isPaused)
    {
        _isPaused = isPaused;
        Push();
        _bench.Ask(new QueueCommand(isPaused ? QueueCommandKind.Pause : QueueCommandKind.Unpause, _bench["q"]));
        _bench.Settle();
    }

    private bool IsExpired(Item item) => Math.Min(item.ExpiresAtMs, item.ArrivedAtMs + (_settings.MessageTtlMs ?? 1L << 50)) <= _nowMs;

    private bool IsOver(int count, int bytes) => count > (_settings.LengthMax ?? long.MaxValue) || bytes > (_settings.BytesMax ?? long.MaxValue);

    private void Expire()
    {
        foreach (Item item in Ready.Where(IsExpired)) Die(item, DeathReason.Expired);
    }

    private void DropOverflow()
    {
        if (_settings.Overflow != Overflow.DropHead) return;
        while (Ready is { Count: > 0 } ready && IsOver(ready.Count, ready.Sum(item => item.Size))) Die(ready[0], DeathReason.MaxLength);
    }

    private void Die(Item item, DeathReason reason)
    {
        _items.Remove(item);
        Bury(item, reason);
    }

    private void Bury(Item item, DeathReason reason)
    {
        if (_settings.DeadLetterExchange is not null) _dead.Add((item, Death.NameOf(reason)));
    }

    private void Compare()
    {
        Queue queue = _bench["q"];
        queue.ReadyCount.ShouldBe(Ready.Count, "ready");
        queue.ReadyBytes.ShouldBe(Ready.Sum(item => item.Size), "bytes");
        queue.UnackedCount.ShouldBe(Unacked.Count, "unacked");
        queue.AsideCount.ShouldBe(_items.Count - Ready.Count - Unacked.Count, "postponed");
        queue.IsPaused.ShouldBe(_isPaused);
        _bench["dead"].ReadyCount.ShouldBe(_dead.Count, "dead");
        _received.Select(one => (one.Number, one.Delivery.IsRedelivered, one.Delivery.DeliveryCount))
            .ShouldBe(_pushed.Select(one => (one.Item.Number, one.IsRedelivered, one.FailureCount)));
        foreach (((Item item, _, _), (_, Delivery delivery)) in _pushed.Zip(_received)) item.Id = delivery.Id;
        _pushed.Clear();
        _received.Clear();
    }

    private enum ItemState
    {
        Ready,
        Unacked,
        Postponed,
    }

    private sealed record Item(int Number, byte Lane, int Size, bool IsPersistent)
    {
        public ItemState State { get; set; }

        public long ArrivedAtMs { get; init; }

        public long ExpiresAtMs { get; init; }

        public long ReadyAtMs { get; set; }

        public int FailureCount { get; set; }

        public bool WasGiven { get; set; }

        /// <summary>Whether the consumer has it.</summary>
        public bool IsPushed { get; set; }

        public DeliveryId Id { get; set; }
    }
}

/// <summary>What a step does. Those before <see cref="Checkpoint"/> can also happen in the middle of one.</summary>
internal enum FeatureAction
{
    Publish,
    Get,
    Settle,
    Advance,
    Checkpoint,
    CheckpointMeanwhile,
    Restart,
    ChangeTtl,
    ChangeLimit,
    Purge,
    Pause,
    Consume,
}

/// <summary>A step of a model test. What the numbers mean is the action's affair; any numbers are valid.</summary>
internal readonly record struct FeatureStep(FeatureAction Action, int A, int B);
