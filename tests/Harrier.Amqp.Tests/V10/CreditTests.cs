using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>The credit of links: no more than was granted, drained when that is asked for (1.0 part 2, section 2.6.7).</summary>
public class CreditTests
{
    [Fact]
    public async Task Credit_is_kept_to_the_message()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 6);
        await client.Grant(1);
        (await client.ExpectDelivery()).Text.ShouldBe("0");
        await client.ExpectQuiet();
        await client.Grant(2);
        (await client.ExpectDelivery()).Text.ShouldBe("1");
        (await client.ExpectDelivery()).Text.ShouldBe("2");
        await client.ExpectQuiet();
        await client.Grant(0);
        await client.ExpectQuiet();
        await client.Grant(100);
        for (int i = 3; i < 6; i++) (await client.ExpectDelivery()).Text.ShouldBe($"{i}");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Credit_counts_from_the_delivery_count_that_the_client_has_seen()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 6);
        await client.Grant(3);
        for (int i = 0; i < 3; i++) await client.ExpectDelivery();
        await client.Send(new Flow { NextIncomingId = 3, IncomingWindow = 99, OutgoingWindow = 1, Handle = 1, DeliveryCount = 1, LinkCredit = 3 });
        (await client.ExpectDelivery()).Text.ShouldBe("3"); // two of the three were on their way
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Credit_may_be_taken_back()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 0);
        await client.Grant(10);
        await client.Grant(0);
        await client.Publish("x");
        await client.ExpectQuiet();
        await client.Grant(1);
        (await client.ExpectDelivery()).Text.ShouldBe("x");
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData((uint)int.MaxValue)]
    public async Task Credit_may_be_as_large_as_it_can_be(uint credit)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 1);
        await client.Grant(credit);
        (await client.ExpectDelivery()).Text.ShouldBe("0");
        await client.Grant(credit);
        await client.Transfer("1", settled: true);
        (await client.ExpectDelivery()).Text.ShouldBe("1");
    }

    [Theory, Trait("Note", "110")]
    [InlineData(0, 10u)]
    [InlineData(2, 10u)]
    [InlineData(3, 2u)]
    [InlineData(0, 0u)]
    public async Task Drain_uses_up_the_credit_and_says_so(int messageCount, uint credit)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( messageCount);
        await client.Grant(credit, drain: true);
        for (int i = 0; i < Math.Min(messageCount, credit); i++) await client.ExpectDelivery();
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount, flow.LinkCredit, flow.Drain).ShouldBe((1u, credit, 0u, true));
        await client.Transfer("later", settled: true);
        await client.ExpectQuiet();
        await client.Grant(1);
        await client.ExpectDelivery();
    }

    [Fact, Trait("Note", "110")]
    public async Task Drain_may_come_after_the_credit()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 1);
        await client.Grant(10);
        await client.ExpectDelivery();
        await client.Grant(9, drain: true);
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit).ShouldBe((10u, 0u));
        await client.Grant(9, drain: true);
        flow = await client.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit).ShouldBe((19u, 0u));
    }

    [Fact]
    public async Task Drain_waits_for_what_the_window_holds_back()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 2);
        client.IncomingWindow = 1;
        await client.Grant(5, drain: true);
        (await client.ExpectDelivery()).Text.ShouldBe("0");
        await client.SendFlow();
        (await client.ExpectDelivery()).Text.ShouldBe("1");
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit, flow.Drain).ShouldBe((5u, 0u, true));
    }

    [Fact]
    public async Task Flow_of_a_link_is_echoed_when_that_is_asked_for()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 5);
        await client.Grant(2, echo: true);
        await client.ExpectDelivery();
        await client.ExpectDelivery();
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount, flow.LinkCredit, flow.Available, flow.Drain, flow.Echo).ShouldBe((1u, 2u, 0u, 3u, false, false));
        await client.SendFlow(handle: 0, echo: true);
        flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount, flow.LinkCredit).ShouldBe((0u, 5u, (uint)new ConnectionLimits().LinkCreditMax - 5));
    }

    [Fact]
    public async Task Sender_gets_more_credit_before_it_has_none()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { LinkCreditMax = 4 });
        server.Declare("q");
        WireScript10 client = await server.Open10();
        (await client.AttachSender()).LinkCredit.ShouldBe(4u);
        await client.Publish("0");
        await client.Transfer("1");
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit).ShouldBe((2u, 4u));
        await client.ExpectDisposition("accepted", 1);
    }

    [Fact]
    public async Task Two_receivers_share_a_queue_by_their_credit()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 0);
        await client.AttachReceiver(2);
        await client.Grant(2, handle: 1);
        await client.Grant(3, handle: 2);
        for (int i = 0; i < 6; i++) await client.Transfer($"{i}", settled: true);
        var counts = new Dictionary<uint, int> { [1] = 0, [2] = 0 };
        for (int i = 0; i < 5; i++) counts[(await client.Expect<WireTransfer>()).Handle]++;
        (counts[1], counts[2]).ShouldBe((2, 3));
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Sender_may_skip_ahead_with_its_delivery_count()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Send(new Flow
        {
            NextIncomingId = 0,
            IncomingWindow = 9,
            OutgoingWindow = 9,
            Handle = 0,
            DeliveryCount = 500,
            LinkCredit = 500,
            Available = 0,
            Echo = true,
        });
        WireFlow flow = await client.Expect<WireFlow>();
        flow.DeliveryCount.ShouldBe(500u); // 1.0 part 2, section 2.6.7: the sender's count is the one that counts
    }
}
