using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>How publications are answered (1.0 part 2, sections 2.6.12 and 2.7.6; part 3, section 3.4).</summary>
public class SettlementTests
{
    [Fact]
    public async Task Publications_are_accepted_and_settled()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Publish("x");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Publications_that_come_together_are_answered_together()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        var frames = new Frames10();
        for (uint id = 0; id < 100; id++) frames.Message(id, Message10.Of("x"));
        await client.Send(frames);
        await client.ExpectDisposition("accepted", 0, 99);
    }

    [Fact]
    public async Task Ids_go_round()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        await client.Open();
        await client.Begin(nextOutgoingId: uint.MaxValue - 1);
        await client.AttachSender();
        var frames = new Frames10();
        for (int i = -2; i < 3; i++) frames.Message((uint)i, Message10.Of("x"));
        await client.Send(frames);
        await client.ExpectDisposition("accepted", uint.MaxValue - 1, 2);
    }

    [Fact]
    public async Task Answers_for_many_do_not_cover_what_is_answered_otherwise()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        var frames = new Frames10();
        string[] places = ["/queues/q", "/queues/q", "/exchanges/amq.direct/nowhere", "/queues/q", "/exchanges/nowhere", "/queues/q", "/queues/q"];
        for (uint id = 0; id < places.Length; id++) frames.Message(id, new Message10().To(places[id]).Data("x").Bytes);
        await client.Send(frames);
        await client.ExpectDisposition("accepted", 0, 1);
        await client.ExpectDisposition("released", 2);
        await client.ExpectDisposition("accepted", 3);
        (await client.ExpectDisposition("rejected", 4)).Error!.Condition.ShouldBe("amqp:not-found");
        await client.ExpectDisposition("accepted", 5, 6);
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(5);
    }

    [Fact]
    public async Task Settled_publications_between_are_not_answered()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        var frames = new Frames10();
        for (uint id = 0; id < 5; id++) frames.Message(id, Message10.Of("x"), settled: id == 2);
        await client.Send(frames);
        await client.ExpectDisposition("accepted", 0, 1);
        await client.ExpectDisposition("accepted", 3, 4);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Links_of_a_session_share_its_ids()
    {
        await using var server = new TestServer();
        server.Declare("q", "p");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0);
        await client.AttachSender(1, "/queues/p");
        await client.Send(new Frames10().Message(0, Message10.Of("x")).Message(1, Message10.Of("y"), handle: 1).Message(2, Message10.Of("z")));
        await client.ExpectDisposition("accepted", 0, 2);
        (server.Queue("q").ReadyCount, server.Queue("p").ReadyCount).ShouldBe((2, 1));
    }

    [Fact, Trait("Note", "106")]
    public async Task Unroutable_publications_are_released()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "/exchanges/amq.direct/nowhere");
        await client.ExpectDisposition("released", await client.Transfer("x"));
        await client.Transfer("x", settled: true);
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "106")]
    public async Task Publications_that_a_full_queue_refuses_are_rejected()
    {
        await using var server = new TestServer();
        server.Declare("q");
        server.SetPolicy("max-length=1 overflow=reject-publish");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Publish("x");
        await client.ExpectDisposition("rejected", await client.Transfer("y"));
        await client.Transfer("z", settled: true);
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact, Trait("Note", "106")]
    public async Task One_full_queue_of_several_is_enough_to_reject()
    {
        await using var server = new TestServer();
        server.Declare("full", "q");
        await server.Bind("full", "x", "k");
        await server.Bind("q", "x", "k");
        server.SetPolicy("max-length=0 overflow=reject-publish", pattern: "full");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "/exchanges/x/k");
        await client.ExpectDisposition("rejected", await client.Transfer("y"));
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Receiver_that_settles_second_answers_and_waits_for_the_sender()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(receiveMode: ReceiverSettleMode.Second);
        uint id = await client.Transfer("x");
        await client.ExpectDisposition("accepted", id, settled: false);
        await client.Send(new Disposition { Role = Role.Sender, First = id, Settled = true, State = States10.Accepted });
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task What_a_sender_says_of_its_deliveries_is_passed_over(bool settled, bool isKnown)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        if (isKnown) await client.Publish("x");
        await client.Send(new Disposition { Role = Role.Sender, First = 0, Last = 9, Settled = settled });
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "105")]
    public async Task Anonymous_terminus_needs_an_address_in_the_message()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        foreach (byte[] message in (byte[][])[Message10.Of("x"), new Message10().To(null, "q").Data("x").Bytes, new Message10().To("").Data("x").Bytes])
        {
            WireState state = await client.ExpectDisposition("rejected", await client.Transfer(message));
            state.Error.ShouldBe(new WireError("amqp:precondition-failed", "anonymous terminus requires 'to' address to be set"));
        }
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().To("/queues/q").Data("x").Bytes));
    }

    [Fact, Trait("Note", "105")]
    public async Task Settled_message_without_an_address_costs_the_link()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        await client.AttachSender(1);
        await client.Transfer("x", settled: true);
        WireDetach detach = await client.Expect<WireDetach>();
        (detach.Handle, detach.Closed, detach.Error is null).ShouldBe((0u, true, false));
        await client.Send(new Detach { Handle = 0, Closed = true });
        await client.Publish("y", 1);
    }

    [Theory]
    [InlineData("/nowhere", "amqp:invalid-field")]
    [InlineData("/queues/nowhere", "amqp:not-found")]
    [InlineData("/queues/%zz", "amqp:invalid-field")]
    [InlineData("/management", "amqp:invalid-field")]
    public async Task Wrong_address_of_one_message_costs_that_message(string address, string condition)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        for (int i = 0; i < 2; i++) // the second time the address is the one before
        {
            uint id = await client.Transfer(new Message10().To(address).Data("x").Bytes);
            (await client.ExpectDisposition("rejected", id)).Error!.Condition.ShouldBe(condition);
        }
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().To("/queues/q").Data("x").Bytes));
    }

    [Fact]
    public async Task Message_to_an_exchange_without_permission_is_rejected()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(".*", "^ok$", ".*"))]);
        server.Session().DeclareExchange("ok", "direct", durable: false, autoDelete: false, isInternal: false, Broker.Messages.ArgumentTable.Empty);
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        uint id = await client.Transfer(new Message10().To("/exchanges/amq.topic/k").Data("x").Bytes);
        (await client.ExpectDisposition("rejected", id)).Error!.Condition.ShouldBe("amqp:unauthorized-access");
        await client.ExpectDisposition("released", await client.Transfer(new Message10().To("/exchanges/ok/k").Data("x").Bytes));
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

    [Fact]
    public async Task Settled_message_without_an_address_tells_the_same_error()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        await client.Transfer("x", settled: true);
        await client.ExpectDetach("amqp:precondition-failed"); // behaviour note 105
    }
}
