using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Transactions: publications and outcomes that happen together or not at all (1.0 part 4).</summary>
public class TransactionTests
{
    [Fact]
    public async Task Coordinator_tells_what_it_can()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.ToCoordinator(9));
        WireAttach attach = await client.Expect<WireAttach>();
        (attach.Role, attach.IsCoordinator).ShouldBe((Role.Receiver, true));
        attach.TargetCapabilities.ShouldContain("amqp:local-transactions");
        attach.TargetCapabilities.ShouldContain("amqp:multi-txns-per-ssn");
        (await client.Expect<WireFlow>()).LinkCredit!.Value.ShouldBeGreaterThan(0u);
    }

    [Fact]
    public async Task Posted_messages_are_there_after_the_commit()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        WireState state = await PostAsync(client, "x", id);
        state.TransactionId.ShouldBe(id);
        state.Outcome.ShouldBe(new WireState("accepted"));
        server.Queue("q").ReadyCount.ShouldBe(0);
        (await client.Discharge(id)).Name.ShouldBe("accepted");
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Posted_messages_are_not_there_after_the_rollback()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await PostAsync(client, "x", id);
        (await client.Discharge(id, fail: true)).Name.ShouldBe("accepted");
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task Settled_messages_are_posted_without_an_answer()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await client.Transfer("x", settled: true, state: States10.In(id));
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(0);
        await client.Discharge(id, fail: false);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Messages_of_many_transfers_are_posted_as_well()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        byte[] message = Message10.Of("in pieces");
        uint delivery = client.NextDeliveryId();
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = delivery, DeliveryTag = "t"u8, State = States10.In(id), More = true }, payload: message.AsSpan(0, 5))
            .Add(new Transfer(), payload: message.AsSpan(5)));
        await client.ExpectDisposition("transactional-state", delivery);
        server.Queue("q").ReadyCount.ShouldBe(0);
        await client.Discharge(id);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Several_transactions_may_be_open_at_once(bool firstFails)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string first = await client.Declare(), second = await client.Declare();
        second.ShouldNotBe(first);
        await PostAsync(client, "1a", first);
        await PostAsync(client, "2a", second);
        await client.Publish("outside");
        await PostAsync(client, "1b", first);
        await client.Discharge(second, fail: !firstFails);
        await client.Discharge(first, fail: firstFails);
        string[] expected = firstFails ? ["outside", "2a"] : ["outside", "1a", "1b"];
        await client.AttachReceiver(1);
        await client.Grant(10);
        foreach (string text in expected) (await client.ExpectDelivery()).Text.ShouldBe(text);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Everything_of_a_transaction_may_be_sent_at_once()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        client.SendsByteByByte = true;
        string id = await client.Declare(); // its name has to be known
        uint post = client.NextDeliveryId(), discharge = client.NextDeliveryId();
        byte[] end = new Message10().Value(Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(id)) })).Bytes;
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = post, DeliveryTag = "p"u8, State = States10.In(id) }, payload: Message10.Of("x"))
            .Add(new Transfer { Handle = 9, DeliveryId = discharge, DeliveryTag = "d"u8 }, payload: end));
        await client.ExpectDisposition("transactional-state", post);
        await client.ExpectDisposition("accepted", discharge);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Outcomes_count_after_the_commit(bool settled)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await client.Settle(delivery, States10.In(id, States10.Accepted), settled: settled);
        server.Queue("q").UnackedCount.ShouldBe(1);
        await DischargeAsync(client, id, fail: false, isSettlementDue: !settled, delivery);
        (server.Queue("q").UnackedCount, server.Queue("q").ReadyCount).ShouldBe((0, 0));
        await client.ExpectQuiet();
    }

    [Theory]
    [InlineData("released")]
    [InlineData("rejected")]
    [InlineData("modified")]
    public async Task Delivery_that_ends_with_a_transaction_is_settled_with_its_outcome(string name)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        byte[] outcome = name switch { "released" => States10.Released, "rejected" => States10.Rejected, _ => States10.Modified(deliveryFailed: true) };
        await client.Settle(delivery, States10.In(id, outcome), settled: false);
        await DischargeAsync(client, id, fail: false, isSettlementDue: true, delivery, name);
    }

    [Fact]
    public async Task Transaction_with_a_message_that_failed_only_rolls_back()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.AttachCoordinator();
        string id = await client.Declare();
        await client.ExpectDisposition("transactional-state", await client.Transfer("whole", state: States10.In(id)));
        await client.Send(new Transfer { DeliveryId = client.NextDeliveryId(), DeliveryTag = "bad"u8, State = States10.In(id) }, payload: new byte[] { 1, 2, 3 });
        await client.ExpectDetach("amqp:decode-error");
        WireState state = await client.Discharge(id);
        (state.Name, state.Error?.Condition).ShouldBe(("rejected", "amqp:transaction:rollback"));
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task Outcomes_do_not_count_after_the_rollback()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await client.Settle(delivery, States10.In(id, States10.Accepted), settled: false);
        await client.Discharge(id, fail: true);
        server.Queue("q").UnackedCount.ShouldBe(1, "it is the receiver's still (section 4.4.2)");
        await client.Settle(delivery, States10.Accepted);
        server.Queue("q").UnackedCount.ShouldBe(0);
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task Outcomes_that_were_rolled_back_may_be_told_in_another_transaction()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string first = await client.Declare();
        await client.Settle(delivery, States10.In(first, States10.Accepted), settled: false);
        await client.Discharge(first, fail: true);
        string second = await client.Declare();
        await client.Settle(delivery, States10.In(second, States10.Rejected));
        (await client.Discharge(second)).Name.ShouldBe("accepted");
        (server.Queue("q").UnackedCount, server.Queue("q").ReadyCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Message_that_was_settled_in_a_rolled_back_transaction_comes_back()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await client.Settle(delivery, States10.In(id, States10.Accepted));
        (await client.Discharge(id, fail: true)).Name.ShouldBe("accepted");
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((1, 0));
        await client.Grant(1);
        (await client.ExpectDelivery()).Text.ShouldBe("received");
    }

    [Fact]
    public async Task Posting_and_outcomes_go_together()
    {
        await using var server = new TestServer();
        server.Declare("p");
        WireScript10 client = await OpenAsync(server);
        await client.AttachSender(2, "/queues/p");
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await client.Settle(delivery, States10.In(id, States10.Accepted));
        await client.ExpectDisposition("transactional-state", await client.Transfer("x", handle: 2, state: States10.In(id)));
        (server.Queue("p").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 1));
        await client.Discharge(id);
        (server.Queue("p").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Commit_into_a_full_queue_is_rolled_back_as_a_whole()
    {
        await using var server = new TestServer();
        server.Declare("full");
        WireScript10 client = await OpenAsync(server);
        server.SetPolicy("max-length=1 overflow=reject-publish", pattern: "full");
        await client.AttachSender(2, "/queues/full");
        string id = await client.Declare();
        await PostAsync(client, "x", id);
        for (int i = 0; i < 2; i++) await client.ExpectDisposition("transactional-state", await client.Transfer("y", handle: 2, state: States10.In(id)));
        WireState state = await client.Discharge(id);
        (state.Name, state.Error?.Condition).ShouldBe(("rejected", "amqp:transaction:rollback"));
        (server.Queue("q").ReadyCount, server.Queue("full").ReadyCount).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData("end")]
    [InlineData("detach")]
    [InlineData("close")]
    [InlineData("vanish")]
    [InlineData("error")]
    public async Task What_is_not_discharged_is_rolled_back_at_the_end(string how)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await PostAsync(client, "x", id);
        await client.Settle(delivery, States10.In(id, States10.Accepted), settled: false);
        switch (how)
        {
            case "end": await client.EndSession(); break;
            case "detach": await client.Detach(9); break;
            case "close": await client.Close(); break;
            case "vanish": client.Leave(); break;
            default:
                await client.Send(new Detach { Handle = 200 });
                await client.ExpectSessionEnd("amqp:session:unattached-handle");
                break;
        }
        if (how is "close" or "vanish") await client.Served.WaitAsync(TestServer.SafetyNet);
        bool isReceiverThere = how == "detach";
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe(isReceiverThere ? (0, 1) : (1, 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Receiver_may_be_detached_before_the_discharge(bool fail)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        string id = await client.Declare();
        await client.Settle(delivery, States10.In(id, States10.Accepted));
        await client.Detach(1);
        (await client.Discharge(id, fail)).Name.ShouldBe("accepted");
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe(fail ? (1, 0) : (0, 0));
    }

    [Fact]
    public async Task Sender_may_be_detached_before_the_discharge()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await PostAsync(client, "x", id);
        await client.Detach(0);
        await client.Discharge(id);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Queue_may_be_deleted_before_the_discharge()
    {
        await using var server = new TestServer();
        server.Declare("p");
        WireScript10 client = await OpenAsync(server);
        await client.AttachSender(2, "/queues/p");
        string id = await client.Declare();
        await PostAsync(client, "x", id);
        await client.ExpectDisposition("transactional-state", await client.Transfer("y", handle: 2, state: States10.In(id)));
        server.Session().DeleteQueue("p", ifUnused: false, ifEmpty: false);
        await client.Discharge(id);
        await client.Publish("z");
    }

    [Theory]
    [InlineData("00000007")]
    [InlineData("")]
    [InlineData("0000000000000001")]
    public async Task Discharge_of_an_unknown_transaction_is_rejected(string id)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string known = await client.Declare();
        WireState state = await client.Discharge(id);
        (state.Name, state.Error?.Condition).ShouldBe(("rejected", "amqp:transaction:unknown-id"));
        (await client.Discharge(known)).Name.ShouldBe("accepted");
        (await client.Discharge(known)).Error!.Condition.ShouldBe("amqp:transaction:unknown-id"); // once
    }

    [Fact]
    public async Task Post_in_an_unknown_transaction_costs_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await client.AttachSender(2);
        await client.Transfer("x", state: States10.In("00000063"));
        await client.ExpectDetach("amqp:transaction:unknown-id");
        await client.ExpectDisposition("transactional-state", await client.Transfer("y", handle: 2, state: States10.In(id)));
        await client.Discharge(id);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Outcome_in_an_unknown_transaction_does_not_count()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint delivery = await ReceiveAsync(client);
        await client.Begin(2);
        await client.Settle(delivery, States10.In("00000063", States10.Accepted));
        await client.ExpectSessionEnd("amqp:transaction:unknown-id");
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((1, 0));
        await client.ExpectQuiet(2);
    }

    [Fact]
    public async Task Transactions_of_another_session_are_unknown()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await client.Begin(2);
        await client.AttachSender(0, channel: 2);
        await client.Transfer("x", state: States10.In(id), channel: 2);
        WireDetach detach = await client.Expect<WireDetach>(2);
        detach.Error!.Condition.ShouldBe("amqp:transaction:unknown-id");
    }

    [Fact]
    public async Task Distributed_transactions_are_rejected()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        WireState state = await client.Coordinate(Encoded10.Composite(new Declare { GlobalId = Encoded10.Binary([1]) }));
        (state.Name, state.Error?.Condition).ShouldBe(("rejected", "amqp:not-implemented"));
        await client.Declare();
    }

    [Fact]
    public async Task There_are_only_so_many_transactions()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        var ids = new Queue<string>();
        WireState? last = null;
        for (int i = 0; i < 1000 && last is null; i++)
        {
            uint id = client.NextDeliveryId();
            byte[] declare = new Message10().Value(Encoded10.Composite(new Declare())).Bytes;
            await client.Send(new Transfer { Handle = 9, DeliveryId = id, DeliveryTag = "d"u8 }, payload: declare);
            object answer = (await client.Receive())!.Performative;
            if (answer is WireFlow) answer = (await client.Receive())!.Performative;
            WireState state = ((WireDisposition)answer).State!;
            if (state.TransactionId is { } transaction) ids.Enqueue(transaction);
            else last = state;
        }
        (last!.Name, last.Error?.Condition).ShouldBe(("rejected", "amqp:resource-limit-exceeded"));
        (await client.Discharge(ids.Dequeue())).Name.ShouldBe("accepted");
        await client.Declare();
    }

    [Fact]
    public async Task Transaction_that_grows_too_large_costs_the_link()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { TransactionBytesMax = 10_000 });
        WireScript10 client = await OpenAsync(server);
        string id = await client.Declare();
        await PostAsync(client, new string('x', 5_000), id);
        await client.Transfer(new string('x', 5_000), state: States10.In(id));
        await client.ExpectDetach("amqp:resource-limit-exceeded");
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Theory, MemberData(nameof(NoRequests))]
    public async Task What_is_no_request_costs_the_link_to_the_coordinator(string _, byte[] message)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        await client.Transfer(message, handle: 9);
        await client.ExpectDetach("amqp:decode-error", 9);
        await client.Publish("others go on");
        await client.AttachCoordinator();
        await client.Declare();
    }

    public static TheoryData<string, byte[]> NoRequests => new()
    {
        { "text", "hello"u8.ToArray() },
        { "data", Message10.Of("x") },
        { "null", new Message10().Value([0x40]).Bytes },
        { "accepted", new Message10().Value(States10.Accepted).Bytes },
        { "a discharge without a name", new Message10().Value(Encoded10.Described(Discharge.Code, [0x45])).Bytes },
        { "a discharge of a number", new Message10().Value(Encoded10.Described(Discharge.Code, [0xC0, 3, 1, 0x52, 1])).Bytes },
        { "a declare of too many fields", new Message10().Value(Encoded10.Described(Declare.Code, [0xC0, 3, 2, 0x40, 0x40])).Bytes },
    };

    [Fact]
    public async Task Request_may_come_in_pieces()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint id = client.NextDeliveryId();
        await client.Send(new Frames10().Message(id, new Message10().Value(Encoded10.Composite(new Declare())).Bytes, 1, handle: 9));
        (await client.ExpectDisposition("declared", id)).TransactionId.ShouldNotBeNull();
    }

    [Fact]
    public async Task Request_that_is_too_long_costs_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        await client.Transfer(new Message10().Value(Encoded10.String(new string('x', 10_000))).Bytes, handle: 9);
        await client.ExpectDetach("amqp:link:message-size-exceeded", 9);
    }

    [Fact]
    public async Task Settled_request_costs_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        await client.Transfer(new Message10().Value(Encoded10.Composite(new Declare())).Bytes, handle: 9, settled: true);
        await client.ExpectDetach("amqp:not-allowed", 9);
    }

    [Fact]
    public async Task Aborted_request_has_not_been()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server);
        uint id = client.NextDeliveryId();
        byte[] message = new Message10().Value(Encoded10.Composite(new Declare())).Bytes;
        await client.Send(new Frames10()
            .Add(new Transfer { Handle = 9, DeliveryId = id, DeliveryTag = "d"u8, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { Handle = 9, Aborted = true }));
        await client.ExpectQuiet();
        await client.Declare();
    }

    [Fact]
    public async Task Detach_of_a_coordinator_rolls_back_only_what_was_declared_on_it()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.AttachCoordinator(8);
        await client.AttachCoordinator(9);
        string other = await client.Declare(9);
        await client.Declare(8);
        await client.ExpectDisposition("transactional-state", await client.Transfer("x", state: States10.In(other)));
        await client.Detach(8);
        (await client.Discharge(other, handle: 9)).Name.ShouldBe("accepted"); // 1.0 part 4, section 4.2
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Unroutable_message_in_a_transaction_is_released_provisionally()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "/exchanges/amq.direct/nowhere");
        await client.AttachCoordinator();
        string id = await client.Declare();
        WireState state = await client.ExpectDisposition("transactional-state", await client.Transfer("x", state: States10.In(id)));
        state.Outcome.ShouldBe(new WireState("released")); // behaviour note 106, within 1.0 part 4, section 4.4.1
    }

    // The queue "q", link 0 to it, link 9 to the coordinator.
    private static async Task<WireScript10> OpenAsync(TestServer server)
    {
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.AttachCoordinator();
        return client;
    }

    private static async Task<WireState> PostAsync(WireScript10 client, string text, string transactionId) =>
        await client.ExpectDisposition("transactional-state", await client.Transfer(text, state: States10.In(transactionId)));

    // A message in "q", on link 1.
    private static async Task<uint> ReceiveAsync(WireScript10 client)
    {
        await client.Publish("received");
        await client.AttachReceiver(1);
        await client.Grant(1);
        return (await client.ExpectDelivery()).DeliveryId;
    }

    private static byte[] DischargeOf(string id, bool fail) =>
        new Message10().Value(Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(id)), Fail = fail })).Bytes;

    // The coordinator's answer, and the settlement of a delivery for who waits for it, in either order.
    private static async Task DischargeAsync(WireScript10 client, string id, bool fail, bool isSettlementDue, uint delivery, string outcome = "accepted")
    {
        uint discharge = client.NextDeliveryId();
        await client.Send(new Transfer { Handle = 9, DeliveryId = discharge, DeliveryTag = "d"u8 }, payload: DischargeOf(id, fail));
        bool isAnswered = false;
        while (!isAnswered || isSettlementDue)
        {
            WireDisposition disposition = await client.Expect<WireDisposition>();
            disposition.Settled.ShouldBeTrue();
            (disposition.First, disposition.State?.Name).ShouldBe(disposition.Role == Role.Receiver ? (discharge, "accepted") : (delivery, outcome));
            if (disposition.Role == Role.Receiver) isAnswered = true;
            else isSettlementDue = false;
        }
    }
}
