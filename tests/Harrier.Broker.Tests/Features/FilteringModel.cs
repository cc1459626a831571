using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Browsing;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Support;
using Shouldly;

namespace Harrier.Broker.Tests.Features;

/// <summary>
/// A queue "q" as a list, with an ordinary consumer, two with a filter and one that browses; what comes back may be annotated. Which consumer is served first is not said, so the model takes every
/// delivery as it comes and asks whether a list would have made it; when all is quiet, nobody may have to wait for anything that is there.
/// </summary>
internal sealed class FilteringModel
{
    private const long RetryMs = 15;

    private readonly FeatureBench _bench;
    private readonly QueueSettings _settings;
    private readonly int _sizeFactor;
    private readonly List<Item> _items = [];
    private readonly Taker?[] _takers = new Taker?[4];
    private readonly List<(Taker Taker, int Number, string Note, Delivery Delivery)> _received = [];
    private int _published;
    private int _noteCount;
    private int _deadCount;
    private long _nowMs;

    public FilteringModel(FeatureBench bench, QueueSettings settings, bool areLarge)
    {
        (_bench, _settings, _sizeFactor, _nowMs) = (bench, settings, areLarge ? 300 : 1, bench.NowMs);
        bench.Declare("dead");
        bench.Declare("q", settings);
    }

    /// <summary>Settings with which what dies goes to the queue "dead", and what failed is tried again later.</summary>
    public static QueueSettings Retrying { get; } = FeatureModel.DeadLettering with
    {
        PriorityMax = 2, DeliveryLimit = 2, DelayedRetry = DelayedRetry.Failed, DelayedRetryMinMs = RetryMs, DelayedRetryMaxMs = RetryMs,
    };

    private List<Item> Ready => [.. _items.Where(item => item.State == ItemState.Ready).OrderByDescending(item => item.Lane)]; // the sort is stable

    private List<Item> Unacked => [.. _items.Where(item => item.State == ItemState.Unacked)];

    public void Run(FilteringStep step)
    {
        (int a, int b) = (step.A, step.B);
        switch (step.Action)
        {
            case FilteringAction.Publish: Publish(a, b); break;
            case FilteringAction.Settle when Unacked is { Count: > 0 } unacked: Settle(unacked[a % unacked.Count], (Outcome)(b % 4), isReplaced: b % 3 == 0); break;
            case FilteringAction.Get: Get(); break;
            case FilteringAction.Advance: Advance(10 * (1 + a % 20)); break;
            case FilteringAction.Checkpoint: _bench.Checkpoint(); break;
            case FilteringAction.CheckpointMeanwhile: CheckpointMeanwhile(a, b); break;
            case FilteringAction.Restart: Restart(withCheckpoint: a % 2 == 0); break;
            case FilteringAction.Squeeze: Squeeze(a % 12); break;
            case FilteringAction.Toggle: Toggle(a % _takers.Length, prefetch: 1 + b % 4); break;
            case FilteringAction.Browse: Browse(newestFirst: a % 2 == 0); break;
        }
        Compare();
    }

    /// <summary>Takes everything out, in its order.</summary>
    public void Finish()
    {
        for (int i = 0; i < _takers.Length; i++)
            if (_takers[i] is not null) Toggle(i, prefetch: 0);
        foreach (Item item in Unacked) Settle(item, Outcome.Released, isReplaced: false);
        Advance(20);
        Compare();
        int[] left = [.. Ready.Select(item => item.Number)];
        _bench.GetAll().Select(taken => taken.Number).ShouldBe(left);
    }

    private void Publish(int a, int b)
    {
        long? expirationMs = a % 4 == 0 ? 10 * (1 + b % 60) : null;
        int size = _sizeFactor * (4 + b % 60);
        var item = new Item(_published++, (byte)Math.Min(a % 7, _settings.PriorityMax), size, _nowMs, isPersistent: _bench.IsTransient || a % 5 != 0)
        {
            ExpiresAtMs = expirationMs is { } ms ? _nowMs + ms : long.MaxValue,
        };
        _items.Add(item);
        _bench.Publish(item.Number, expirationMs, size, (byte)(a % 7), item.IsPersistent);
    }

