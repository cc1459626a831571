using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// Links that outlive the broker: what is promised waits for the log, and what was promised is found after a restart (1.0 part 3, section 3.5.5).
/// </summary>
public sealed class DurableLinksOnDiskTests : IAsyncLifetime
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
    public async Task A_delivery_is_settled_when_the_disk_has_its_outcome()
    {
        uint id = await ReceiveAsync("a");
        await _client.Settle(id, States10.Accepted, settled: false);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectSettled(id);
    }

    [Fact]
    public async Task What_comes_back_is_settled_when_the_disk_has_that_it_does()
    {
        uint id = await ReceiveAsync("a");
        await _client.Settle(id, States10.Released, settled: false);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectSettled(id);
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1.1 a"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_that_was_settled_is_counted_after_a_restart(bool isAnnotated)
    {
        uint id = await ReceiveAsync("a");
        if (isAnnotated) _storage.Checkpoint(); // what is to be annotated is read from the disk
        await _client.Settle(id, isAnnotated ? Annotated() : States10.Modified(deliveryFailed: true), settled: false);
        Task settled = _client.ExpectSettled(id);
        (await EndsBeforeTheCommit(settled)).ShouldBeFalse();
        await During(settled);
        await RestartAsync();
        (await During(_client.AttachInbox())).Told().ShouldBe("");
        await _client.Grant(1, handle: 0);
        (await During(_client.ExpectFailedTagged("#1.1 a"))).ShouldBe(1u);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_whose_settlement_was_lost_is_counted_once(bool isOnDisk)
    {
        uint id = await ReceiveAsync("a");
        await _client.Grant(1, handle: 0);
        await _client.Settle(id, States10.Modified(deliveryFailed: true), settled: false);
        await _client.ExpectQuiet();
        _storage.Commit(); // it has gone out once more, and nobody has seen that
        if (isOnDisk) _storage.Checkpoint();
        await RestartAsync();
        if (isOnDisk) await RestartAsync(); // from the manifest
        _server.Queue("q").UnackedCount.ShouldBe(1);
        (await During(_client.AttachInbox(new DurableEnd { Unsettled = [("#1", States10.Modified(deliveryFailed: true))] }))).Told().ShouldBe("");
        await _client.Grant(1, handle: 0);
        (await During(_client.ExpectFailedTagged("#1.2 a"))).ShouldBe(1u);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_has_come_back_keeps_its_tag_over_a_restart(bool isOnDisk)
    {
        uint id = await ReceiveAsync("a");
        await During(_client.Finish(id, States10.Released));
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1.1 a"));
        if (isOnDisk) _storage.Checkpoint();
        await RestartAsync();
        if (isOnDisk) await RestartAsync();
        (await During(_client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1.1") }))).Told().ShouldBe("#1.1=");
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1.1 a again"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_others_had_before_keeps_its_tag_over_a_restart(bool isOnDisk)
    {
        await PublishAsync("a");
        if (isOnDisk) _storage.Checkpoint();
        await During(_client.AttachReceiver(1));
        await _client.Grant(1);
        await _client.ExpectDelivery();
        _storage.Commit();
        await RestartAsync();
        await During(_client.AttachInbox());
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#1.1 a"));
        await RestartAsync();
        if (isOnDisk) _storage.Checkpoint();
        if (isOnDisk) await RestartAsync();
        (await During(_client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1.1") }))).Told().ShouldBe("#1.1=");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_taken_from_the_middle_keeps_its_tag_over_a_restart(bool isOnDisk)
    {
        var end = new DurableEnd { Filter = Encoded10.Map(("text", Encoded10.Described(0x468C00000004, Encoded10.String("text = 'b'")))) };
        foreach (string text in (string[])["a", "b", "c"]) await PublishAsync(text);
        await During(_client.AttachInbox(end));
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#2 b"));
        if (isOnDisk) _storage.Checkpoint();
        await RestartAsync();
        if (isOnDisk) await RestartAsync();
        (await During(_client.AttachInbox(end with { Unsettled = DurableEnd.Unknown("#2") }))).Told().ShouldBe("#2=");
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_transaction_is_found_with_its_tags_after_a_restart_or_not_at_all(bool isSynced)
    {
        await During(_client.AttachOutbox());
        await During(_client.AttachCoordinator());
        string transaction = await During(_client.Declare());
        await During(_client.PostTagged("a", transaction));
        await During(_client.PostTagged("b", transaction));
        _storage.Commit();
        byte[] discharge = Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(transaction)) });
        await _client.Transfer(new Message10().Value(discharge).Bytes, handle: 9);
        await _client.ExpectQuiet(); // it waits for the disk
        if (isSynced) _storage.Commit();
        await RestartAsync();
        _server.Queue("q").ReadyCount.ShouldBe(isSynced ? 2 : 0);
        (await During(_client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b") }))).Told().ShouldBe(isSynced ? "a=accepted b=accepted" : "");
    }

    private static byte[] Annotated() => Encoded10.Composite(new Modified
    {
        DeliveryFailed = true,
        MessageAnnotations = Encoded10.Of((ref ValueWriter writer) =>
        {
            int map = writer.BeginMap();
            writer.WriteSymbol("x-why"u8);
            writer.WriteString("because"u8);
            writer.End(map, 2);
        }),
    });

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
            .Header(new MessageHeader { Durable = true }).ApplicationProperties(("text", Encoded10.String(text))).Data(text).Bytes);
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
