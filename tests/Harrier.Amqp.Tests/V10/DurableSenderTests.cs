using Harrier.Amqp.V10.Durable;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// Links to the server that outlive their connection: what it remembers of deliveries, and for how long (1.0 part 2, sections 2.6.12, 2.6.13 and 2.7.3).
/// </summary>
public sealed class DurableSenderTests : IAsyncLifetime
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
    public async Task A_sender_that_comes_back_is_told_what_was_received()
    {
        (await _client.AttachOutbox()).Told().ShouldBe("");
        await _client.SendAccepted("a", "A");
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b") })).Told().ShouldBe("a=accepted");
        await _client.SendTagged("a", "", resume: true, settled: true);
        await _client.SendAccepted("b", "B");
        _server.Queue("q").ReadyCount.ShouldBe(2);
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b") })).Told().ShouldBe("b=accepted");
    }

    [Fact]
    public async Task The_attach_tells_that_the_terminus_is_durable()
    {
        (await _client.AttachOutbox(new DurableEnd { Policy = "connection-close", TimeoutSeconds = 7 })).Terminus
            .ShouldBe((TerminusDurability.UnsettledState, "connection-close", 7u));
    }

    [Theory]
    [InlineData(TerminusDurability.None, ReceiverSettleMode.Second)]
    [InlineData(TerminusDurability.Configuration, ReceiverSettleMode.Second)]
    [InlineData(TerminusDurability.UnsettledState, ReceiverSettleMode.First)] // it is settled with the answer: there is nothing to remember
    public async Task Others_are_not_remembered(TerminusDurability durability, ReceiverSettleMode mode)
    {
        var end = new DurableEnd { Durability = durability, Mode = mode };
        (await _client.AttachOutbox(end)).Terminus.Durability.ShouldNotBe(TerminusDurability.UnsettledState);
        uint id = await _client.SendTagged("a", "A");
        await _client.ExpectDisposition("accepted", id, settled: mode == ReceiverSettleMode.First);
        await ReconnectAsync();
        (await _client.AttachOutbox(end with { Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("");
        _server.TerminusCount.ShouldBe(0);
    }

    [Fact]
    public async Task What_the_sender_has_settled_is_forgotten()
    {
        await _client.AttachOutbox();
        uint first = await _client.SendAccepted("a", "A");
        uint last = await _client.SendAccepted("b", "B");
        await _client.SendAccepted("c", "C");
        await _client.SettleSent(first, last);
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b", "c") })).Told().ShouldBe("c=accepted");
    }

    [Fact]
    public async Task What_the_sender_does_not_tell_is_forgotten()
    {
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        await ReconnectAsync();
        (await _client.AttachOutbox()).Told().ShouldBe("");
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("");
    }

    [Fact]
    public async Task What_a_sender_does_not_tell_in_an_incomplete_map_is_not_forgotten_and_nothing_new_is_taken()
    {
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        await _client.SendAccepted("b", "B");
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a"), IsIncomplete = true })).Told().ShouldBe("a=accepted");
        await _client.SendTagged("a", "", resume: true, settled: true);
        await _client.SendTagged("c", "C");
        await _client.ExpectSuspended("amqp:not-allowed");
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b", "c") })).Told().ShouldBe("b=accepted");
        await _client.SendAccepted("c", "C");
        _server.Queue("q").ReadyCount.ShouldBe(3);
    }

    [Fact]
    public async Task A_map_that_does_not_fit_a_frame_is_told_in_parts()
    {
        string[] tags = [.. Enumerable.Range(0, 40).Select(n => $"tag-{n:000}")];
        await _client.AttachOutbox();
        foreach (string tag in tags) await _client.SendAccepted(tag, "x");
        int rounds = 0;
        for (bool isComplete = false; !isComplete; rounds++)
        {
            await ReconnectAsync(new OpenOptions10 { MaxFrameSize = 512 });
            WireAttach attach = await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown(tags) });
            string[] told = [.. attach.Unsettled!.Keys.Select(tag => System.Text.Encoding.ASCII.GetString(Convert.FromHexString(tag)))];
            foreach (string tag in told) await _client.SendTagged(tag, "", resume: true, settled: true);
            tags = [.. tags.Except(told)];
            isComplete = !attach.IncompleteUnsettled;
        }
        rounds.ShouldBeGreaterThan(1);
        tags.ShouldBeEmpty();
        _server.Queue("q").ReadyCount.ShouldBe(40);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delivery_that_comes_once_more_is_answered_and_not_taken_again(bool resume)
    {
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        await ReconnectAsync();
        await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a") });
        uint id = await _client.SendTagged("a", new string('A', 100), resume, payloadBytesMax: 20);
        await _client.ExpectDisposition("accepted", id, settled: false);
        await _client.SettleSent(id);
        await _client.SendAccepted("b", "B");
        _server.Queue("q").ReadyCount.ShouldBe(2);
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b") })).Told().ShouldBe("b=accepted");
    }

    [Fact]
    public async Task A_tag_that_is_used_again_too_early_names_the_same_delivery()
    {
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        await _client.SendAccepted("a", "another");
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_delivery_that_was_cut_off_is_sent_anew()
    {
        await _client.AttachOutbox();
        var transfer = new Transfer { Handle = 0, DeliveryId = 0, DeliveryTag = "a"u8, More = true };
        Task sent = _client.Send(new Frames10().Add(in transfer, payload: Message10.Of("A").AsSpan(0, 3)));
        await sent;
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("");
        await _client.SendAccepted("a", "A");
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Resumed_deliveries_take_credit_and_are_counted()
    {
        await _client.AttachOutbox();
        for (int i = 0; i < 3; i++) await _client.SendAccepted($"{i}", "x");
        await ReconnectAsync();
        await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("0", "1", "2") });
        for (int i = 0; i < 3; i++) await _client.SendTagged($"{i}", "", resume: true, settled: true);
        await _client.SendFlow(handle: 0, echo: true);
        WireFlow flow = await _client.Expect<WireFlow>();
        flow.DeliveryCount.ShouldBe(3u);
        flow.LinkCredit.ShouldBe((uint)DurableIncomingLink10.UnsettledMax - 3 - 3, "three were known at the attach, and three have come");
    }

    [Fact]
    public async Task What_is_refused_is_not_remembered()
    {
        _server.SetPolicy("max-length=1 overflow=reject-publish");
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        uint id = await _client.SendTagged("b", "B");
        await _client.ExpectDisposition("rejected", id, settled: false);
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a", "b") })).Told().ShouldBe("a=accepted");
    }

    [Fact]
    public async Task What_nobody_got_is_released_and_not_remembered()
    {
        var end = new DurableEnd { Address = "/exchanges/amq.direct/nowhere" };
        await _client.AttachOutbox(end);
        await _client.ExpectDisposition("released", await _client.SendTagged("a", "A"), settled: false);
        await ReconnectAsync();
        (await _client.AttachOutbox(end with { Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("");
    }

    [Fact]
    public async Task A_delivery_that_is_resumed_and_not_known_is_refused()
    {
        await _client.AttachOutbox();
        await _client.SendTagged("a", "", resume: true, settled: true);
        await _client.ExpectSuspended("amqp:invalid-field");
        _server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task The_same_tags_at_another_address_are_the_same_deliveries()
    {
        _server.Declare("other");
        await _client.AttachOutbox();
        await _client.SendAccepted("a", "A");
        await ReconnectAsync();
        (await _client.AttachOutbox(new DurableEnd { Address = "/queues/other", Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("a=accepted");
    }

    [Theory]
    [InlineData("40")] // null
    [InlineData("A10161")] // a string
    [InlineData("C10101")] // a map of one
    [InlineData("C10402A0016140")] // too short
    [InlineData("C10502A101614000")] // a string for a tag
    [InlineData("D1FFFFFFFF00000002A0016140")]
    [InlineData("C10602A0016100532900")] // no state of the standard
    public async Task A_map_that_is_none_ends_the_link_or_the_connection_and_nothing_else(string map)
    {
        await _client.Send(new DurableEnd { RawUnsettled = Convert.FromHexString(map) }.ToAttachOfSender());
        WireFrame10? answer = await _client.Receive();
        answer.ShouldNotBeNull();
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.AttachOutbox();
        await other.SendAccepted("a", "A");
    }

    [Fact]
    public async Task Tags_have_a_length()
    {
        string longTag = new('t', 33);
        await _client.Send(new DurableEnd { Unsettled = DurableEnd.Unknown(longTag) }.ToAttachOfSender());
        (await _client.Expect<WireAttach>()).HasTarget.ShouldBeFalse();
        await _client.ExpectDetach("amqp:decode-error");
        await _client.AttachOutbox();
        await _client.SendAccepted(longTag[1..], "A");
        await _client.SendTagged(longTag, "B");
        await _client.ExpectSuspended("amqp:invalid-field");
    }

    [Fact]
    public async Task A_sender_that_settles_nothing_runs_out_of_credit()
    {
        await _client.AttachOutbox();
        var frames = new Frames10();
        for (uint i = 0; i < 600; i++) frames.Message(i, Message10.Of("x"), settled: false);
        await _client.Send(frames);
        await _client.SendFlow(handle: 0, echo: true);
        WireFlow? flow = null;
        while (flow?.Handle is null) flow = await _client.Receive() is { Performative: WireFlow next } ? next : flow;
        flow.LinkCredit!.Value.ShouldBeLessThanOrEqualTo((uint)DurableIncomingLink10.UnsettledMax - 600);
    }

    private async Task ReconnectAsync(OpenOptions10? options = null)
    {
        await TestServer.Lose(_client);
        _client = await _server.Open10(options);
    }
}