    private void Settle(Item item, Outcome outcome, bool isReplaced)
    {
        item.Taker = null;
        if (isReplaced) (item.Note, item.Size) = ($"{++_noteCount}", 4 + _noteCount * 7 % 60 * _sizeFactor);
        if (outcome == Outcome.Accepted) _items.Remove(item);
        else if (outcome == Outcome.Rejected) Die(item);
        else
        {
            bool isFailure = outcome == Outcome.Failed;
            if (isFailure) item.FailureCount++;
            bool isDelayed = isFailure && _settings.DelayedRetry == DelayedRetry.Failed;
            if (item.FailureCount > _settings.DeliveryLimit || item.ExpiresAtMs <= _nowMs) Die(item);
            else (item.State, item.ReadyAtMs) = (isDelayed ? ItemState.Postponed : ItemState.Ready, _nowMs + RetryMs);
        }
        _bench.Settle(item.Id, outcome, replacement: isReplaced ? MessageOf(item) : null);
    }

    private static Message MessageOf(Item item)
    {
        Message message = FeatureBench.MessageOf(item.Number, item.Size, item.Lane, item.IsPersistent, item.Note);
        (message.ArrivedAtMs, message.ExpiresAtMs) = (item.ArrivedAtMs, item.ExpiresAtMs == long.MaxValue ? 0 : item.ExpiresAtMs);
        return message;
    }

    private void Get()
    {
        Item? first = Ready.FirstOrDefault();
        Taken? taken = _bench.Get(isSettled: true);
        (taken?.Number, taken?.IsRedelivered, taken?.DeliveryCount).ShouldBe((first?.Number, first?.WasGiven, first?.FailureCount));
        if (first is not null) _items.Remove(first);
    }

    private void Advance(long ms)
    {
        for (long endMs = _nowMs + ms; _nowMs < endMs;)
        {
            _nowMs += 5;
            foreach (Item item in _items.Where(item => item.State == ItemState.Postponed && item.ReadyAtMs <= _nowMs)) item.State = ItemState.Ready;
            foreach (Item item in Ready.Where(item => item.ExpiresAtMs <= _nowMs)) Die(item);
            _bench.Advance(5);
            Take();
        }
    }

    private void CheckpointMeanwhile(int a, int b)
    {
        _bench.Durable.WhileWritten = () =>
        {
            _bench.Durable.WhileWritten = null;
            Run(new FilteringStep((FilteringAction)(a % (int)FilteringAction.Checkpoint), a / 7, b));
            Run(new FilteringStep((FilteringAction)(b % (int)FilteringAction.Checkpoint), b / 7, a));
        };
        _bench.Checkpoint();
        _bench.Durable.WhileWritten = null;
    }

    private void Restart(bool withCheckpoint)
    {
        if (_bench.IsTransient) return;
        _deadCount -= _items.RemoveAll(item => item.State == ItemState.Dead && !item.IsPersistent);
        _items.RemoveAll(item => !item.IsPersistent);
        foreach (Item item in Unacked) (item.State, item.Taker) = (ItemState.Ready, null);
        foreach (Item item in Ready.Where(item => item.ExpiresAtMs <= _nowMs)) Die(item);
        Array.Clear(_takers);
        _bench.Restart(withCheckpoint);
    }

    /// <summary>Lets no more than so many stay.</summary>
    private void Squeeze(int count)
    {
        if (_bench.IsTransient) return;
        foreach (Item item in Ready.SkipLast(count)) Die(item);
        _bench.Configure("q", _settings with { LengthMax = count });
        _bench.Configure("q", _settings);
    }

    private void Toggle(int at, int prefetch)
    {
        if (_takers[at] is { } old)
        {
            foreach (Item item in Unacked.Where(item => ReferenceEquals(item.Taker, old))) item.Taker = null;
            _bench.Cancel(old.Consumer);
            _takers[at] = null;
            return;
        }
        Taker taker = null!;
        var output = new FakeConsumer { OnDelivery = delivery => _received.Add((taker, DurableBench.NumberOf(delivery.Message), NotedFormat.KeyOf(delivery.Message), delivery)) };
        taker = _takers[at] = new Taker(new QueueConsumer(_bench["q"], output)
        {
            PrefetchCount = at == 3 ? 0 : prefetch, IsBrowsing = at == 3, NoAck = at == 3, Filter = at is 1 or 2 ? new NumberFilter(3, at) : null,
        });
        _bench.Begin(taker.Consumer);
    }

    private void Browse(bool newestFirst)
    {
        int[] expected = [.. Ready.Select(item => item.Number)];
        if (newestFirst) Array.Reverse(expected);
        Task<List<int>> shown = _bench.Browse(new QueueBrowser(_bench["q"]) { NewestFirst = newestFirst });
        while (!shown.IsCompleted) _bench.Settle();
        shown.Result.ShouldBe(expected);
    }

