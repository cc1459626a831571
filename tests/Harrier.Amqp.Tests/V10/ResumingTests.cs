using Harrier.Protocol.Amqp10;
using static Harrier.Amqp.Tests.V10.DurableLinks10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Links that are resumed, with what both sides have unsettled (1.0 part 2, sections 2.6.12 and 2.6.13).</summary>
public class ResumingTests
{
    [Theory]
    [InlineData("detach")]
    [InlineData("end")]
    [InlineData("close")]
    [InlineData("vanish")]
    public async Task Delivery_that_the_receiver_knows_comes_again_to_it_alone(string how)
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(2);
        WireScript10 client = await server.Open10();
        await AttachReceiverAsync(client);
        await client.Grant(2);
        byte[] first = (await client.ExpectDelivery()).Tag, second = (await client.ExpectDelivery()).Tag;
        client = await GoAsync(server, client, 1, how);

        WireScript10 other = await server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.AttachReceiver(1);
        await other.Grant(10);
        await other.ExpectQuiet();

        WireAttach attach = await AttachReceiverAsync(client, (first, States10.Accepted), (second, null));
        attach.Unsettled!.Keys.ShouldBe([Convert.ToHexString(second)]);
        await client.Grant(10);
        WireTransfer transfer = await client.Expect<WireTransfer>();
        (transfer.Resume, Convert.ToHexString(transfer.DeliveryTag)).ShouldBe((true, Convert.ToHexString(second)));
        await client.Settle(transfer.DeliveryId!.Value, States10.Accepted);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Delivery_that_the_receiver_does_not_know_goes_back_to_the_queue()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(2);
        WireScript10 client = await server.Open10();
        await AttachReceiverAsync(client);
        await client.Grant(2);
        await client.ExpectDelivery();
        await client.ExpectDelivery();
        await client.Detach(1, closed: false);
        ((await AttachReceiverAsync(client, ([1, 2, 3], null), ([], States10.Released))).Unsettled ?? []).ShouldBeEmpty();
        await client.Grant(2);
        for (int i = 0; i < 2; i++)
        {
            WireTransfer transfer = await client.Expect<WireTransfer>();
            transfer.Resume.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Link_that_is_closed_keeps_nothing()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 client = await server.Open10();
        await AttachReceiverAsync(client);
        await client.Grant(1);
        byte[] tag = (await client.ExpectDelivery()).Tag;
        await client.Detach(1, closed: true);
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((1, 0));
        ((await AttachReceiverAsync(client, (tag, null))).Unsettled ?? []).ShouldBeEmpty();
    }

