using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Messages and queues whose time is up, as clients see it.</summary>
public class ExpiryTests
{
    private const int HourMs = 3_600_000;

    [Fact, Trait("Note", "61")]
    public async Task Note_61_a_message_is_neither_counted_nor_delivered_after_its_time_wherever_it_stands()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b", Expiring("1000"));
        await client.Publish("", "q", "c");
        await client.Publish("", "q", "d", Expiring("2000"));
        await client.ExpectQuiet();
        server.Pass(999);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(4u);
        server.Pass(1);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(3u);
        server.Pass(1000);
        (await client.Drain("q")).ShouldBe(["a", "c"]);
    }

    [Theory, Trait("Note", "61")]
    [InlineData(500, "1000", 500)]
    [InlineData(1000, "500", 500)]
    [InlineData(500, null, 500)]
    public async Task Note_61_of_the_times_of_queue_and_message_the_shorter_counts(int queueTtlMs, string? expirationMs, int livesForMs)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-message-ttl", queueTtlMs)));
        await client.Publish("", "q", "x", expirationMs is null ? null : Expiring(expirationMs));
        await client.ExpectQuiet();
        server.Pass(livesForMs - 1);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        server.Pass(1);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
        await client.GetNothing("q");
    }

    [Theory, Trait("Note", "54")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Note_54_a_time_to_live_of_0_means_at_once_or_not_at_all(bool byMessage)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: byMessage ? null : Fields.Of(("x-message-ttl", 0)));
        byte[]? properties = byMessage ? Expiring("0") : null;
        await client.Publish("", "q", "nobody is there", properties);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
        await client.Qos(1);
        await client.Consume("q", "c");
        await client.Publish("", "q", "taken", properties);
        await client.Publish("", "q", "the consumer is busy", properties);
        (await client.ExpectDelivery()).Text.ShouldBe("taken");
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "61")]
    public async Task Note_61_a_message_that_comes_back_keeps_its_time()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-message-ttl", 1000)));
        await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        server.Pass(600);
        await client.Send(new BasicNack { DeliveryTag = 1, Requeue = true });
        WireContent again = await client.Get("q", noAck: false);
        again.Redelivered.ShouldBeTrue();
        server.Pass(600);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
        await client.Send(new BasicNack { DeliveryTag = again.DeliveryTag, Requeue = true });
        await client.GetNothing("q");
    }

    [Fact, Trait("Note", "61")]
    public async Task Note_61_a_policy_gives_messages_that_are_there_a_time_and_takes_it_away()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "old");
        await client.ExpectQuiet();
        server.Pass(2000);
        await client.Publish("", "q", "new");
        await client.ExpectQuiet();
        server.SetPolicy("message-ttl=1000");
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        server.Host.ClearPolicy("p").ShouldBeTrue();
        server.Pass(HourMs);
        (await client.Drain("q")).ShouldBe(["new"]);
    }

    [Fact, Trait("Note", "61")]
    public async Task Note_61_messages_on_disk_expire_after_a_restart_too()
    {
        var disk = new SimDisk(1);
        var clock = new SimClock();
        using (var storage = new TestStorage(disk, clock))
        {
            var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task<DeclaredQueue> declared = client.DeclareQueue("q", durable: true);
            await storage.WhenLogged();
            storage.Commit();
            await declared;
            for (int i = 0; i < 10; i++) await client.Publish("", "q", $"{i}", Persistent(i % 2 == 0 ? "60000" : null));
            await client.ExpectQuiet();
            storage.Commit();
            storage.Checkpoint();
            disk = disk.Crash();
            await server.DisposeAsync();
        }
        clock.Advance(TimeSpan.FromMilliseconds(50_000));
        using var found = new TestStorage(disk, clock);
        await using var restarted = new TestServer(storage: found);
        WireScript again = await restarted.Open();
        (await again.InspectQueue("q")).MessageCount.ShouldBe(10u);
        restarted.Pass(10_000);
        await Eventually(async () => (await again.InspectQueue("q")).MessageCount == 5);
        (await again.Drain("q")).ShouldBe(["1", "3", "5", "7", "9"]);

        static byte[] Persistent(string? expirationMs)
        {
            PropertyBytes properties = new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2);
            return (expirationMs is null ? properties : properties.Text(BasicPropertyFlags.Expiration, expirationMs)).Encode();
        }
    }

    [Fact, Trait("Note", "53")]
    public async Task Note_53_an_unused_queue_goes_and_whoever_declares_or_gets_puts_it_off()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] arguments = Fields.Of(("x-expires", 1000));
        await client.DeclareQueue("q", arguments: arguments);
        server.Pass(900);
        await client.DeclareQueue("q", arguments: arguments);
        server.Pass(900);
        await client.GetNothing("q");
        server.Pass(900);
        await client.InspectQueue("q");
        server.Pass(999);
        server.Host.Topology.Queues.ContainsKey("q").ShouldBeTrue();
        server.Pass(1);
        await Gone(client, "q");
    }

    [Fact, Trait("Note", "53")]
    public async Task Note_53_a_queue_with_a_consumer_stays_and_its_time_begins_when_the_last_one_goes()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-expires", 1000)));
        await client.Consume("q", "c");
        server.Pass(HourMs);
        await client.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
        server.Pass(999);
        server.Host.Topology.Queues.ContainsKey("q").ShouldBeTrue();
        server.Pass(1);
        await Gone(client, "q");
    }

    [Fact, Trait("Note", "53")]
    public async Task Note_53_declaring_a_quorum_queue_again_does_not_put_off_its_end()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] arguments = Fields.Of(("x-queue-type", "quorum"), ("x-expires", 1000));
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        server.Pass(900);
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        server.Pass(100);
        await Gone(client, "q");
    }

    [Fact, Trait("Note", "53")]
    public async Task Note_53_a_policy_lets_queues_that_are_there_expire()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        server.Pass(HourMs);
        server.SetPolicy("expires=1000");
        await client.DeclareQueue("q");
        server.Pass(1000);
        await Gone(client, "q");
    }

    [Theory, Trait("Note", "55")]
    [InlineData("delete")]
    [InlineData("purge")]
    [InlineData("expires")]
    public async Task Note_55_what_goes_with_its_queue_or_by_purge_is_not_dead_lettered(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("dead");
        await client.DeclareQueue("q", arguments: Fields.Of(("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead"), ("x-expires", 1000)));
        await client.Publish("", "q", "x");
        await client.ExpectQuiet();
        if (way == "delete") await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        else if (way == "purge") await client.Call(new QueuePurge { Queue = "q"u8 }, AmqpMethod.QueuePurgeOk);
        else server.Pass(1000);
        (await client.InspectQueue("dead")).MessageCount.ShouldBe(0u);
    }

    private static async Task Gone(WireScript client, string queue)
    {
        await client.Send(new QueueDeclare { Queue = WireScript.Bytes(queue), Passive = true });
        await client.ExpectChannelClose(404, $"NOT_FOUND - no queue '{queue}' in vhost '/'", 50, 10);
    }

    // What is read from disk is read by another thread.
    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var late = new CancellationTokenSource(TestServer.SafetyNet);
        while (!await condition())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
