using Harrier.Broker.Flow;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What goes on while something else changes: queues that go, publishers that are held back, sessions that stand still.</summary>
public class LastingTests
{
    [Fact, Trait("Note", "21")]
    public async Task Publisher_is_held_back_and_goes_on_where_it_was()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await client.Publish("the first one passes");
        Task sent = client.Transfer("held back");
        WireScript10 consumer = await server.Open10();
        await consumer.AttachReceiver();
        await consumer.Grant(10);
        await consumer.ExpectDelivery();
        await consumer.ExpectQuiet();
        while (server.Broker.Flow.WaitingCount == 0) await Task.Yield();
        sent.IsCompleted.ShouldBeFalse();
        server.Pass(1_000_000); // its silence is ours
        server.Broker.Flow.Set(FlowReasons.Memory, holds: false);
        await sent;
        await client.ExpectDisposition("accepted", 1);
        (await consumer.Receive())!.Performative.ShouldNotBeNull();
    }

    [Fact]
    public async Task Half_a_delivery_goes_back_with_its_link()
    {
        await using var server = new TestServer();
        server.Declare("q", "p");
        WireScript10 client = server.Connect10();
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        client.IncomingWindow = 1;
        await client.Begin();
        await client.AttachSender();
        await client.AttachSender(2, "/queues/p");
        await client.Publish(new string('x', 2_000));
        await client.Publish("other", 2);
        await client.AttachReceiver(1);
        await client.AttachReceiver(3, "/queues/p");
        await client.Grant(1);
        (await client.Expect<WireTransfer>()).More.ShouldBeTrue();
        client.IncomingWindow = 0;
        await client.Grant(1, 3);
        await client.Detach(1);
        server.Queue("q").ReadyCount.ShouldBe(1);
        client.IncomingWindow = 10;
        await client.SendFlow();
        (await client.ExpectDelivery(3)).Text.ShouldBe("other");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Half_a_delivery_goes_back_with_its_session(bool isOrderly)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        client.IncomingWindow = 1;
        await client.Begin();
        await client.AttachSender();
        await client.Publish(new string('x', 2_000));
        await client.Publish("next");
        await client.AttachReceiver(1);
        await client.Grant(2);
        await client.Expect<WireTransfer>();
        if (isOrderly) await client.EndSession();
        else
        {
            client.Leave();
            await client.Served.WaitAsync(TestServer.SafetyNet);
        }
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((2, 0));
    }

    [Fact]
    public async Task Half_a_delivery_may_be_settled_already()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        client.IncomingWindow = 1;
        await client.Begin();
        await client.AttachSender();
        await client.Publish(new string('x', 1_000));
        await client.AttachReceiver(1);
        await client.Grant(2);
        WireTransfer half = await client.Expect<WireTransfer>();
        await client.Settle(half.DeliveryId!.Value, States10.Accepted);
        client.IncomingWindow = 100;
        await client.SendFlow();
        while ((await client.Expect<WireTransfer>()).More)
        {
        }
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Frames_of_a_delivery_fit_together_though_its_time_to_live_runs_between_them()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = server.Connect10();
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        client.IncomingWindow = 1;
        await client.Begin();
        await client.AttachSender();
        string text = string.Join(' ', Enumerable.Range(0, 500));
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().Header(new MessageHeader { Ttl = 300 }).Data(text).Bytes));
        await client.AttachReceiver(1);
        await client.Grant(1);
        WireTransfer transfer = await client.Expect<WireTransfer>();
        List<byte> payload = [.. transfer.Payload];
        server.Pass(100); // 300 takes five bytes in the header, 200 takes two
        client.IncomingWindow = 100;
        await client.SendFlow();
        while (transfer.More)
        {
            transfer = await client.Expect<WireTransfer>();
            payload.AddRange(transfer.Payload);
        }
        WireDelivery10 delivery = new WireDelivery10(1, 0, [], false, [.. payload], []).Read();
        (delivery.Text, delivery.TtlMs).ShouldBe((text, 300u));
    }

    [Fact]
    public async Task Drains_of_a_peer_whose_window_is_closed_are_kept_once_for_each_link()
    {
        await using var server = new TestServer();
        server.Declare("q", "p");
        WireScript10 client = server.Connect10();
        await client.Open(new OpenOptions10 { MaxFrameSize = 512 });
        client.IncomingWindow = 1;
        await client.Begin();
        await client.AttachSender();
        await client.Publish(new string('x', 2_000));
        await client.AttachReceiver(1);
        await client.AttachReceiver(3, "/queues/p");
        await client.Grant(1);
        (await client.Expect<WireTransfer>()).More.ShouldBeTrue();
        client.IncomingWindow = 0;
        for (uint credit = 10; credit <= 50; credit++)
        {
            await client.Grant(credit, 1, drain: true);
            await client.Grant(credit, 3, drain: true);
        }
        client.IncomingWindow = 10;
        await client.SendFlow();
        while ((await client.Expect<WireTransfer>()).More)
        {
        }
        (await DrainedAsync()).ShouldBe((1u, 51u, 0u));
        (await DrainedAsync()).ShouldBe((3u, 50u, 0u));
        await client.ExpectQuiet();

        async Task<(uint?, uint?, uint?)> DrainedAsync()
        {
            WireFlow flow = await client.Expect<WireFlow>();
            return (flow.Handle, flow.DeliveryCount, flow.LinkCredit);
        }
    }

    [Fact]
    public async Task Queue_may_go_while_its_deliveries_are_unsettled()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(3);
        await client.AttachCoordinator();
        await client.Grant(3);
        uint[] ids = [(await client.ExpectDelivery()).DeliveryId, (await client.ExpectDelivery()).DeliveryId, (await client.ExpectDelivery()).DeliveryId];
        string transaction = await client.Declare();
        await client.Settle(ids[1], States10.In(transaction, States10.Accepted));
        server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        await client.Settle(ids[0], States10.Accepted);
        await client.ExpectDetach("amqp:resource-deleted", 1);
        await client.Settle(ids[2], States10.Released);
        (await client.Discharge(transaction)).Name.ShouldBe("accepted");
        await client.ExpectQuiet();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Queue_that_goes_with_its_last_consumer_goes_with_its_last_link(bool isDetached)
    {
        await using var server = new TestServer();
        server.Session().DeclareQueue("q", durable: false, exclusive: false, autoDelete: true, ArgumentTable.Empty);
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.AttachReceiver(1);
        await client.AttachReceiver(2);
        await client.Publish("x");
        await client.Grant(1);
        await client.ExpectDelivery();
        await client.Detach(2);
        server.Host.Topology.Queues.Count.ShouldBe(1);
        if (isDetached) await client.Detach(1);
        else await client.EndSession();
        server.Host.Topology.Queues.ShouldBeEmpty();
        if (isDetached) await client.ExpectDisposition("released", await client.Transfer("y"));
    }

    [Fact]
    public async Task Drain_of_a_consumer_that_is_not_the_active_one_ends_at_once()
    {
        await using var server = new TestServer();
        WireScript admin = await server.Open();
        await admin.DeclareQueue("q", arguments: Fields.Of(("x-single-active-consumer", true)));
        WireScript10 client = await server.Open10();
        await client.AttachReceiver(1);
        await client.AttachReceiver(2);
        await client.AttachSender();
        await client.Publish("x");
        await client.Grant(5, 2, drain: true);
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount, flow.LinkCredit).ShouldBe((2u, 5u, 0u));
        await client.Grant(5, 1, drain: true);
        await client.ExpectDelivery(1);
        (await client.Expect<WireFlow>()).DeliveryCount.ShouldBe(5u);
        await client.Grant(1, 2);
        await client.Send(new Detach { Handle = 1, Closed = true });
        (await client.ExpectDelivery(2)).Text.ShouldBe("x");
        await client.Expect<WireDetach>();
    }

    [Fact]
    public async Task Peer_that_does_not_open_after_sasl_is_dropped_in_time()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.Login();
        server.Pass(9_000);
        client.Served.IsCompleted.ShouldBeFalse();
        server.Pass(2_000);
        await client.Served.WaitAsync(TestServer.SafetyNet);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_that_ends_does_not_wait_for_who_has_not_opened(bool isLoggedIn)
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        if (isLoggedIn) await client.Login();
        else await client.BeginSasl();
        client.FrameBytesMax = 1024;
        Task shutdown = server.Shutdown();
        if (isLoggedIn)
        {
            await client.Expect<WireOpen>(0);
            await client.ExpectClose("amqp:connection:forced");
        }
        await client.ExpectEndOfStream();
        while (!shutdown.IsCompleted)
        {
            server.Pass(20);
            await Task.Yield();
        }
    }
}