    [Fact]
    public async Task Resumed_deliveries_take_credit()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(3);
        WireScript10 client = await server.Open10();
        await AttachReceiverAsync(client);
        await client.Grant(2);
        byte[][] tags = [(await client.ExpectDelivery()).Tag, (await client.ExpectDelivery()).Tag];
        await client.Detach(1, closed: false);
        await AttachReceiverAsync(client, (tags[0], null), (tags[1], null));
        await client.ExpectQuiet();
        await client.Grant(1);
        (await client.Expect<WireTransfer>()).Resume.ShouldBeTrue();
        await client.ExpectQuiet();
        await client.Grant(5, drain: true);
        (await client.Expect<WireTransfer>()).Resume.ShouldBeTrue();
        (await client.ExpectDelivery()).Text.ShouldBe("2");
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit).ShouldBe((6u, 0u));
    }

    [Fact]
    public async Task Durable_link_is_stolen_by_who_resumes_it_elsewhere()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 old = await server.Open10();
        await AttachReceiverAsync(old);
        await old.Grant(1);
        byte[] tag = (await old.ExpectDelivery()).Tag;
        WireScript10 client = await server.Open10();
        (await AttachReceiverAsync(client, (tag, null))).Unsettled!.Keys.ShouldBe([Convert.ToHexString(tag)]);
        (await old.Expect<WireDetach>()).Error!.Condition.ShouldBe("amqp:link:stolen");
        await client.Grant(1);
        (await client.Expect<WireTransfer>()).Resume.ShouldBeTrue();
    }

    [Theory]
    [InlineData("detach")]
    [InlineData("end")]
    [InlineData("vanish")]
    public async Task Message_that_was_received_is_not_received_twice(string how)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        await client.Send(new Frames10().Message(client.NextDeliveryId(), Message10.Of("x")));
        await client.ExpectDisposition("accepted", 0, settled: false);
        client = await GoAsync(server, client, 0, how);

        WireAttach attach = await AttachSenderAsync(client, (Frames10.Tag(0), null), (Frames10.Tag(1), null));
        attach.Unsettled.ShouldBe(new Dictionary<string, WireState?> { [Convert.ToHexString(Frames10.Tag(0))] = new("accepted") });
        uint id = client.NextDeliveryId();
        await client.Send(new Transfer { DeliveryId = id, DeliveryTag = Frames10.Tag(0), Resume = true }, payload: Message10.Of("x"));
        await client.ExpectDisposition("accepted", id, settled: false);
        await client.Send(new Disposition { Role = Role.Sender, First = id, Settled = true });
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);

        await client.Detach(0, closed: false);
        ((await AttachSenderAsync(client, (Frames10.Tag(0), null))).Unsettled ?? []).ShouldBeEmpty("it is settled on both sides");
    }

    [Fact]
    public async Task Message_that_was_received_may_be_settled_with_its_resuming()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        await client.Send(new Frames10().Message(client.NextDeliveryId(), Message10.Of("x")));
        await client.ExpectDisposition("accepted", 0, settled: false);
        await client.Detach(0, closed: false);
        await AttachSenderAsync(client, (Frames10.Tag(0), States10.Accepted));
        await client.Send(new Transfer { DeliveryId = 1, DeliveryTag = Frames10.Tag(0), Resume = true, Settled = true, State = States10.Accepted });
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Half_a_message_is_sent_again_as_a_whole()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        byte[] message = Message10.Of("whole");
        await client.Send(new Transfer { DeliveryId = client.NextDeliveryId(), DeliveryTag = Frames10.Tag(0), More = true }, payload: message[..5]);
        await client.Detach(0, closed: false);
        ((await AttachSenderAsync(client, (Frames10.Tag(0), null))).Unsettled ?? []).ShouldBeEmpty();
        await client.Send(new Transfer { DeliveryId = 1, DeliveryTag = Frames10.Tag(0) }, payload: message);
        await client.ExpectDisposition("accepted", 1, settled: false);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Message_that_was_received_may_be_resumed_in_many_transfers()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        byte[] message = Message10.Of("in pieces");
        await client.Send(new Frames10().Message(client.NextDeliveryId(), message));
        await client.ExpectDisposition("accepted", 0, settled: false);
        await client.Detach(0, closed: false);
        await AttachSenderAsync(client, (Frames10.Tag(0), null));
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 1, DeliveryTag = Frames10.Tag(0), Resume = true, More = true }, payload: message.AsSpan(0, 5))
            .Add(new Transfer { More = true }, payload: message.AsSpan(5, 1))
            .Add(new Transfer(), payload: message.AsSpan(6)));
        await client.ExpectDisposition("accepted", 1, settled: false);
        await client.Send(new Frames10().Message(2, Message10.Of("next")));
        await client.ExpectDisposition("accepted", 2, settled: false);
        server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Fact]
    public async Task Resumed_messages_take_credit_which_comes_again()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { LinkCreditMax = 4 });
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachSenderAsync(client);
        var unsettled = new List<(byte[], byte[]?)>();
        for (uint id = 0; id < 4; id++)
        {
            unsettled.Add((Frames10.Tag(id), null));
            await client.Send(new Frames10().Message(id, Message10.Of("x")));
            if (id % 2 == 1) await client.Expect<WireFlow>();
            await client.ExpectDisposition("accepted", id, settled: false);
        }
        await client.Detach(0, closed: false);
        await AttachSenderAsync(client, [.. unsettled]);
        for (uint id = 0; id < 4; id++) await client.Send(new Transfer { DeliveryId = 4 + id, DeliveryTag = Frames10.Tag(id), Resume = true });
        int flows = 0, answers = 0;
        while (flows < 2 || answers < 4)
        {
            switch ((await client.Receive())!.Performative)
            {
                case WireFlow flow:
                    flow.DeliveryCount.ShouldBe((uint)(2 * ++flows)); // a sender counts what it resumes (section 2.6.7)
                    break;
                case WireDisposition: answers++; break;
            }
        }
    }

    // The link ends in one of the ways after which it may be resumed.
    private static async Task<WireScript10> GoAsync(TestServer server, WireScript10 client, uint handle, string how)
    {
        switch (how)
        {
            case "detach":
                await client.Detach(handle, closed: false);
                return client;
            case "end":
                await client.EndSession();
                await client.Begin();
                return client;
            case "close": await client.Close(); break;
            default: client.Leave(); break;
        }
        await client.Served.WaitAsync(TestServer.SafetyNet);
        return await server.Open10();
    }
}
