using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What the standard says and the server does not do yet.</summary>
public class KnownFailures
{
    [Theory, Trait("Note", "108")]
    [InlineData(59_000, true)]
    [InlineData(62_000, false)]
    public async Task Silent_peer_is_given_twice_the_time_that_was_announced(int silentMs, bool lives)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        server.Pass(silentMs);
        if (lives)
        {
            await client.ExpectQuiet();
            return;
        }
        (await client.Receive())?.Performative.ShouldBeOfType<WireClose>(); // or the end
    }

    [Fact]
    public async Task Silent_peer_is_told_why_its_connection_is_closed()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        server.Pass(200_000);
        (await client.Expect<WireClose>(0)).Error!.Condition.ShouldBe("amqp:resource-limit-exceeded"); // 1.0 part 2, section 2.4.5
    }

    [Fact]
    public async Task Time_to_live_is_what_is_left_of_it()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Transfer(new Message10().Header(new MessageHeader { Ttl = 5_000 }).Data("x").Bytes, settled: true);
        server.Pass(2_000);
        await client.Grant(1);
        (await client.ExpectDelivery()).TtlMs.ShouldBe(3_000u); // 1.0 part 3, section 3.2.1
    }

    [Fact]
    public async Task Annotations_of_ours_replace_those_that_came()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        byte[] forwarded = new Message10()
            .MessageAnnotations(("x-exchange", Encoded10.String("old")), ("x-routing-key", Encoded10.String("old")), ("x-opt-a", Encoded10.String("b")))
            .Data("x").Bytes;
        await client.Transfer(forwarded, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery(); // fails for a key that is there twice: 1.0 part 1, section 1.6.23
        delivery.Annotations.ShouldBe(new Dictionary<string, string> { ["x-opt-a"] = "b", ["x-exchange"] = "", ["x-routing-key"] = "q" }, ignoreOrder: true);
    }

    [Fact]
    public async Task Message_that_is_larger_than_the_receiver_takes_is_not_sent()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(Links10.Receiver(2, "/queues/q") with { MaxMessageSize = 1_000 });
        await client.Expect<WireAttach>();
        await client.Grant(10, 2);
        await client.Transfer(new string('x', 2_000), settled: true);
        object next = (await client.Receive())!.Performative;
        next.ShouldNotBeOfType<WireTransfer>(); // 1.0 part 2, section 2.7.3: max-message-size
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Link_that_is_attached_again_elsewhere_is_stolen(bool isSender)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        for (ushort channel = 1; channel <= 2; channel++)
        {
            Attach attach = isSender ? Links10.Sender(0, "/queues/q") : Links10.Receiver(0, "/queues/q");
            Task sent = client.Send(attach with { Name = "the same"u8 }, channel);
            await sent;
            if (channel == 2) break;
            await client.Expect<WireAttach>(channel);
            if (isSender) await client.Expect<WireFlow>(channel);
        }
        WireDetach detach = await client.Expect<WireDetach>(1); // 1.0 part 2, section 2.6.1
        detach.Error!.Condition.ShouldBe("amqp:link:stolen");
        await client.Expect<WireAttach>(2);
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
    public async Task Sender_may_have_one_delivery_settled_first_on_a_link_of_second()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(receiveMode: ReceiverSettleMode.Second);
        await client.Send(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, RcvSettleMode = ReceiverSettleMode.First }, payload: Message10.Of("x"));
        await client.ExpectDisposition("accepted", 0, settled: true); // 1.0 part 2, section 2.7.5
    }

    [Fact]
    public async Task Delivery_of_second_on_a_link_of_first_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, RcvSettleMode = ReceiverSettleMode.Second }, payload: Message10.Of("x"));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.7.5: illegal
    }

    [Theory]
    [InlineData("tag")]
    [InlineData("format")]
    public async Task Pieces_of_a_delivery_that_contradict_each_other_cost_the_link(string what)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("x");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, MessageFormat = 0, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { DeliveryTag = what == "tag" ? "u"u8 : default, MessageFormat = what == "format" ? 1 : null }, payload: message.AsSpan(3)));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.7.5
    }

    [Fact]
    public async Task Tag_of_more_than_32_bytes_costs_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(new Transfer { DeliveryId = 0, DeliveryTag = new byte[33] }, payload: Message10.Of("x"));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.8.7
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

    [Fact]
    public async Task Answers_fit_the_frames_that_the_client_takes()
    {
        await using var server = new TestServer();
        string name = new('q', 255);
        server.Declare(name);
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = 512 });
        await client.Send(Links10.Receiver(0, "/queues/" + name) with { Name = new byte[300].Select(_ => (byte)'n').ToArray() });
        await client.Receive(); // fails when the frame is larger
    }

    [Fact]
    public async Task Sender_may_skip_ahead_with_its_delivery_count()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Send(new Flow { NextIncomingId = 0, IncomingWindow = 9, OutgoingWindow = 9, Handle = 0, DeliveryCount = 500, LinkCredit = 500, Available = 0, Echo = true });
        WireFlow flow = await client.Expect<WireFlow>();
        flow.DeliveryCount.ShouldBe(500u); // 1.0 part 2, section 2.6.7: the sender's count is the one that counts
    }

    [Fact]
    public async Task Settled_message_without_an_address_tells_the_same_error()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        await client.Transfer("x", settled: true);
        await client.ExpectDetach("amqp:precondition-failed"); // behaviour note 105
    }

    [Fact]
    public async Task Default_outcome_is_told()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        (await client.AttachReceiver()).DefaultOutcome.ShouldBe(new WireState("released")); // 1.0 part 3, section 3.5.3
    }

    [Fact]
    public async Task Begin_that_answers_nothing_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Begin { RemoteChannel = 7, IncomingWindow = 1, OutgoingWindow = 1 }, 5);
        (await client.Receive())!.Performative.ShouldBeOfType<WireClose>(); // 1.0 part 2, section 2.7.2: it is set in answers only
    }
}
