namespace Harrier.Amqp.Tests;

/// <summary>Clients that take without giving: none of them may cost more than a bound, or hold up others.</summary>
public class LimitTests
{
    private const int Kilobyte = 1024;

    [Fact]
    public async Task Consumers_per_channel()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { ConsumersPerChannelMax = 2 });
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Consume("q", "a");
        await client.Consume("q", "b");
        await client.Send(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8 });
        await client.ExpectConnectionClose(530, "NOT_ALLOWED - reached maximum (2) of consumers per channel", 60, 20);
    }

    [Fact]
    public async Task Client_that_never_reads_gets_only_so_much_and_goes_on_when_it_reads()
    {
        const int Count = 3000;
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 64 * Kilobyte);
        WireScript publisher = await server.Open();
        await deaf.DeclareQueue("q");
        await deaf.Consume("q", "c", noAck: true);
        await PublishMany(publisher, "q", Count);
        uint waiting = (await publisher.InspectQueue("q")).MessageCount;
        waiting.ShouldBeGreaterThan(2000u); // of 12 MiB; the bound is about one
        await PublishMany(publisher, "q", Count);
        (await publisher.InspectQueue("q")).MessageCount.ShouldBeInRange(waiting + Count - 100, waiting + Count); // and stays where it is
        for (int i = 0; i < 2 * Count; i++) (await deaf.ExpectDelivery()).DeliveryTag.ShouldBe((ulong)i + 1);
        (await publisher.InspectQueue("q")).MessageCount.ShouldBe(0u);
        await deaf.ExpectQuiet();
    }

    [Fact]
    public async Task Other_consumers_get_what_a_deaf_one_does_not_take()
    {
        const int Count = 2000;
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 16 * Kilobyte);
        WireScript listening = await server.Open();
        WireScript publisher = await server.Open();
        await deaf.DeclareQueue("q");
        await deaf.Consume("q", "deaf", noAck: true);
        await PublishMany(publisher, "q", Count);
        await listening.Consume("q", "listening", noAck: true);
        uint rest = 0;
        while ((await publisher.InspectQueue("q")).MessageCount > 0 || rest == 0)
        {
            await listening.ExpectDelivery();
            rest++;
        }
        rest.ShouldBeGreaterThan(500u);
    }

    [Fact]
    public async Task Deaf_consumer_does_not_hold_up_other_queues()
    {
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 16 * Kilobyte);
        WireScript client = await server.Open();
        await deaf.DeclareQueue("q");
        await deaf.Consume("q", "c", noAck: true);
        await PublishMany(client, "q", 1000);
        for (int i = 0; i < 50; i++)
        {
            await client.DeclareQueue($"other{i}");
            await client.Publish("", $"other{i}", "x");
            (await client.Get($"other{i}")).Text.ShouldBe("x");
        }
    }

    [Fact]
    public async Task Acknowledgements_of_a_deaf_consumer_are_still_read()
    {
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 16 * Kilobyte);
        WireScript publisher = await server.Open();
        await deaf.DeclareQueue("q");
        await deaf.Consume("q", "c");
        await PublishMany(publisher, "q", 1000);
        uint before = (await publisher.InspectQueue("q")).MessageCount;
        await deaf.Send(new BasicNack { DeliveryTag = 1, Requeue = true }); // guessed: nothing has been read
        (await publisher.InspectQueue("q")).MessageCount.ShouldBe(before + 1);
    }

    [Fact]
    public async Task Deaf_client_that_leaves_gives_everything_back()
    {
        const int Count = 2000;
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 16 * Kilobyte);
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await deaf.Consume("q", "c");
        await PublishMany(client, "q", Count);
        deaf.Leave();
        await deaf.Served.WaitAsync(TestServer.SafetyNet);
        (await client.InspectQueue("q")).MessageCount.ShouldBe((uint)Count);
    }

    [Fact]
    public async Task Client_that_asks_and_never_reads_is_no_longer_read()
    {
        const int MessageBytes = 256 * Kilobyte;
        await using var server = new TestServer();
        WireScript greedy = await server.Open(unreadBytesMax: 16 * Kilobyte);
        WireScript other = await server.Open();
        await other.DeclareQueue("q");
        byte[] body = new byte[MessageBytes];
        const int Count = 60;
        for (int i = 0; i < Count; i++) await other.Send(new Frames().Publish("", "q", body));
        Task asking = Ask(greedy, Count);
        // 4 MiB of answers may pile up, of the 15 MiB that it asks for.
        uint left = Count;
        while (left > Count - 15) left = (await other.InspectQueue("q")).MessageCount;
        for (int i = 0; i < 50; i++) left = (await other.InspectQueue("q")).MessageCount;
        left.ShouldBeGreaterThan(30u);
        asking.IsCompleted.ShouldBeFalse();
        for (int i = 0; i < Count; i++) (await greedy.ExpectGetOk()).Body.Length.ShouldBe(MessageBytes);
        await asking;
        await greedy.ExpectQuiet();
    }

    [Fact]
    public async Task Client_that_never_acks_holds_no_more_than_its_prefetch()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript publisher = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(10);
        await client.Consume("q", "c");
        for (int i = 0; i < 500; i++) await publisher.Publish("", "q", "x");
        for (int i = 0; i < 10; i++) await client.ExpectDelivery();
        await client.ExpectQuiet();
        (await publisher.InspectQueue("q")).MessageCount.ShouldBe(490u);
    }

    [Fact]
    public async Task Client_that_neither_reads_nor_answers_close_is_dropped()
    {
        await using var server = new TestServer();
        WireScript deaf = await server.Open(unreadBytesMax: 1);
        await deaf.DeclareQueue("q");
        await deaf.Send(new ChannelOpen());
        server.Clock.Advance(TimeSpan.FromSeconds(6));
        await Eventually(server, deaf);
    }

    [Fact]
    public async Task Deaf_client_that_sends_no_heartbeats_is_dropped()
    {
        await using var server = new TestServer();
        WireScript deaf = await server.Open(new OpenOptions { HeartbeatSeconds = 5 }, unreadBytesMax: 16 * Kilobyte);
        WireScript other = await server.Open();
        await other.DeclareQueue("q");
        await deaf.Consume("q", "c");
        await PublishMany(other, "q", 1000);
        server.Clock.Advance(TimeSpan.FromSeconds(11));
        await Eventually(server, deaf);
        (await other.InspectQueue("q")).ShouldBe(new DeclaredQueue("q", 1000, 0));
    }

    [Fact]
    public async Task Many_consumers_of_one_queue_each_take_their_turn()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 500; i++) await client.Consume("q", $"c{i}", noAck: true);
        var frames = new Frames();
        for (int i = 0; i < 1000; i++) frames.Publish("", "q", "x");
        await client.Send(frames);
        var counts = new Dictionary<string, int>();
        for (int i = 0; i < 1000; i++)
        {
            string tag = (await client.ExpectDelivery()).ConsumerTag;
            counts[tag] = counts.GetValueOrDefault(tag) + 1;
        }
        counts.Values.ShouldAllBe(c => c == 2);
    }

    private static async Task Ask(WireScript client, int count)
    {
        for (int i = 0; i < count; i++) await client.Send(new BasicGet { Queue = "q"u8, NoAck = true });
    }

    // What is left are time-outs towards a peer that does not read; the clock must not stand still for them.
    private static async Task Eventually(TestServer server, WireScript client)
    {
        while (!client.Served.IsCompleted)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await client.Served;
    }

    private static async Task PublishMany(WireScript client, string queue, int count)
    {
        byte[] body = new byte[4 * Kilobyte];
        for (int sent = 0; sent < count; sent += 100)
        {
            var frames = new Frames();
            for (int i = 0; i < 100; i++) frames.Publish("", queue, body);
            await client.Send(frames);
        }
        await client.ExpectQuiet();
    }
}
