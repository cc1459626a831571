using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What comes back from its receiver, and what is part of a transaction: when it is told, and what a restart finds of it.</summary>
public sealed partial class DurableLinksOnDiskTests
{
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
        var end = new DurableEnd { Filter = Encoded10.Map(("initial", Encoded10.Described(0x468C00000004, Encoded10.String("initial = 'b'")))) };
        foreach (string text in (string[])["a", "b", "c"]) await PublishAsync(text);
        await During(_client.AttachInbox(end));
        await _client.Grant(1, handle: 0);
        await During(_client.ExpectTagged("#2 b"));
        if (isOnDisk) _storage.Checkpoint();
        await RestartAsync();
        if (isOnDisk) await RestartAsync();
        (await During(_client.AttachInbox(end with { Unsettled = DurableEnd.Unknown("#2") }))).Told().ShouldBe("#2=");
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
}
