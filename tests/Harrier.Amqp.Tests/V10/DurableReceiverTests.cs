using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// Links from the server that outlive their connection: what is held for them, and what becomes of it when they come back (1.0 part 2, sections 2.6.12 and 2.6.13).
/// </summary>
public sealed class DurableReceiverTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private WireScript10 _client = null!;

    public async Task InitializeAsync()
    {
        _server.Declare("q");
        _client = await _server.Open10();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_receiver_that_comes_back_goes_on_where_it_was()
    {
        await ReceiveAsync("a", "b", "c", "d");
        await ReconnectAsync();
        WireAttach attach = await _client.AttachInbox(new DurableEnd { Unsettled = [("#1", States10.Accepted), ("#2", null), ("#3", States10.Received)] });
        attach.Told().ShouldBe("#2= #3=");
        await _client.Grant(10, handle: 0);
        uint second = await _client.ExpectTagged("#2 b again");
        await _client.ExpectTagged("#3 c again");
        await _client.ExpectTagged("#4.1 d");
        await _client.Finish(second);
        _server.Queue("q").UnackedCount.ShouldBe(2);
        await ReconnectAsync();
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2", "#3", "#4.1") })).Told().ShouldBe("#3= #4.1=");
    }

    [Fact]
    public async Task What_is_held_nobody_else_gets()
    {
        await ReceiveAsync("a", "b");
        await TestServer.Lose(_client);
        await PublishAsync("c");
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.AttachReceiver(0);
        await other.Grant(10, handle: 0);
        (await other.ExpectDelivery(0)).Text.ShouldBe("c");
        await other.ExpectQuiet();
        _server.Queue("q").UnackedCount.ShouldBe(3);
    }

    [Fact]
    public async Task What_the_receiver_does_not_know_goes_back_to_its_place()
    {
        await ReceiveAsync("a", "b");
        await ReconnectAsync();
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#2") })).Told().ShouldBe("#2=");
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.AttachReceiver(0);
        await other.Grant(10, handle: 0);
        WireDelivery10 delivery = await other.ExpectDelivery(0);
        (delivery.Text, delivery.DeliveryCount, delivery.FirstAcquirer).ShouldBe<(string, uint?, bool?)>(("a", 0u, false));
    }

    [Fact]
    public async Task Outcomes_in_the_map_are_carried_out()
    {
        _server.Declare("dead");
        _server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead", pattern: "^q$");
        await ReceiveAsync("rejected", "released", "failed", "useless");
        await ReconnectAsync();
        (string, byte[]?)[] map =
        [
            ("#1", States10.Rejected), ("#2", States10.Released),
            ("#3", States10.Modified(deliveryFailed: true)), ("#4", States10.Modified(undeliverableHere: true)),
        ];
        (await _client.AttachInbox(new DurableEnd { Unsettled = map })).Told().ShouldBe("");
        _server.Queue("dead").ReadyCount.ShouldBe(2);
        await _client.Grant(10, handle: 0);
        await _client.ExpectTagged("#2.1 released");
        WireDelivery10 failed = await _client.ExpectDelivery(0);
        (failed.Text, failed.DeliveryCount).ShouldBe<(string, uint?)>(("failed", 1u));
    }

    [Fact]
    public async Task What_was_done_in_a_transaction_that_is_gone_was_not_done()
    {
        await ReceiveAsync("a");
        await ReconnectAsync();
        byte[] state = States10.In("00000001", States10.Accepted);
        (await _client.AttachInbox(new DurableEnd { Unsettled = [("#1", state)] })).Told().ShouldBe("#1=");
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 a again");
    }

    [Fact]
    public async Task What_a_receiver_does_not_tell_in_an_incomplete_map_stays_held_and_nothing_new_comes()
    {
        await ReceiveAsync("a", "b", "c");
        await ReconnectAsync();
        await PublishAsync("d");
        var end = new DurableEnd { Unsettled = [("#1", null), ("#2", States10.Accepted)], IsIncomplete = true };
        (await _client.AttachInbox(end)).Told().ShouldBe("#1=");
        await _client.Grant(10, handle: 0);
        uint id = await _client.ExpectTagged("#1 a again");
        await _client.Finish(id);
        await _client.ExpectQuiet();
        await _client.Detach(0, closed: false);
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#3") })).Told().ShouldBe("#3=");
        await _client.Grant(10, handle: 0);
        await _client.ExpectTagged("#3 c again");
        await _client.ExpectTagged("#4 d");
    }

    [Fact]
    public async Task A_map_that_does_not_fit_a_frame_is_told_in_parts()
    {
        string[] texts = [.. Enumerable.Range(1, 40).Select(n => $"{n}")], tags = [.. texts.Select(n => $"#{n}")];
        await ReceiveAsync(texts);
        await ReconnectAsync(new OpenOptions10 { MaxFrameSize = 512 });
        await PublishAsync("new");
        WireAttach attach = await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown(tags) });
        attach.IncompleteUnsettled.ShouldBeTrue();
        await _client.Grant(100, handle: 0);
        var ids = new List<uint>();
        for (int n = 1; n <= 40; n++) ids.Add(await _client.ExpectTagged($"#{n} {n} again"));
        foreach (uint id in ids) await _client.Finish(id);
        await _client.ExpectQuiet();
        await _client.Detach(0, closed: false);
        (await _client.AttachInbox()).IncompleteUnsettled.ShouldBeFalse();
        await _client.Grant(100, handle: 0);
        await _client.ExpectTagged("#41 new");
    }

    [Fact]
    public async Task More_than_may_wait_in_memory_is_resumed_in_parts()
    {
        const int Half = (8 << 20) + 1; // two of them are more than the 16 MiB that wait for credit
        await ReceiveAsync(new string('a', Half), new string('b', Half), "c", "d");
        await ReconnectAsync();
        await PublishAsync("new");
        WireAttach attach = await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2", "#3", "#4") });
        (attach.Told(), attach.IncompleteUnsettled).ShouldBe(("#1= #2=", true));
        await _client.Grant(10, handle: 0);
        WireDelivery10 first = await _client.ExpectDelivery(0), second = await _client.ExpectDelivery(0);
        (first.Text.Length, first.Text[0], second.Text.Length, second.Text[0]).ShouldBe((Half, 'a', Half, 'b'));
        await _client.Finish(first.DeliveryId);
        await _client.Finish(second.DeliveryId);
        await _client.ExpectQuiet();
        await _client.Detach(0, closed: false);
        attach = await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#3", "#4") });
        (attach.Told(), attach.IncompleteUnsettled).ShouldBe(("#3= #4=", false));
        await _client.Grant(10, handle: 0);
        await _client.ExpectTagged("#3 c again");
        await _client.ExpectTagged("#4 d again");
        await _client.ExpectTagged("#5 new");
    }

    [Fact]
    public async Task What_is_resumed_takes_credit()
    {
        await ReceiveAsync("a", "b", "c");
        await ReconnectAsync();
        await PublishAsync("d");
        await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2", "#3") });
        await _client.Grant(2, handle: 0);
        await _client.ExpectTagged("#1 a again");
        await _client.ExpectTagged("#2 b again");
        await _client.ExpectQuiet();
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#3 c again");
        await _client.ExpectQuiet();
        await _client.Grant(5, handle: 0, drain: true);
        await _client.ExpectTagged("#4 d");
        WireFlow drained = await _client.Expect<WireFlow>();
        (drained.LinkCredit, drained.DeliveryCount, drained.Drain).ShouldBe<(uint?, uint?, bool)>((0u, 8u, true));
    }

    [Fact]
    public async Task What_was_not_resumed_when_the_link_went_again_is_still_held()
    {
        await ReceiveAsync("a", "b");
        for (int i = 0; i < 3; i++)
        {
            await ReconnectAsync();
            (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1", "#2") })).Told().ShouldBe("#1= #2=");
            await _client.Grant(1, handle: 0);
            await _client.ExpectTagged("#1 a again");
        }
        _server.Queue("q").UnackedCount.ShouldBe(2);
    }

    [Fact]
    public async Task Another_address_gives_back_what_is_held_of_the_first()
    {
        _server.Declare("other");
        await ReceiveAsync("a");
        await ReconnectAsync();
        (await _client.AttachInbox(new DurableEnd { Address = "/queues/other", Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("");
        _server.Queue("q").ReadyCount.ShouldBe(1);
        _server.TerminusCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_queue_that_is_gone_cannot_be_attached_to_and_one_of_its_name_is_another()
    {
        await ReceiveAsync("a");
        await ReconnectAsync();
        _server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") });
        await _client.ExpectDetach("amqp:not-found");
        _server.Declare("q");
        await PublishAsync("another");
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("");
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 another");
    }

    [Fact]
    public async Task A_queue_that_is_deleted_under_the_link_suspends_it()
    {
        await ReceiveAsync("a");
        _server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        await _client.ExpectSuspended("amqp:resource-deleted");
    }

    [Fact]
    public async Task A_purge_leaves_what_is_held()
    {
        await ReceiveAsync("a");
        await ReconnectAsync();
        await PublishAsync("b");
        _server.Session().Purge("q").ShouldBe(1);
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
    }

    [Fact]
    public async Task What_is_held_neither_expires_nor_is_taken_back_for_slowness()
    {
        _server.SetPolicy("message-ttl=1000 consumer-timeout=1000");
        await ReceiveAsync("a", "b");
        _server.Pass(60_000);
        _server.Queue("q").UnackedCount.ShouldBe(2);
        await ReconnectAsync();
        _server.Pass(60_000);
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
        _server.Queue("q").UnackedCount.ShouldBe(1);
        _server.Queue("q").ReadyCount.ShouldBe(0); // the other went back, too late
    }

    [Fact]
    public async Task A_message_that_failed_too_often_is_a_dead_letter()
    {
        _server.Session().DeclareQueue("limited", durable: true, exclusive: false, autoDelete: false, new ArgumentTable(
            [new Argument("x-queue-type", ArgumentValue.Of("quorum")), new Argument("x-delivery-limit", ArgumentValue.Of(1L))]));
        var end = new DurableEnd { Address = "/queues/limited" };
        await PublishAsync("a", "/queues/limited");
        await _client.AttachInbox(end);
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 a");
        for (int times = 1; times <= 2; times++)
        {
            await ReconnectAsync();
            await _client.AttachInbox(end with { Unsettled = [(times == 1 ? "#1" : "#1.1", States10.Modified(deliveryFailed: true))] });
            await _client.Grant(1, handle: 0);
            if (times == 1) (await _client.ExpectDelivery(0)).DeliveryCount.ShouldBe(1u);
        }
        await _client.ExpectQuiet();
        (_server.Queue("limited").ReadyCount + _server.Queue("limited").UnackedCount).ShouldBe(0);
    }

    [Fact]
    public async Task Priorities_hold_for_what_went_back()
    {
        var arguments = new ArgumentTable([new Argument("x-max-priority", ArgumentValue.Of(9L))]);
        _server.Session().DeclareQueue("p", durable: false, exclusive: false, autoDelete: false, arguments);
        var end = new DurableEnd { Address = "/queues/p" };
        await PublishAsync("low", "/queues/p", priority: 1);
        await _client.AttachInbox(end);
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 low");
        await ReconnectAsync();
        await PublishAsync("high", "/queues/p", priority: 8);
        await _client.AttachInbox(end);
        await _client.Grant(2, handle: 0);
        await _client.ExpectTagged("#2 high");
        await _client.ExpectTagged("#1.1 low");
    }

    [Theory]
    [InlineData(TerminusDurability.None)]
    [InlineData(TerminusDurability.Configuration)]
    public async Task Without_durability_everything_goes_back(TerminusDurability durability)
    {
        await ReceiveAsync(new DurableEnd { Durability = durability }, "a");
        await TestServer.Lose(_client);
        _server.Queue("q").ReadyCount.ShouldBe(1);
        _server.TerminusCount.ShouldBe(0);
    }

    private async Task ReceiveAsync(params string[] texts) => await ReceiveAsync(new DurableEnd(), texts);

    private async Task ReceiveAsync(DurableEnd end, params string[] texts)
    {
        foreach (string text in texts) await PublishAsync(text);
        await _client.AttachInbox(end);
        await _client.Grant((uint)texts.Length, end.Handle);
        for (int i = 0; i < texts.Length; i++) (await _client.ExpectDelivery(end.Handle)).Text.ShouldBe(texts[i]);
    }

    private async Task PublishAsync(string text, string address = "/queues/q", byte? priority = null)
    {
        WireScript10 publisher = await _server.Open10(new OpenOptions10 { ContainerId = "publisher" });
        await publisher.AttachSender(0, address);
        byte[] message = new Message10().Header(new MessageHeader { Durable = true, Priority = priority }).Data(text).Bytes;
        uint id = publisher.NextDeliveryId();
        await publisher.Send(new Frames10().Message(id, message, payloadBytesMax: 100_000));
        await publisher.ExpectDisposition("accepted", id);
        await publisher.Close();
    }

    private async Task ReconnectAsync(OpenOptions10? options = null)
    {
        await TestServer.Lose(_client);
        _client = await _server.Open10(options);
    }
}
