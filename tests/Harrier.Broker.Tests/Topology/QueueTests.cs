using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Topology;

/// <summary>What may be done with queues; the numbers in names are RabbitMQ behaviour notes.</summary>
public class QueueTests
{
    private const string Locked =
        "cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another connection or the exclusive " +
        "property value does not match that of the original declaration.";

    private readonly TestBroker _broker = new();
    private readonly ClientSession _session;

    public QueueTests() => _session = _broker.Connect();

    [Fact]
    public void Note_27_a_reserved_name_is_refused_only_for_what_is_new()
    {
        Refused(() => _session.Queue("amq.foo"), ErrorCode.AccessRefused, "queue name 'amq.foo' contains reserved prefix 'amq.*'");
        Queue generated = _session.Queue("");
        _session.Queue(generated.NameText).ShouldBeSameAs(generated);
        Refused(() => _session.DeclareQueuePassively("amq.foo"), ErrorCode.NotFound, "no queue 'amq.foo' in vhost '/'");
    }

    [Fact]
    public void Note_30_names_from_the_broker_are_22_characters_that_differ()
    {
        string[] names = [.. Enumerable.Range(0, 100).Select(_ => _session.Queue("").NameText)];
        names.ShouldBeUnique();
        names.ShouldAllBe(n => System.Text.RegularExpressions.Regex.IsMatch(n, "^amq\\.gen-[A-Za-z0-9_-]{22}$"));
    }

    [Fact]
    public void Note_30_a_quorum_queue_has_a_name() =>
        Refused(() => _session.Queue("", arguments: Quorum), ErrorCode.PreconditionFailed, "Cannot declare a server-named queue for type rabbit_quorum_queue");

    [Fact]
    public void Note_31_an_exclusive_queue_is_never_durable()
    {
        _session.Queue("q", durable: true, exclusive: true).Definition.IsDurable.ShouldBeFalse();
        _session.Queue("q", durable: true, exclusive: true);
        _session.Queue("q", durable: false, exclusive: true);
    }

    [Fact]
    public void Note_32_an_exclusive_queue_is_closed_to_others_in_every_way()
    {
        _session.Queue("q", exclusive: true);
        _session.BindQueue("amq.direct", "q", "k");
        ClientSession other = _broker.Connect();
        Action[] attempts =
        [
            () => other.Queue("q"), () => other.Queue("q", exclusive: true), () => other.DeclareQueuePassively("q"),
            () => other.BindQueue("amq.direct", "q", "x"), () => other.UnbindQueue("amq.direct", "q", "k"), () => other.QueueToRead("q"),
            () => other.Purge("q"), () => other.DeleteQueue("q", false, false), () => other.DeleteQueue("q", true, true),
        ];
        foreach (Action attempt in attempts) attempt.ShouldBeRefused(ErrorCode.ResourceLocked, Locked);
        _broker.Route("amq.direct", "k").ShouldBe(["q"], "publishing to it is open to everyone");
    }

    [Fact]
    public void Note_33_exclusivity_must_be_the_same_on_the_own_connection_too()
    {
        _session.Queue("q");
        Refused(() => _session.Queue("q", exclusive: true), ErrorCode.ResourceLocked, Locked);
        _session.DeleteQueue("q", false, false);
        _session.Queue("q", exclusive: true);
        Refused(() => _session.Queue("q"), ErrorCode.ResourceLocked, Locked);
    }

    [Fact]
    public void Note_33_a_declaration_that_differs_names_the_first_difference()
    {
        _session.Queue("q");
        Refused(
            () => _session.Queue("q", durable: false, autoDelete: true), ErrorCode.PreconditionFailed,
            "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'");
        Refused(
            () => _session.Queue("q", autoDelete: true, arguments: Quorum), ErrorCode.PreconditionFailed,
            "inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but current is 'false'");
        Refused(
            () => _session.Queue("q", arguments: Quorum), ErrorCode.PreconditionFailed,
            "inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received the value 'quorum' of type 'longstr' but current is none");
    }

    [Fact]
    public void Note_34_a_passive_declaration_finds_what_is_there()
    {
        Queue queue = _session.Queue("q", durable: false, autoDelete: true);
        _session.DeclareQueuePassively("q").ShouldBeSameAs(queue);
        Refused(() => _session.DeclareQueuePassively("missing"), ErrorCode.NotFound, "no queue 'missing' in vhost '/'");
    }

    [Fact]
    public void Note_35_deleting_what_is_missing_is_fine_and_purging_it_is_not()
    {
        _session.DeleteQueue("missing", true, true).ShouldBe(0);
        Refused(() => _session.Purge("missing"), ErrorCode.NotFound, "no queue 'missing' in vhost '/'");
    }

