using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>How deliveries are answered (1.0 part 2, sections 2.6.12 and 2.7.6; part 3, section 3.4).</summary>
public class OutcomeTests
{
    [Theory]
    [InlineData(SenderSettleMode.Mixed)]
    [InlineData(SenderSettleMode.Unsettled)]
    public async Task Deliveries_wait_to_be_settled(SenderSettleMode mode)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 1, mode);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.IsSettled.ShouldBeFalse();
        delivery.Tag.Length.ShouldBeInRange(1, 32);
        server.Queue("q").UnackedCount.ShouldBe(1);
        await client.Settle(delivery.DeliveryId, States10.Accepted);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Deliveries_may_be_settled_beforehand()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2, SenderSettleMode.Settled);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.IsSettled.ShouldBeTrue();
        await client.ExpectDelivery();
        server.Queue("q").UnackedCount.ShouldBe(0);
        await client.Settle(delivery.DeliveryId, States10.Released, last: delivery.DeliveryId + 1); // too late
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Theory, MemberData(nameof(Outcomes))]
    public async Task Outcomes_say_whether_a_message_comes_back(string _, byte[]? state, bool comesBack, uint deliveryCount)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        (delivery.FirstAcquirer, delivery.DeliveryCount).ShouldBe((true, 0u));
        await client.Settle(delivery.DeliveryId, state);
        if (comesBack)
        {
            delivery = await client.ExpectDelivery();
            (delivery.Text, delivery.FirstAcquirer, delivery.DeliveryCount).ShouldBe(("0", false, deliveryCount));
            await client.Settle(delivery.DeliveryId, States10.Accepted);
        }
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    public static TheoryData<string, byte[]?, bool, uint> Outcomes => new()
    {
        { "accepted", States10.Accepted, false, 0 },
        { "rejected", States10.Rejected, false, 0 },
        { "released", States10.Released, true, 0 },
        { "modified", States10.Modified(), true, 0 },
        { "modified, not failed", States10.Modified(deliveryFailed: false), true, 0 },
        { "modified, failed", States10.Modified(deliveryFailed: true), true, 1 },
        { "modified, undeliverable here", States10.Modified(undeliverableHere: true), false, 0 },
        { "settled without a word", null, true, 0 },
        { "received", States10.Received, true, 0 },
    };

    [Theory, Trait("Note", "112")]
    [InlineData(3)]
    public async Task Failures_are_counted(int times)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 1);
        for (uint i = 0; i < times; i++)
        {
            WireDelivery10 delivery = await client.ExpectDelivery();
            delivery.DeliveryCount.ShouldBe(i);
            await client.Settle(delivery.DeliveryId, States10.Modified(deliveryFailed: true));
        }
    }

    [Theory, Trait("Note", "111")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rejected_and_undeliverable_messages_are_dead_lettered(bool isModified)
    {
        await using var server = new TestServer();
        server.Declare("dead");
        server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead", pattern: "^q$");
        WireScript10 client = await OpenAsync(server, 1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        await client.Settle(delivery.DeliveryId, isModified ? States10.Modified(undeliverableHere: true) : States10.Rejected);
        await client.ExpectQuiet();
        server.Queue("dead").ReadyCount.ShouldBe(1);
    }

    [Theory]
    [InlineData("amqp:accepted")]
    [InlineData("amqp:rejected")]
    public async Task Default_outcome_counts_when_nothing_is_said(string outcome)
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 client = await server.Open10();
        byte[] state = outcome == "amqp:accepted" ? States10.Accepted : States10.Rejected;
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Address = Encoded10.String("/queues/q"), DefaultOutcome = state })));
        await client.Expect<WireAttach>();
        await client.Grant(10);
        await client.Settle((await client.ExpectDelivery()).DeliveryId, null);
        await client.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Ranges_settle_what_is_in_them()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 10);
        uint[] ids = await ReceiveAsync(client, 10);
        await client.Settle(ids[2], States10.Accepted, last: ids[4]);
        server.Queue("q").UnackedCount.ShouldBe(7);
        await client.Settle(ids[0], States10.Accepted, last: ids[9]); // over the holes
        server.Queue("q").UnackedCount.ShouldBe(0);
        await client.Settle(ids[0], States10.Released, last: ids[9]); // once more
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Theory]
    [InlineData(100, 200)]
    [InlineData(-5, -1)]
    [InlineData(-5, 2)] // the second is one of ours
    [InlineData(2, 100)]
    [InlineData(3, 2)] // the end before the beginning
    public async Task Ids_that_are_not_known_do_no_harm(int first, int last)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2);
        uint[] ids = await ReceiveAsync(client, 2);
        await client.Settle(ids[0] + (uint)first - 1, States10.Accepted, last: ids[0] + (uint)last - 1);
        await client.ExpectQuiet();
        int settled = (first <= 1 && last >= 1 ? 1 : 0) + (first <= 2 && last >= 2 ? 1 : 0);
        server.Queue("q").UnackedCount.ShouldBe(2 - settled);
        await client.Settle(ids[0], States10.Accepted, last: ids[1]);
        server.Queue("q").UnackedCount.ShouldBe(0);
    }

    [Fact]
    public async Task Whole_range_of_ids_does_no_harm()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2);
        await ReceiveAsync(client, 2);
        await client.Settle(0, States10.Accepted, last: int.MaxValue);
        await client.ExpectQuiet();
        server.Queue("q").UnackedCount.ShouldBe(0);
    }

    [Fact]
    public async Task Ranges_go_over_the_links_of_a_session_and_not_beyond()
    {
        await using var server = new TestServer();
        server.Declare("q", "p");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0);
        await client.AttachSender(3, "/queues/p");
        await client.Begin(2);
        await client.AttachReceiver(1);
        await client.AttachReceiver(2, "/queues/p");
        await client.AttachReceiver(1, channel: 2);
        await client.Grant(1, 1);
        await client.Grant(1, 2);
        await client.Grant(0, 1, channel: 2);
        for (int i = 0; i < 2; i++) await client.Transfer("x", settled: true);
        await client.Transfer("x", handle: 3, settled: true);
        uint first = (await client.ExpectDelivery(1)).DeliveryId, second = (await client.ExpectDelivery(2)).DeliveryId;
        await client.Grant(1, 1, channel: 2);
        uint other = (await client.ExpectDelivery(1, channel: 2)).DeliveryId;
        other.ShouldBe(first);
        await client.Settle(first, States10.Accepted, last: second);
        (server.Queue("q").UnackedCount, server.Queue("p").UnackedCount).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Receiver_that_settles_second_is_told_that_it_may()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2, receiveMode: ReceiverSettleMode.Second);
        uint[] ids = await ReceiveAsync(client, 2);
        await client.Settle(ids[0], States10.Accepted, last: ids[1], settled: false);
        WireDisposition disposition = await client.Expect<WireDisposition>();
        disposition.ShouldBe(new WireDisposition(Role.Sender, ids[0], ids[1], true, new WireState("accepted")));
        await client.Settle(ids[0], States10.Accepted, last: ids[1]);
        await client.ExpectQuiet();
        server.Queue("q").UnackedCount.ShouldBe(0);
    }

    [Fact]
    public async Task How_far_a_delivery_has_come_is_noted_without_an_answer()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 1);
        uint[] ids = await ReceiveAsync(client, 1);
        await client.Settle(ids[0], States10.Received, settled: false);
        await client.Settle(ids[0], null, settled: false);
        await client.ExpectQuiet();
        server.Queue("q").UnackedCount.ShouldBe(1);
    }

    [Fact, Trait("Note", "107")]
    public async Task Who_vanishes_gives_back_what_is_unsettled()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2);
        await ReceiveAsync(client, 2);
        client.Leave();
        await client.Served.WaitAsync(TestServer.SafetyNet);
        server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Fact]
    public async Task Close_gives_back_what_is_unsettled()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2);
        await ReceiveAsync(client, 2);
        await client.Close();
        server.Queue("q").ReadyCount.ShouldBe(2);
    }

    [Fact]
    public async Task What_was_settled_before_close_is_settled()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenAsync(server, 2);
        uint[] ids = await ReceiveAsync(client, 2);
        await client.Send(new Frames10()
            .Add(new Disposition { Role = Role.Receiver, First = ids[0], Last = ids[1], Settled = true, State = States10.Accepted })
            .Add(new Close(), 0));
        await client.Expect<WireClose>(0);
        server.Queue("q").ReadyCount.ShouldBe(0);
    }

    [Fact]
    public async Task Settlement_that_is_told_to_who_settles_second_fits_its_frames()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = 512 });
        await client.AttachReceiver(1, receiveMode: ReceiverSettleMode.Second);
        await client.Grant(1);
        uint id = (await client.ExpectDelivery()).DeliveryId;
        byte[] error = Encoded10.Composite(new AmqpError { Condition = "x:y"u8, Description = System.Text.Encoding.ASCII.GetBytes(new string('d', 2_000)) });
        await client.Settle(id, Encoded10.Composite(new Rejected { Error = error }), settled: false);
        (await client.Expect<WireDisposition>()).Settled.ShouldBeTrue(); // fails when the frame is larger
    }

    // Messages in "q" and a link 1 from it that has credit for all of them.
    private static async Task<WireScript10> OpenAsync(
        TestServer server, int messageCount, SenderSettleMode mode = SenderSettleMode.Mixed, ReceiverSettleMode receiveMode = ReceiverSettleMode.First)
    {
        WireScript10 publisher = await server.OpenWithAsync(messageCount);
        await publisher.Close();
        WireScript10 client = await server.Open10();
        await client.AttachReceiver(1, sendMode: mode, receiveMode: receiveMode);
        await client.Grant(100);
        return client;
    }

    private static async Task<uint[]> ReceiveAsync(WireScript10 client, int count)
    {
        uint[] ids = new uint[count];
        for (int i = 0; i < count; i++) ids[i] = (await client.ExpectDelivery()).DeliveryId;
        return ids;
    }
}