    private void Die(Item item)
    {
        item.State = ItemState.Dead;
        if (_settings.DeadLetterExchange is null) _items.Remove(item);
        else _deadCount++;
    }

    /// <summary>Takes note of what was delivered.</summary>
    private void Take()
    {
        foreach ((Taker taker, int number, string note, Delivery delivery) in _received)
        {
            Item item = _items.Find(item => item.Number == number).ShouldNotBeNull($"message {number}");
            if (taker.Consumer.IsBrowsing)
            {
                item.ShownTo.Add(taker).ShouldBeTrue($"message {number} is shown once");
                continue;
            }
            item.ShouldBe(Ready.First(taker.Wants), $"message {number} comes when it is its turn");
            (delivery.IsRedelivered, delivery.DeliveryCount, note).ShouldBe((item.WasGiven, item.FailureCount, item.Note), $"message {number}");
            (item.State, item.Taker, item.Id, item.WasGiven) = (ItemState.Unacked, taker, delivery.Id, true);
            CreditOf(taker).ShouldBeGreaterThanOrEqualTo(0);
        }
        _received.Clear();
    }

    private int CreditOf(Taker taker) => taker.Consumer.PrefetchCount - Unacked.Count(item => ReferenceEquals(item.Taker, taker));

    private void Compare()
    {
        Take();
        Queue queue = _bench["q"];
        queue.ReadyCount.ShouldBe(Ready.Count, "ready");
        queue.Machine.ReadyBytes.ShouldBe(Ready.Sum(item => (long)item.Size), "bytes");
        queue.UnackedCount.ShouldBe(Unacked.Count, "unacked");
        queue.AsideCount.ShouldBe(_items.Count(item => item.State == ItemState.Postponed), "postponed");
        _bench["dead"].ReadyCount.ShouldBe(_deadCount, "dead");
        foreach (Taker taker in _takers.OfType<Taker>())
        {
            if (taker.Consumer.IsBrowsing) Ready.ShouldAllBe(item => item.WasGiven || item.FailureCount > 0 || item.ShownTo.Contains(taker));
            else if (CreditOf(taker) > 0) Ready.ShouldNotContain(item => taker.Wants(item), "nobody waits for what is there");
        }
    }

    private enum ItemState
    {
        Ready,
        Unacked,
        Postponed,
        Dead,
    }

    private sealed record Taker(QueueConsumer Consumer)
    {
        public bool Wants(Item item) => Consumer.Filter is not NumberFilter filter || filter.Matches(item.Number);
    }

    private sealed class Item(int number, byte lane, int size, long arrivedAtMs, bool isPersistent)
    {
        public int Number { get; } = number;

        public byte Lane { get; } = lane;

        public int Size { get; set; } = size;

        public long ArrivedAtMs { get; } = arrivedAtMs;

        public bool IsPersistent { get; } = isPersistent;

        /// <summary>What the last consumer that had it has noted on it.</summary>
        public string Note { get; set; } = "";

        public ItemState State { get; set; }

        public long ExpiresAtMs { get; init; }

        public long ReadyAtMs { get; set; }

        public int FailureCount { get; set; }

        public bool WasGiven { get; set; }

        public Taker? Taker { get; set; }

        public HashSet<Taker> ShownTo { get; } = new(ReferenceEqualityComparer.Instance);

        public DeliveryId Id { get; set; }
    }
}

/// <summary>Lets through the numbers that leave a certain rest.</summary>
internal sealed class NumberFilter(int modulus, int rest) : IMessageFilter
{
    public string Text => $"number % {modulus} = {rest}";

    public bool Matches(Message message) => Matches(DurableBench.NumberOf(message));

    public bool Matches(int number) => number % modulus == rest;
}

/// <summary>What a step does. Those before <see cref="Checkpoint"/> can also happen in the middle of one.</summary>
internal enum FilteringAction
{
    Publish,
    Settle,
    Get,
    Toggle,
    Checkpoint,
    CheckpointMeanwhile,
    Advance,
    Restart,
    Squeeze,
    Browse,
}

/// <summary>A step of the model test. What the numbers mean is the action's affair; any numbers are valid.</summary>
internal readonly record struct FilteringStep(FilteringAction Action, int A, int B);
