using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Amqp.Tests.V10;

/// <summary>A link from a queue that outlives its connection is one of the queue's consumers until its terminus ends, whether or not anybody is attached.</summary>
public sealed class SuspendedConsumerTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private WireScript10 _client = null!;

    private bool IsThere => _server.Host.Topology.Queues.ContainsKey("q");

    public async Task InitializeAsync()
    {
        DeclareAutoDelete(_server);
        _client = await _server.Open10();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_queue_that_goes_with_its_last_consumer_goes_with_the_terminus()
    {
        await _client.AttachInbox();
        await _client.Detach(0, closed: false);
        IsThere.ShouldBeTrue();
        await _client.AttachInbox();
        await _client.Detach(0);
        IsThere.ShouldBeFalse();
        _server.TerminusCount.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_in_it_and_what_is_held_goes_with_it()
    {
        await HoldAsync(new DurableEnd());
        await _client.Detach(0);
        IsThere.ShouldBeFalse();
    }

    [Fact]
    public async Task A_terminus_that_expires_takes_the_queue_with_it()
    {
        await HoldAsync(new DurableEnd { Policy = "link-detach", TimeoutSeconds = 10 });
        await _client.Detach(0, closed: false);
        _server.Pass(9_900);
        IsThere.ShouldBeTrue();
        _server.Pass(200);
        IsThere.ShouldBeFalse();
    }

    [Fact]
    public async Task Other_consumers_that_come_and_go_do_not_take_it_with_them()
    {
        await HoldAsync(new DurableEnd());
        await _client.Detach(0, closed: false);
        await _client.AttachReceiver(2);
        await _client.Detach(2);
        IsThere.ShouldBeTrue();
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
    }

    [Fact]
    public async Task It_stays_while_there_is_another_consumer_of_either_kind()
    {
        await _client.AttachInbox();
        await _client.AttachInbox(new DurableEnd { Handle = 2, Name = "second" });
        await _client.AttachReceiver(3);
        await _client.Detach(2, closed: false);
        await _client.Detach(0);
        IsThere.ShouldBeTrue();
        await _client.Detach(3);
        IsThere.ShouldBeTrue("the second is suspended");
        await _client.AttachInbox(new DurableEnd { Handle = 2, Name = "second" });
        await _client.Detach(2);
        IsThere.ShouldBeFalse();
    }

    [Fact]
    public async Task It_is_in_use_for_who_would_delete_it_only_if_it_is_not()
    {
        await _client.AttachInbox();
        await _client.Detach(0, closed: false);
        Should.Throw<Harrier.Broker.BrokerException>(() => _server.Session().DeleteQueue("q", ifUnused: true, ifEmpty: false)).Message.ShouldBe("queue 'q' in vhost '/' in use");
    }

    [Fact]
    public async Task A_queue_is_not_unused_while_somebody_may_come_back_to_it()
    {
        _server.Session().DeclareQueue("brief", durable: true, exclusive: false, autoDelete: false, new ArgumentTable(new Argument("x-expires", ArgumentValue.Of(5_000L))));
        await _client.AttachInbox(new DurableEnd { Address = "/queues/brief" });
        await _client.Detach(0, closed: false);
        _server.Pass(6_000);
        await _client.AttachInbox(new DurableEnd { Address = "/queues/brief" });
        _server.Pass(6_000);
        await _client.Detach(0);
        _server.Pass(4_900);
        _server.Host.Topology.Queues.ContainsKey("brief").ShouldBeTrue("its time begins when nobody comes back any more");
        _server.Pass(200);
        _server.Host.Topology.Queues.ContainsKey("brief").ShouldBeFalse();
    }

    [Fact]
    public async Task A_link_that_turns_to_another_queue_lets_go_of_the_first()
    {
        _server.Declare("other");
        await _client.AttachInbox();
        await _client.Detach(0, closed: false);
        await _client.AttachInbox(new DurableEnd { Address = "/queues/other" });
        IsThere.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_it_is_known_who_is_suspended(bool comesBack)
    {
        var disk = new SimDisk(1);
        using (var storage = new TestStorage(disk))
        {
            await using var server = new TestServer(storage: storage);
            DeclareAutoDelete(server);
            WireScript10 client = await server.Open10();
            await Committing(storage, client.AttachInbox());
            storage.Commit();
        }
        using var next = new TestStorage(disk.Crash());
        await using var restarted = new TestServer(storage: next);
        WireScript10 other = await restarted.Open10();
        await other.AttachReceiver(2);
        await other.Detach(2);
        restarted.Host.Topology.Queues.ContainsKey("q").ShouldBeTrue();
        if (comesBack) await Committing(next, other.AttachInbox());
        Queue terminus = restarted.Host.Topology.Queues.Values.Single(queue => queue.NameText.StartsWith("amq.link.", StringComparison.Ordinal));
        if (comesBack) await Committing(next, other.Detach(0));
        else restarted.Host.EndTerminus(terminus);
        restarted.Host.Topology.Queues.ShouldBeEmpty();
        next.Commit();
    }

    private static async Task Committing(TestStorage storage, Task task)
    {
        using var late = new CancellationTokenSource(TestServer.SafetyNet);
        while (!task.IsCompleted)
        {
            late.Token.ThrowIfCancellationRequested();
            storage.Commit();
            await Task.Yield();
        }
        await task;
    }

    private static void DeclareAutoDelete(TestServer server) =>
        server.Session().DeclareQueue("q", durable: true, exclusive: false, autoDelete: true, ArgumentTable.Empty);

    private async Task HoldAsync(DurableEnd end)
    {
        await _client.AttachSender(7);
        for (int i = 1; i < 3; i++) await _client.ExpectDisposition("accepted", await _client.Transfer($"{i}", handle: 7));
        await _client.AttachInbox(end);
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 1");
    }
}
