using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Durability;

/// <summary>What a broker knows after it was killed: from the log, from a checkpoint, and from both.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly DurableBench _bench = new();

    public void Dispose() => _bench.Dispose();

    public static TheoryData<bool> Ways => [true, false];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Persistent_messages_come_back_in_order_and_others_do_not(bool withCheckpoint)
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 50);
        _bench.Publish("q", 100, 50, isPersistent: false);
        _bench.Publish("q", 50, 50);
        _bench.Restart(withCheckpoint);
        _bench.Queue("q").ReadyCount.ShouldBe(100);
        _bench.GetAll("q").ShouldBe(Enumerable.Range(0, 100));
    }

    [Fact]
    public void Checkpoints_and_the_log_behind_them_make_one_queue()
    {
        _bench.Session.Queue("q");
        List<int> model = [];
        var random = new Random(1);
        for (int round = 0, next = 0; round < 40; round++)
        {
            int count = random.Next(20);
            _bench.Publish("q", next, count);
            model.AddRange(Enumerable.Range(next, count));
            next += count;
            for (int taken = random.Next(15); taken > 0 && model.Count > 0; taken--)
            {
                _bench.Get("q", isSettled: true)!.Value.Number.ShouldBe(model[0]);
                model.RemoveAt(0);
            }
            if (random.Next(3) == 0) _bench.Checkpoint();
            if (random.Next(3) == 0) _bench.Restart(random.Next(2) == 0);
            _bench.Queue("q").ReadyCount.ShouldBe(model.Count);
        }
        _bench.GetAll("q").ShouldBe(model);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void What_was_given_to_somebody_is_redelivered_and_the_rest_is_not(bool withCheckpoint)
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 6);
        if (withCheckpoint) _bench.Checkpoint();
        for (int i = 0; i < 3; i++) _bench.Get("q");
        _bench.Restart(withCheckpoint);
        for (int i = 0; i < 6; i++)
        {
            (int number, bool isRedelivered, _) = _bench.Get("q")!.Value;
            (number, isRedelivered).ShouldBe((i, i < 3));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Settled_messages_are_gone_wherever_they_stood(bool withCheckpoint)
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 10);
        DeliveryId[] ids = [.. Enumerable.Range(0, 6).Select(_ => _bench.Get("q")!.Value.Id)];
        if (withCheckpoint) _bench.Checkpoint();
        foreach (int i in (int[])[1, 3, 4]) _bench.Settle("q", ids[i]);
        _bench.Settle("q", ids[2], Outcome.Released);
        _bench.Restart(withCheckpoint);
        _bench.GetAll("q").ShouldBe([0, 2, 5, 6, 7, 8, 9]);
        _bench.Restart();
        _bench.GetAll("q").ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_purge_leaves_what_is_unacked(bool withCheckpoint)
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 20);
        if (withCheckpoint) _bench.Checkpoint();
        _bench.Get("q");
        DeliveryId second = _bench.Get("q")!.Value.Id;
        _bench.Get("q");
        _bench.Session.Purge("q").ShouldBe(17);
        _bench.Settle("q", second);
        _bench.Publish("q", 100, 2);
        _bench.Restart(withCheckpoint);
        _bench.GetAll("q").ShouldBe([0, 2, 100, 101]);
    }

    [Fact]
    public void A_queue_that_was_deleted_and_declared_again_is_another()
    {
        foreach (bool withCheckpoint in (bool[])[false, true])
        {
            _bench.Session.Queue("q");
            _bench.Publish("q", 0, 5);
            if (withCheckpoint) _bench.Checkpoint();
            _bench.Session.DeleteQueue("q", ifUnused: false, ifEmpty: false).ShouldBe(5);
            _bench.Session.Queue("q");
            _bench.Publish("q", 10, 2);
            long id = _bench.Queue("q").Id.Value;
            _bench.Restart(withCheckpoint);
            _bench.Queue("q").Id.Value.ShouldBe(id);
            _bench.GetAll("q").ShouldBe([10, 11]);
            _bench.Session.DeleteQueue("q", ifUnused: false, ifEmpty: false);
            _bench.Restart(withCheckpoint);
            Should.Throw<BrokerException>(() => _bench.Queue("q"));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Exchanges_queues_and_bindings_come_back_if_they_are_durable(bool withCheckpoint)
    {
        var argument = new Argument("x-match", ArgumentValue.Of("any"));
        foreach (string type in (string[])["direct", "fanout", "topic", "headers"]) _bench.Session.Exchange(type, type, autoDelete: type == "topic");
        _bench.Session.Exchange("internal", isInternal: true, arguments: [new Argument("alternate-exchange", ArgumentValue.Of("fanout"))]);
        _bench.Session.Exchange("transient", durable: false);
        _bench.Session.Queue("q", autoDelete: true, arguments: [new Argument("x-queue-type", ArgumentValue.Of("classic"))]);
        _bench.Session.Queue("passing", durable: false);
        if (withCheckpoint) _bench.Checkpoint();
        _bench.Session.BindQueue("headers", "q", "", argument);
        _bench.Session.BindQueue("topic", "q", "a.#");
        _bench.Session.BindQueue("direct", "q", "gone");
        _bench.Session.UnbindQueue("direct", "q", "gone");
        _bench.Session.BindExchange("topic", "fanout", "*");
        _bench.Session.BindQueue("transient", "q");
        _bench.Session.BindQueue("direct", "passing");
        _bench.Restart(withCheckpoint);
        for (int again = 0; again < 2; again++)
        {
            VirtualHostTopology found = _bench.Session.VirtualHost.Topology;
            found.Exchanges.Keys.Select(name => name.ToString()).Where(name => name.Length > 0 && !name.StartsWith("amq.", StringComparison.Ordinal))
                .ShouldBe(["direct", "fanout", "topic", "headers", "internal"], ignoreOrder: true);
            found.Exchanges["topic"].IsAutoDelete.ShouldBeTrue();
            found.Exchanges["internal"].IsInternal.ShouldBeTrue();
            found.Exchanges["internal"].Arguments.Count.ShouldBe(1);
            found.Queues.Values.Single().Definition.IsAutoDelete.ShouldBeTrue();
            found.BindingsBySource.Values.SelectMany(b => b).Select(b => $"{b.Source} {b.Destination.Name} {b.RoutingKey} {b.Arguments.Count}")
                .ShouldBe(["headers q  1", "topic q a.# 0", "topic fanout * 0"], ignoreOrder: true);
            _bench.Restart();
        }
        _bench.Session.UnbindQueue("topic", "q", "a.#");
        _bench.Session.UnbindExchange("topic", "fanout", "*");
        _bench.Restart(withCheckpoint);
        _bench.Session.VirtualHost.Topology.Exchanges.ContainsKey("topic").ShouldBeFalse("its last binding is gone");
    }

    [Fact]
    public void A_message_that_left_memory_and_came_back_is_read_when_it_is_wanted()
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 300, size: 1000);
        DeliveryId[] ids = [.. Enumerable.Range(0, 100).Select(_ => _bench.Get("q")!.Value.Id)];
        _bench.Checkpoint();
        foreach (DeliveryId id in ids) _bench.Settle("q", id, Outcome.Released);
        for (int i = 0; i < 300; i++)
        {
            (int number, bool isRedelivered, _) = _bench.Get("q", isSettled: true)!.Value;
            (number, isRedelivered).ShouldBe((i, i < 100));
        }
    }

    [Fact]
    public void Consumers_get_what_is_on_disk_in_order()
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 1000, size: 500);
        _bench.Restart(withCheckpoint: true);
        _bench.Publish("q", 1000, 10);
        List<int> numbers = [];
        var output = new FakeConsumer { OnDelivery = delivery => numbers.Add(DurableBench.NumberOf(delivery.Message)) };
        var consumer = new QueueConsumer(_bench.Queue("q"), output) { NoAck = true };
        _bench.Session.Consume(consumer);
        _bench.Session.Commands.Add(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
        _bench.Session.Commands.Run();
        while (_bench.ReadBack())
        {
        }
        numbers.ShouldBe(Enumerable.Range(0, 1010));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_purged_or_deleted_while_it_is_read_stays_away(bool isPurge)
    {
        _bench.Session.Queue("q");
        _bench.Publish("q", 0, 100);
        _bench.Checkpoint();
        _bench.Session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, _bench.Queue("q"))).Status.ShouldBe(QueueAnswerStatus.OnDisk);
        if (isPurge) _bench.Session.Purge("q").ShouldBe(100);
        else
        {
            _bench.Session.DeleteQueue("q", ifUnused: false, ifEmpty: false).ShouldBe(100);
            _bench.Session.Queue("q");
        }
        _bench.Publish("q", 200, 1);
        _bench.ReadBack().ShouldBeTrue();
        _bench.GetAll("q").ShouldBe([200]);
    }

    [Fact]
    public void A_queue_whose_segment_cannot_be_read_stands_still_and_others_go_on()
    {
        _bench.Session.Queue("bad");
        _bench.Session.Queue("good");
        _bench.Publish("bad", 0, 5);
        _bench.Checkpoint();
        _bench.Publish("good", 10, 5);
        _bench.Checkpoint();
        string segment = _bench.Disk.List("segments").Order(StringComparer.Ordinal).First();
        _bench.Disk.Corrupt(segment, 60, 1);
        _bench.Session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, _bench.Queue("bad"))).Status.ShouldBe(QueueAnswerStatus.OnDisk);
        _bench.ReadBack();
        _bench.Session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, _bench.Queue("bad"))).Status.ShouldBe(QueueAnswerStatus.OnDisk);
        _bench.Queue("bad").ReadyCount.ShouldBe(5, "nothing overtakes what cannot be read");
        _bench.GetAll("good").ShouldBe([10, 11, 12, 13, 14]);
    }

    [Fact]
    public void Whoever_consumes_is_told_of_what_cannot_be_read_and_who_comes_later_too()
    {
        _bench.Session.Queue("bad");
        _bench.Publish("bad", 0, 5);
        _bench.Checkpoint();
        _bench.Disk.Corrupt(_bench.Disk.List("segments").Single(), 60, 1);
        FakeConsumer first = new(), second = new();
        Consume(first);
        first.UnreadableCount.ShouldBe(0, "it is being read");
        _bench.ReadBack();
        first.UnreadableCount.ShouldBe(1);
        Consume(second);
        (first.UnreadableCount + second.UnreadableCount).ShouldBe(2);
        (first.Numbers.Count, second.Numbers.Count, _bench.Queue("bad").ReadyCount).ShouldBe((0, 0, 5));

        void Consume(FakeConsumer output)
        {
            var consumer = new QueueConsumer(_bench.Queue("bad"), output);
            _bench.Session.Commands.Ask(new QueueCommand(QueueCommandKind.Consume, consumer.Queue, Consumer: consumer));
            _bench.Session.Commands.Add(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
            _bench.Session.Commands.Run();
        }
    }
}
