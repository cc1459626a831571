using System.Text;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// Links that outlive the broker: what is promised waits for the log, and what was promised is found after a restart (1.0 part 3, section 3.5.5).
/// </summary>
public sealed partial class DurableLinksOnDiskTests : IAsyncLifetime
{
    private SimDisk _disk = new(1);
    private TestStorage _storage = null!;
    private TestServer _server = null!;
    private WireScript10 _client = null!;

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync() => await StopAsync();

    [Fact]
    public async Task A_delivery_is_accepted_when_it_and_its_tag_are_on_the_disk()
    {
        await During(_client.AttachOutbox());
        uint id = await _client.SendTagged("a", "A");
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", id, settled: false);
    }

    [Fact]
    public async Task A_sender_that_comes_back_is_told_only_what_is_on_the_disk()
    {
        await During(_client.AttachOutbox());
        await _client.SendTagged("a", "A");
        _client.Leave();
        _client = await _server.Open10();
        await _client.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("a") }.ToAttachOfSender());
        Task<WireAttach> attach = _client.Expect<WireAttach>();
        (await EndsBeforeTheCommit(attach)).ShouldBeFalse();
        (await During(attach)).Told().ShouldBe("a=accepted");
    }

    [Fact]
    public async Task A_delivery_goes_out_when_the_disk_has_who_got_it()
    {
        await PublishAsync("a");
        await During(_client.AttachInbox());
        await _client.Grant(1, handle: 0);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectTagged("#1 a");
    }

    [Fact]
    public async Task What_waits_for_the_disk_leaves_the_rest_in_the_queue_whatever_the_credit()
    {
        const int Count = 28, Size = 60_000;
        for (int i = 1; i <= Count; i++) await PublishAsync($"{i}".PadRight(Size, '.'));
        await During(_client.AttachInbox());
        await _client.Grant(1_000, handle: 0, echo: true);
        await _client.Expect<WireFlow>();
        _server.Queue("q").UnackedCount.ShouldBeInRange(15, 20); // a mebibyte, and what is decided at once
        for (int i = 1; i <= Count; i++) await During(_client.ExpectTagged($"#{i} {$"{i}".PadRight(Size, '.')}"));
        _server.Queue("q").UnackedCount.ShouldBe(Count);
    }

    [Fact]
    public async Task A_delivery_is_settled_when_the_disk_has_its_outcome()
    {
        uint id = await ReceiveAsync("a");
        await _client.Settle(id, States10.Accepted, settled: false);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectSettled(id);
    }

    [Fact]
    public async Task A_delivery_that_has_to_be_read_to_be_annotated_is_settled_when_the_disk_has_its_outcome()
    {
        uint id = await ReceiveAsync("a");
        _storage.Checkpoint();
        _storage.Commit();
        _storage.HoldsLoads = true;
        await _client.Settle(id, Encoded10.Composite(new Modified { UndeliverableHere = true, MessageAnnotations = Encoded10.Map(("x-why", Encoded10.String("b"))) }), settled: false);
        Task settled = _client.ExpectSettled(id);
        (await EndsBeforeTheCommit(settled)).ShouldBeFalse("it is not read");
        _storage.ReadBack().ShouldBeTrue();
        (await EndsBeforeTheCommit(settled)).ShouldBeFalse("it is not on the disk");
        await During(settled);
        _storage.HoldsLoads = false;
        await RestartAsync();
        (_server.Queue("q").ReadyCount, _server.Queue("q").UnackedCount).ShouldBe((0, 0), "it was dead-lettered, to nowhere");
    }

    [Fact]
    public async Task A_link_is_closed_when_the_disk_has_that_it_is()
    {
        await ReceiveAsync("a");
        await _client.Send(new Detach { Handle = 0, Closed = true });
        Task<WireDetach> detach = _client.Expect<WireDetach>();
        (await EndsBeforeTheCommit(detach)).ShouldBeFalse();
        (await During(detach)).Closed.ShouldBeTrue();
        await RestartAsync();
        _server.TerminusCount.ShouldBe(0);
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task After_a_restart_a_sender_is_told_what_was_received()
    {
        await During(_client.AttachOutbox());
        await During(_client.SendAccepted("a", "A"));
        uint settled = await During(_client.SendAccepted("b", "B"));
        await _client.SettleSent(settled);
        _storage.Commit();
        await RestartAsync();
        (await During(_client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b", "c") }))).Told().ShouldBe("a=accepted");
        _server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restart_what_is_held_is_held(bool isOnDisk)
    {
        await ReceiveAsync("a", "b", "c");
        await PublishAsync("d");
        if (isOnDisk) _storage.Checkpoint();
        await RestartAsync();
        if (isOnDisk) await RestartAsync(); // from the manifest
        (_server.Queue("q").ReadyCount, _server.Queue("q").UnackedCount).ShouldBe((1, 3));
        WireAttach attach = await During(_client.AttachInbox(new DurableEnd { Unsettled = [("#1", null), ("#2", States10.Accepted)] }));
        attach.Told().ShouldBe("#1=");
        await _client.Grant(10, handle: 0);
        await During(_client.ExpectTagged("#1 a again"));
        await During(_client.ExpectTagged("#3.1 c"));
        await During(_client.ExpectTagged("#4 d"));
    }

    [Fact]
    public async Task What_is_put_down_while_a_link_is_there_is_resumed_from_the_disk()
    {
        await ReceiveAsync("a", "b");
        _storage.Checkpoint();
        _client.Leave();
        _client = await _server.Open10();
        await During(_client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2") }));
        await _client.Grant(10, handle: 0);
        await During(_client.ExpectTagged("#1 a again"));
        await During(_client.ExpectTagged("#2 b again"));
    }

    [Fact]
    public async Task A_terminus_that_does_not_come_back_in_time_expires_after_a_restart_too()
    {
        await During(_client.AttachInbox(new DurableEnd { Policy = "link-detach", TimeoutSeconds = 10 }));
        await PublishAsync("a");
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1 a"));
        await RestartAsync();
        _server.TerminusCount.ShouldBe(1);
        _server.Pass(11_000);
        _server.TerminusCount.ShouldBe(0);
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Another_time_is_kept_over_a_restart()
    {
        var end = new DurableEnd { Policy = "link-detach", TimeoutSeconds = 10 };
        await During(_client.AttachInbox(end));
        await _client.Detach(0, closed: false);
        await During(_client.AttachInbox());
        _storage.Commit();
        await RestartAsync();
        _server.Pass(60_000);
        _server.TerminusCount.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_not_persistent_does_not_survive_though_its_tag_does()
    {
        await During(_client.AttachOutbox());
        Task sent = _client.Send(new Transfer { Handle = 0, DeliveryId = 0, DeliveryTag = "a"u8 }, payload: Message10.Of("A"));
        await sent;
        await During(_client.ExpectDisposition("accepted", 0, settled: false));
        await RestartAsync();
        (await During(_client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a") }))).Told().ShouldBe("a=accepted");
        _server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task A_transaction_whose_delivery_was_taken_back_does_nothing()
    {
        uint id = await ReceiveAsync("a");
        await During(_client.AttachSender(3));
        await During(_client.AttachCoordinator());
        string transaction = await During(_client.Declare());
        await _client.ExpectDisposition("transactional-state", await _client.Transfer("b", handle: 3, state: States10.In(transaction)));
        await _client.Settle(id, States10.In(transaction, States10.Accepted), settled: false);
        await _client.Detach(0, closed: false);
        WireState outcome = await During(_client.Discharge(transaction));
        (outcome.Name, outcome.Error?.Condition).ShouldBe<(string, string?)>(("rejected", "amqp:transaction:rollback"));
        (_server.Queue("q").ReadyCount, _server.Queue("q").UnackedCount).ShouldBe((0, 1));
        (await During(_client.AttachInbox(new DurableEnd { Unsettled = [("#1", States10.In(transaction, States10.Accepted))] }))).Told().ShouldBe("#1=");
    }

    [Fact]
    public async Task A_link_whose_tags_cannot_be_read_is_answered_and_detached()
    {
        await During(_client.AttachOutbox());
        await During(_client.SendAccepted("the-tag", "A"));
        _storage.Checkpoint();
        DamageSegments("the-tag");
        _client.Leave();
        _client = await _server.Open10();
        for (int times = 0; times < 2; times++)
        {
            await _client.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("the-tag") }.ToAttachOfSender());
            (await During(_client.Expect<WireAttach>())).HasTarget.ShouldBeFalse();
            await During(_client.ExpectSuspended("amqp:internal-error"));
            await _client.ExpectQuiet();
        }
        await During(_client.AttachOutbox(new DurableEnd { Name = "another" }));
        await During(_client.SendAccepted("b", "B"));
    }

    [Fact]
    public async Task A_link_whose_tags_cannot_be_read_after_a_restart_is_answered_and_detached()
    {
        await During(_client.AttachOutbox());
        await During(_client.SendAccepted("the-tag", "A"));
        _storage.Checkpoint();
        DamageSegments("the-tag");
        await RestartAsync();
        await _client.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("the-tag") }.ToAttachOfSender());
        (await During(_client.Expect<WireAttach>())).HasTarget.ShouldBeFalse();
        await During(_client.ExpectSuspended("amqp:internal-error"));
        await _client.ExpectQuiet();
    }

    [Fact]
    public async Task A_link_whose_messages_cannot_be_read_is_answered_and_detached()
    {
        await ReceiveAsync("first", "the-text");
        _storage.Checkpoint();
        DamageSegments("the-text");
        _client.Leave();
        _client = await _server.Open10();
        for (int times = 0; times < 2; times++)
        {
            await _client.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2") }.ToAttachOfReceiver());
            (await During(_client.Expect<WireAttach>())).HasSource.ShouldBeFalse();
            await During(_client.ExpectSuspended("amqp:internal-error"));
            await _client.ExpectQuiet();
        }
        (await During(_client.AttachInbox(new DurableEnd { Unsettled = [("#1", null), ("#2", States10.Accepted)] }))).Told().ShouldBe("#1=");
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1 first again"));
    }

    /// <summary>Flips a bit in all that was put down of a text.</summary>
    private void DamageSegments(string text)
    {
        int count = 0;
        foreach (string segment in _disk.List("segments"))
        {
            int at = _disk.Snapshot(segment).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
            if (at < 0) continue;
            _disk.Corrupt(segment, at, 1);
            count++;
        }
        count.ShouldBe(1);
    }

    /// <summary>Has the log committed while something is awaited.</summary>
    private async Task<T> During<T>(Task<T> task)
    {
        using var late = new CancellationTokenSource(TestServer.SafetyNet);
        while (!task.IsCompleted)
        {
            late.Token.ThrowIfCancellationRequested();
            _storage.Commit();
            await Task.Yield();
        }
        return await task;
    }

    private Task<bool> During(Task task) => During(task.ContinueWith(done => { done.GetAwaiter().GetResult(); return true; }, TaskScheduler.Default));

    // Whoever does not wait for the log has answered long before another connection has been opened and closed.
    private async Task<bool> EndsBeforeTheCommit(Task task)
    {
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.ExpectQuiet();
        await other.Close();
        return task.IsCompleted;
    }

    private async Task<uint> ReceiveAsync(params string[] texts)
    {
        foreach (string text in texts) await PublishAsync(text);
        await During(_client.AttachInbox());
        await _client.Grant((uint)texts.Length, handle: 0);
        uint id = 0;
        for (int i = 0; i < texts.Length; i++) id = await During(_client.ExpectTagged($"#{i + 1} {texts[i]}"));
        return id;
    }

    private async Task PublishAsync(string text)
    {
        WireScript10 publisher = await _server.Open10(new OpenOptions10 { ContainerId = "publisher" });
        await publisher.AttachSender();
        uint id = await publisher.Transfer(new Message10()
            .Header(new MessageHeader { Durable = true }).ApplicationProperties(("initial", Encoded10.String(text[..1]))).Data(text).Bytes);
        await During(publisher.ExpectDisposition("accepted", id));
        await publisher.Close();
    }

    private async Task StartAsync()
    {
        _storage = new TestStorage(_disk);
        _server = new TestServer(storage: _storage);
        _server.Session().DeclareQueue("q", durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);
        _storage.Commit();
        _client = await _server.Open10();
    }

    private async Task StopAsync()
    {
        _storage.Commit();
        await During(_server.DisposeAsync().AsTask());
        _storage.Dispose();
    }

    private async Task RestartAsync()
    {
        _disk = _disk.Crash(); // what was not synced until now is lost
        _client.Leave();
        await StartAsync();
    }
}