    [Fact]
    public void Note_36_deletion_may_ask_for_an_unused_or_an_empty_queue()
    {
        Queue queue = _session.Queue("q");
        _session.Commands.Ask(new QueueCommand(QueueCommandKind.Enqueue, queue, TestMessages.Create()));
        var consumer = new QueueConsumer(queue, new FakeConsumer());
        _session.Consume(consumer);
        Refused(() => _session.DeleteQueue("q", ifUnused: true, ifEmpty: true), ErrorCode.PreconditionFailed, "queue 'q' in vhost '/' in use");
        _session.Cancel(consumer);
        Refused(() => _session.DeleteQueue("q", ifUnused: true, ifEmpty: true), ErrorCode.PreconditionFailed, "queue 'q' in vhost '/' not empty");
        _session.DeleteQueue("q", ifUnused: true, ifEmpty: false).ShouldBe(1);
        _broker.Host.Topology.Queues.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true, false, "if-unused")]
    [InlineData(false, true, "if-empty")]
    public void Note_36_a_quorum_queue_is_deleted_without_conditions(bool ifUnused, bool ifEmpty, string flag)
    {
        _session.Queue("q", arguments: Quorum);
        Action attempt = () => _session.DeleteQueue("q", ifUnused, ifEmpty);
        attempt.ShouldBeRefused(
            ErrorCode.NotImplemented, $"cannot delete queue 'q' in vhost '/'. queue.delete operations with {flag} flag set are not supported by quorum queues",
            ErrorScope.Connection);
        _session.DeleteQueue("q", false, false).ShouldBe(0);
    }

    [Fact]
    public void Note_41_an_auto_delete_queue_goes_with_its_last_consumer_and_its_bindings_with_it()
    {
        Queue queue = _session.Queue("q", autoDelete: true);
        _session.BindQueue("amq.direct", "q", "k");
        QueueConsumer a = new(queue, new FakeConsumer()), b = new(queue, new FakeConsumer());
        _session.Consume(a);
        _session.Consume(b);
        _session.Cancel(a);
        _broker.Route("amq.direct", "k").ShouldBe(["q"]);
        _session.Cancel(b);
        _broker.Route("amq.direct", "k").ShouldBeEmpty();
        _broker.Host.Topology.Queues.ShouldBeEmpty();
        _broker.Host.Topology.BindingsBySource.ShouldBeEmpty();
    }

    [Fact]
    public void A_queue_that_has_ended_but_still_stands_in_the_topology_is_not_there()
    {
        Queue ended = _session.Queue("q", autoDelete: true);
        _session.BindQueue("amq.direct", "q", "k");
        var consumer = new QueueConsumer(ended, new FakeConsumer());
        _session.Consume(consumer);
        // The queue ends in its shard before its session takes it out of the topology; others may come in between.
        _session.Commands.Ask(new QueueCommand(QueueCommandKind.Cancel, ended, Consumer: consumer)).HasEnded.ShouldBeTrue();

        ClientSession other = _broker.Connect();
        Refused(() => other.DeclareQueuePassively("q"), ErrorCode.NotFound, "no queue 'q' in vhost '/'");
        Refused(() => other.BindQueue("amq.direct", "q", "x"), ErrorCode.NotFound, "no queue 'q' in vhost '/'");
        other.DeleteQueue("q", false, false).ShouldBe(0);
        Queue next = other.Queue("q", durable: false);
        next.ShouldNotBeSameAs(ended);
        _broker.Route("amq.direct", "k").ShouldBeEmpty("the bindings of the old queue went with it");

        _broker.Host.RemoveQueue(ended);
        other.DeclareQueuePassively("q").ShouldBeSameAs(next, "the late removal must not take its successor");
    }

    [Fact]
    public void Note_81_an_exclusive_consumer_and_others_are_in_each_others_way()
    {
        Queue queue = _session.Queue("q");
        _session.Consume(new QueueConsumer(queue, new FakeConsumer()));
        Refused(
            () => _session.Consume(new QueueConsumer(queue, new FakeConsumer()) { IsExclusive = true }),
            ErrorCode.AccessRefused, "queue 'q' in vhost '/' in exclusive use");
    }

    [Fact]
    public void Consuming_from_a_queue_that_ends_meanwhile_is_refused()
    {
        Queue queue = _session.Queue("q");
        _broker.Connect().DeleteQueue("q", false, false);
        Refused(() => _session.Consume(new QueueConsumer(queue, new FakeConsumer())), ErrorCode.NotFound, "no queue 'q' in vhost '/'");
    }

    [Fact]
    public void Note_18_exclusive_queues_are_gone_when_the_connection_is_closed()
    {
        Queue queue = _session.Queue("q", exclusive: true);
        _session.Queue("stays");
        var output = new FakeConsumer();
        _session.Consume(new QueueConsumer(queue, output));
        _session.Close();
        output.LostItsQueue.ShouldBeTrue();
        _broker.Host.Topology.Queues.Keys.ShouldBe([new Utf8Name("stays")]);
        _broker.Connect().Queue("q", exclusive: true).ShouldNotBeSameAs(queue);
    }

    [Fact]
    public void An_exclusive_queue_that_was_deleted_is_not_deleted_again_with_its_connection()
    {
        _session.Queue("q", exclusive: true);
        _session.DeleteQueue("q", false, false);
        Queue next = _broker.Connect().Queue("q");
        _session.Close();
        next.IsDeleted.ShouldBeFalse();
        _broker.Host.Topology.Queues.Count.ShouldBe(1);
    }

    [Fact]
    public void Names_may_be_any_bytes()
    {
        byte[] bytes = [0xFF, 0x00, 0x0A];
        Queue queue = _session.DeclareQueue(new Utf8Name(bytes.AsSpan()), true, false, false, ArgumentTable.Empty);
        _session.DeclareQueuePassively(new Utf8Name(bytes.AsSpan())).ShouldBeSameAs(queue);
    }

    private static Argument[] Quorum => [new Argument("x-queue-type", ArgumentValue.Of("quorum"))];

    private static void Refused(Action action, ErrorCode code, string text) => action.ShouldBeRefused(code, text);
}
