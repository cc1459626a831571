using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// Transactions on links to the server that outlive their connection: what it remembers of deliveries once they are discharged (1.0 part 4, section 4.4.4).
/// </summary>
public sealed class DurableTransactionTests : IAsyncLifetime
{
    private const int TransactionBytesMax = 20_000;

    private readonly TestServer _server = new(limits: new ConnectionLimits { TransactionBytesMax = TransactionBytesMax });
    private WireScript10 _client = null!;

    public async Task InitializeAsync()
    {
        _server.Declare("q");
        await OpenAsync();
        await _client.AttachOutbox();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_sender_that_comes_back_is_told_what_a_transaction_has_sent()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.PostTagged("b", id);
        (await _client.Discharge(id)).Name.ShouldBe("accepted");
        (await ComeBackAsync("a", "b", "c")).ShouldBe("a=accepted b=accepted");
        await _client.SendTagged("a", "", resume: true, settled: true);
        await _client.SendTagged("b", "", resume: true, settled: true);
        await _client.SendAccepted("c", "C");
        _server.Queue("q").ReadyCount.ShouldBe(3);
        (await ComeBackAsync("a", "b", "c")).ShouldBe("c=accepted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_not_discharged_or_rolled_back_is_not_remembered(bool isRolledBack)
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        if (isRolledBack) (await _client.Discharge(id, fail: true)).Name.ShouldBe("accepted");
        (await ComeBackAsync("a")).ShouldBe("");
        string again = await _client.Declare();
        await _client.PostTagged("a", again);
        (await _client.Discharge(again)).Name.ShouldBe("accepted");
        _server.Queue("q").ReadyCount.ShouldBe(1);
        (await ComeBackAsync("a")).ShouldBe("a=accepted");
    }

    [Fact]
    public async Task Of_two_transactions_only_that_which_was_committed_is_remembered()
    {
        string one = await _client.Declare(), two = await _client.Declare();
        await _client.PostTagged("a", one);
        await _client.PostTagged("b", two);
        await _client.SendAccepted("c", "C");
        await _client.PostTagged("d", one);
        await _client.Discharge(two, fail: true);
        await _client.Discharge(one);
        (await ComeBackAsync("a", "b", "c", "d")).ShouldBe("a=accepted c=accepted d=accepted");
        _server.Queue("q").ReadyCount.ShouldBe(3);
    }

    [Fact]
    public async Task A_transaction_that_a_queue_refuses_is_not_remembered()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.PostTagged("b", id);
        _server.SetPolicy("max-length=1 overflow=reject-publish", pattern: "q");
        (await _client.Discharge(id)).Error?.Condition.ShouldBe("amqp:transaction:rollback");
        await _client.SendAccepted("b", "B");
        (await ComeBackAsync("a", "b")).ShouldBe("b=accepted");
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_its_sender_settles_is_forgotten(bool isBefore)
    {
        string id = await _client.Declare();
        uint a = await _client.PostTagged("a", id);
        await _client.PostTagged("b", id);
        await _client.PostTagged("c", id, settled: true);
        if (isBefore) await _client.SettleSent(a);
        await _client.Discharge(id);
        if (!isBefore) await _client.SettleSent(a);
        (await ComeBackAsync("a", "b", "c")).ShouldBe("b=accepted");
        _server.Queue("q").ReadyCount.ShouldBe(3);
    }

    [Fact]
    public async Task What_nobody_got_is_not_remembered()
    {
        await _client.Detach(0, closed: false);
        var end = new DurableEnd { Address = "/exchanges/amq.direct/nowhere" };
        await _client.AttachOutbox(end);
        string id = await _client.Declare();
        WireState state = await _client.ExpectDisposition(
            "transactional-state", await _client.SendTagged("a", "A", state: States10.In(id)), settled: false);
        state.Outcome?.Name.ShouldBe("released");
        await _client.Discharge(id);
        (await ComeBackAsync("a")).ShouldBe("");
    }

    [Fact]
    public async Task What_a_transaction_has_sent_is_not_taken_again()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.Discharge(id);
        string next = await _client.Declare();
        uint delivery = await _client.SendTagged("a", "A", state: States10.In(next));
        await _client.ExpectDisposition("accepted", delivery, settled: false);
        await _client.Discharge(next, fail: true);
        _server.Queue("q").ReadyCount.ShouldBe(1);
        (await ComeBackAsync("a")).ShouldBe("a=accepted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tag_that_is_used_again_in_an_open_transaction_costs_the_link_and_the_transaction(bool isInTransaction)
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.SendTagged("a", "another", state: isInTransaction ? States10.In(id) : null);
        await _client.ExpectSuspended("amqp:invalid-field");
        (await _client.Discharge(id)).Error!.Condition.ShouldBe("amqp:transaction:rollback");
        (await ComeBackAsync("a")).ShouldBe("");
        _server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task A_tag_that_was_settled_may_be_used_again_in_the_same_transaction()
    {
        string id = await _client.Declare();
        uint first = await _client.PostTagged("a", id);
        await _client.SettleSent(first);
        await _client.PostTagged("a", id);
        await _client.Discharge(id);
        (await ComeBackAsync("a")).ShouldBe("a=accepted");
        await _client.SendTagged("a", "", resume: true, settled: true);
        (await ComeBackAsync("a")).ShouldBe("");
        _server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Fact]
    public async Task A_link_that_is_detached_takes_its_transaction_along()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.Detach(0, closed: false);
        (await _client.AttachOutbox(new DurableEnd { Unsettled = [("a", States10.In(id))] })).Told().ShouldBe("");
        (await _client.Discharge(id)).Error!.Condition.ShouldBe("amqp:transaction:rollback");
        _server.Queue("q").ReadyCount.ShouldBe(0);
        await _client.SendAccepted("a", "A");
        (await ComeBackAsync("a")).ShouldBe("a=accepted");
    }

    [Fact]
    public async Task A_link_that_is_stolen_takes_its_transaction_along()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        WireScript10 thief = await _server.Open10();
        (await thief.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown("a") })).Told().ShouldBe("");
        await _client.ExpectSuspended("amqp:link:stolen");
        (await _client.Discharge(id)).Error!.Condition.ShouldBe("amqp:transaction:rollback");
        await thief.SendAccepted("a", "A");
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_link_that_is_detached_with_nothing_pending_leaves_its_transaction_alone()
    {
        string id = await _client.Declare();
        await _client.SettleSent(await _client.PostTagged("a", id));
        await _client.PostTagged("b", id, settled: true);
        await _client.Detach(0, closed: false);
        (await _client.Discharge(id)).Name.ShouldBe("accepted");
        _server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Fact]
    public async Task A_link_that_is_closed_leaves_its_transaction_alone_and_remembers_nothing()
    {
        string id = await _client.Declare();
        await _client.PostTagged("a", id);
        await _client.Detach(0);
        (await _client.Discharge(id)).Name.ShouldBe("accepted");
        (_server.Queue("q").ReadyCount, _server.TerminusCount).ShouldBe((1, 0));
        (await ComeBackAsync("a")).ShouldBe("");
    }

    [Fact]
    public async Task What_is_to_be_remembered_counts_as_part_of_the_transaction()
    {
        string id = await _client.Declare();
        for (int i = 0; i < 40; i++) await _client.PostTagged($"tag-{i}", id);
        for (int i = 40; i < TransactionBytesMax / 256; i++) await _client.SendTagged($"tag-{i}", "x", state: States10.In(id));
        while (await _client.Receive() is { Performative: not WireDetach } frame) frame.Performative.ShouldBeOfType<WireDisposition>();
        (await _client.Discharge(id)).Error!.Condition.ShouldBe("amqp:transaction:rollback");
        _server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_rolled_back_gives_its_credit_back()
    {
        const int count = 10_000; // as many as a sender may leave unsettled
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachOutbox();
        await client.AttachCoordinator();
        string id = await client.Declare();
        byte[] state = States10.In(id);
        for (uint sent = 0; sent < count;)
        {
            var frames = new Frames10();
            for (int i = 0; i < 1000; i++, sent++)
            {
                var transfer = new Transfer { DeliveryId = client.NextDeliveryId(), DeliveryTag = Frames10.Tag(sent), State = state };
                frames.Add(in transfer, payload: Message10.Of("x"));
            }
            Task sending = client.Send(frames);
            await sending;
            await client.SendFlow(handle: 0, echo: true);
            (await CreditAsync(client, sent)).ShouldBeLessThanOrEqualTo(count - sent);
        }
        byte[] discharge = Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(id)), Fail = true });
        await client.Transfer(new Message10().Value(discharge).Bytes, handle: 9);
        (await CreditAsync(client, count)).ShouldBe((uint)new ConnectionLimits().LinkCreditMax);
    }

    // What the server grants, once it has counted so many.
    private static async Task<uint> CreditAsync(WireScript10 client, uint deliveryCount)
    {
        while (await client.Receive() is { } frame)
            if (frame.Performative is WireFlow { Handle: 0 } flow && flow.DeliveryCount == deliveryCount) return flow.LinkCredit!.Value;
        throw new WireScriptException("Expected credit.");
    }

    // A connection, and link 9 to the coordinator.
    private async Task OpenAsync()
    {
        _client = await _server.Open10();
        await _client.AttachCoordinator();
    }

    // What a sender is told that has these tags in its outbox.
    private async Task<string> ComeBackAsync(params string[] tags)
    {
        await TestServer.Lose(_client);
        await OpenAsync();
        return (await _client.AttachOutbox(new DurableEnd { Unsettled = DurableEnd.Unknown(tags) })).Told();
    }
}
