using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Dead letters on their way back to where x-death says that they come from.</summary>
public class RedriveTests
{
    [Fact]
    public async Task Dead_letters_go_back_to_the_queues_that_they_died_in_with_the_keys_that_they_had()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortals(client, "a", "b");
        await client.Bind("a", "amq.topic", "#");
        await client.Publish("amq.topic", "k", "1");
        await client.Publish("", "b", "2");
        await RejectAll(client, "a", "b");
        (await client.InspectQueue("dead")).MessageCount.ShouldBe(2u);

        (await new Redrive(server.Queue("dead"), server.Host, server.Clock).RunAsync()).ShouldBe(new RedriveResult(Moved: 2, Stayed: 0));

        await client.GetNothing("dead");
        WireContent first = await client.Get("a");
        (first.Exchange, first.RoutingKey, first.Text, first.Redelivered).ShouldBe(("amq.topic", "k", "1", false));
        first.Header("x-last-death-queue").ShouldBe("S a", "it still tells");
        WireContent second = await client.Get("b");
        (second.Exchange, second.RoutingKey, second.Text).ShouldBe(("", "b", "2"));
    }

    [Fact]
    public async Task What_dies_again_is_counted_on()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortals(client, "a");
        await client.Publish("", "a", "x");
        for (int round = 1; round <= 3; round++)
        {
            await RejectAll(client, "a");
            (await client.InspectQueue("dead")).MessageCount.ShouldBe(1u);
            await new Redrive(server.Queue("dead"), server.Host, server.Clock).RunAsync();
        }
        (await client.Get("a")).Header("x-death")!.ShouldStartWith("A [F {count=l 3, reason=S rejected, queue=S a,");
    }

    [Fact]
    public async Task What_did_not_die_or_has_lost_its_queue_stays()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortals(client, "a", "gone");
        foreach (string queue in (string[])["gone", "a", "dead"]) await client.Publish("", queue, queue);
        await RejectAll(client, "gone", "a");
        await client.Call(new QueueDelete { Queue = "gone"u8 }, AmqpMethod.QueueDeleteOk);

        (await new Redrive(server.Queue("dead"), server.Host, server.Clock).RunAsync()).ShouldBe(new RedriveResult(Moved: 1, Stayed: 2));

        (await client.Drain("a")).ShouldBe(["a"]);
        (await client.Drain("dead")).ShouldBe(["dead", "gone"]);
    }

    [Fact]
    public async Task A_header_says_which_and_a_dry_run_only_counts()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareMortals(client, "a");
        foreach (int tenant in (int[])[1, 2, 1]) await client.Publish("", "a", $"{tenant}", Headed(("tenant", tenant)));
        await RejectAll(client, "a");
        var filter = new MessageFilter("tenant", ArgumentValue.Of(1));

        var dry = new Redrive(server.Queue("dead"), server.Host, server.Clock) { Filter = filter, IsDryRun = true };
        (await dry.RunAsync()).ShouldBe(new RedriveResult(Moved: 2, Stayed: 0));
        (await client.InspectQueue("dead")).MessageCount.ShouldBe(3u);

        (await new Redrive(server.Queue("dead"), server.Host, server.Clock) { Filter = filter }.RunAsync()).Moved.ShouldBe(2);
        (await client.Drain("a")).ShouldBe(["1", "1"]);
        (await client.Drain("dead")).ShouldBe(["2"]);
    }

    [Fact]
    public async Task Dead_letters_on_disk_go_back_and_are_there_after_a_crash()
    {
        var disk = new SimDisk(1);
        using (var storage = new TestStorage(disk))
        {
            var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task died = Die(client);
            while (!died.IsCompleted)
            {
                storage.Commit();
                await Task.Yield();
            }
            await died;
            storage.Commit();
            storage.Checkpoint();
            (await new Redrive(server.Queue("dead"), server.Host, server.Clock).RunAsync()).Moved.ShouldBe(50);
            storage.Commit();
            disk = disk.Crash();
            await server.DisposeAsync();
        }
        using var found = new TestStorage(disk);
        await using var restarted = new TestServer(storage: found);
        WireScript again = await restarted.Open();
        (await again.Drain("a")).ShouldBe([.. Enumerable.Range(0, 50).Select(i => $"{i}")]);
        await again.GetNothing("dead");

        static async Task Die(WireScript client)
        {
            await DeclareMortals(client, "a");
            byte[] persistent = new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Encode();
            for (int i = 0; i < 50; i++) await client.Publish("", "a", $"{i}", persistent);
            await RejectAll(client, "a");
            await client.ExpectQuiet();
        }
    }

    /// <summary>Queues whose dead letters go to the queue "dead".</summary>
    private static async Task DeclareMortals(WireScript client, params string[] queues)
    {
        await client.DeclareQueue("dead", durable: true);
        byte[] arguments = Fields.Of(("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead"));
        foreach (string queue in queues) await client.DeclareQueue(queue, durable: true, arguments: arguments);
    }

    private static async Task RejectAll(WireScript client, params string[] queues)
    {
        foreach (string queue in queues)
        {
            for (uint left = (await client.InspectQueue(queue)).MessageCount; left > 0; left--)
            {
                WireContent delivery = await client.Get(queue, noAck: false);
                await client.Send(new BasicReject { DeliveryTag = delivery.DeliveryTag });
            }
        }
        await client.ExpectQuiet();
    }
}
