using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Clients that do not read what they have asked for.</summary>
public class SlowReaderTests
{
    private const int Count = 3_000;

    [Theory]
    [InlineData(SenderSettleMode.Mixed)]
    [InlineData(SenderSettleMode.Settled)]
    public async Task Receiver_that_reads_late_gets_everything_in_order(SenderSettleMode mode)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 slow = await server.Open10(unreadBytesMax: 16_384);
        slow.IncomingWindow = Count;
        await slow.AttachReceiver(1, sendMode: mode);
        await slow.Grant(Count);
        await PublishAsync(server);
        for (int i = 0; i < Count; i++) (await slow.ExpectDelivery()).Text.TrimEnd('.').ShouldBe($"{i}");
        await slow.Settle(0, States10.Accepted, int.MaxValue);
        await slow.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Receiver_that_does_not_read_leaves_the_rest_to_others()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 slow = await server.Open10(unreadBytesMax: 16_384);
        await slow.AttachReceiver(1);
        slow.IncomingWindow = Count;
        await slow.Grant(Count);
        await PublishAsync(server);
        server.Queue("q").ReadyCount.ShouldBeGreaterThan(0);

        WireScript10 quick = await server.Open10();
        quick.IncomingWindow = Count;
        await quick.AttachReceiver(1, sendMode: SenderSettleMode.Settled);
        await quick.Grant(Count);
        await quick.ExpectDelivery();
        slow.Leave();
        await slow.Served.WaitAsync(TestServer.SafetyNet);
        for (int i = 1; i < Count; i++) await quick.ExpectDelivery();
        await quick.ExpectQuiet();
    }

    [Fact]
    public async Task Drain_of_a_receiver_that_reads_late_ends_behind_its_messages()
    {
        await using var server = new TestServer();
        server.Declare("q");
        await PublishAsync(server);
        WireScript10 slow = await server.Open10(unreadBytesMax: 16_384);
        slow.IncomingWindow = 2 * Count;
        await slow.AttachReceiver(1, sendMode: SenderSettleMode.Settled);
        await slow.Grant(2 * Count, drain: true);
        for (int i = 0; i < Count; i++) await slow.ExpectDelivery();
        WireFlow flow = await slow.Expect<WireFlow>();
        (flow.DeliveryCount, flow.LinkCredit, flow.Drain).ShouldBe((2u * Count, 0u, true));
    }

    [Fact]
    public async Task Link_may_be_detached_while_its_messages_pile_up()
    {
        await using var server = new TestServer();
        server.Declare("q");
        await PublishAsync(server);
        WireScript10 slow = await server.Open10(unreadBytesMax: 16_384);
        slow.IncomingWindow = Count;
        await slow.AttachReceiver(1);
        await slow.Grant(Count);
        await slow.Send(new Detach { Handle = 1, Closed = true });
        int count = 0;
        while ((await slow.Receive())!.Performative is WireTransfer) count++;
        count.ShouldBeInRange(1, Count);
        await slow.ExpectQuiet();
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((Count, 0));
    }

    // Half a kilobyte each: together more than the server writes ahead.
    private static async Task PublishAsync(TestServer server)
    {
        WireScript10 publisher = await server.Open10();
        await publisher.AttachSender();
        foreach (int[] batch in Enumerable.Range(0, Count).Chunk(500))
        {
            var frames = new Frames10();
            foreach (int i in batch) frames.Message(publisher.NextDeliveryId(), Message10.Of($"{i}".PadRight(500, '.')), settled: true);
            await publisher.Send(frames);
        }
        await publisher.Send(new Close(), 0);
        await publisher.Served.WaitAsync(TestServer.SafetyNet);
    }
}
