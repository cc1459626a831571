namespace Harrier.Amqp.Tests;

/// <summary>What a client of a quorum queue sees that one of a classic queue does not.</summary>
public class QuorumQueueTests
{
    [Fact, Trait("Note", "87"), Trait("Note", "88")]
    public async Task Note_88_reject_counts_as_failed_and_nack_as_acquired_only()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client);
        await client.Publish("", "q", "x");
        WireContent first = await client.Get("q", noAck: false);
        (first.Redelivered, first.Header("x-delivery-count"), first.Header("x-acquired-count")).ShouldBe((false, null, null));
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        WireContent second = await client.Get("q", noAck: false);
        (second.Redelivered, second.Header("x-delivery-count"), second.Header("x-acquired-count")).ShouldBe((true, "l 1", "l 1"));
        await client.Send(new BasicNack { DeliveryTag = 2, Requeue = true });
        WireContent third = await client.Get("q", noAck: false);
        (third.Header("x-delivery-count"), third.Header("x-acquired-count")).ShouldBe(("l 1", "l 2"));
    }

    [Fact, Trait("Note", "88")]
    public async Task Note_88_classic_queues_count_nothing()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        for (ulong tag = 1; tag <= 50; tag++)
        {
            WireContent delivery = await client.Get("q", noAck: false);
            (delivery.Redelivered, delivery.Properties).ShouldBe((tag > 1, delivery.Properties));
            delivery.Headers().ShouldBeEmpty();
            await client.Send(new BasicReject { DeliveryTag = tag, Requeue = true });
        }
    }

    [Theory, Trait("Note", "88")]
    [InlineData(null, 20)]
    [InlineData(2, 2)]
    [InlineData(0, 0)]
    public async Task Note_88_beyond_the_limit_it_is_dropped(int? limit, int expected)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        if (limit is { } said) await Declare(client, ("x-delivery-limit", said));
        else await Declare(client);
        await client.Publish("", "q", "x");
        int failures = 0;
        while ((await client.InspectQueue("q")).MessageCount > 0)
        {
            WireContent delivery = await client.Get("q", noAck: false);
            await client.Send(new BasicReject { DeliveryTag = delivery.DeliveryTag, Requeue = true });
            failures++.ShouldBeLessThanOrEqualTo(expected);
        }
        failures.ShouldBe(expected + 1);
    }

    [Fact, Trait("Note", "88")]
    public async Task Note_88_a_negative_limit_is_none_and_nack_never_reaches_one()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-delivery-limit", -1));
        await client.DeclareQueue("limited", durable: true, arguments: Fields.Of(("x-queue-type", "quorum"), ("x-delivery-limit", 1)));
        await client.Publish("", "q", "x");
        await client.Publish("", "limited", "x");
        for (int i = 0; i < 30; i++)
        {
            WireContent rejected = await client.Get("q", noAck: false);
            await client.Send(new BasicReject { DeliveryTag = rejected.DeliveryTag, Requeue = true });
            WireContent nacked = await client.Get("limited", noAck: false);
            await client.Send(new BasicNack { DeliveryTag = nacked.DeliveryTag, Requeue = true });
        }
        (await client.Drain("q")).ShouldBe(["x"]);
        (await client.Drain("limited")).ShouldBe(["x"]);
    }

    [Fact, Trait("Note", "88")]
    public async Task Note_88_a_connection_that_is_lost_counts_as_failed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-delivery-limit", 1));
        await client.Publish("", "q", "x");
        for (int i = 0; i < 2; i++)
        {
            WireScript doomed = await server.Open();
            await doomed.Consume("q", "c");
            WireContent delivery = await doomed.ExpectDelivery();
            delivery.Header("x-delivery-count").ShouldBe(i == 0 ? null : "l 1");
            doomed.Leave();
            await doomed.Served;
        }
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Fact, Trait("Note", "88")]
    public async Task Note_88_a_policy_changes_the_limit_of_messages_that_are_there()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client);
        await client.Publish("", "q", "x");
        for (ulong tag = 1; tag <= 3; tag++)
        {
            await client.Get("q", noAck: false);
            if (tag == 3) server.SetPolicy("delivery-limit=2");
            await client.Send(new BasicReject { DeliveryTag = tag, Requeue = true });
        }
        await client.GetNothing("q");
    }

    [Fact, Trait("Note", "87")]
    public async Task Note_87_what_comes_back_has_its_place_again()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client);
        foreach (string text in (string[])["a", "b", "c", "d"]) await client.Publish("", "q", text);
        for (int i = 0; i < 3; i++) await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 3, Requeue = true });
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        await client.Send(new BasicReject { DeliveryTag = 2, Requeue = true });
        (await client.Drain("q")).ShouldBe(["a", "b", "c", "d"]);
    }

    [Theory, Trait("Note", "87")]
    [InlineData("all", true, true)]
    [InlineData("failed", true, false)]
    [InlineData("returned", false, true)]
    public async Task Note_87_with_delayed_retry_it_waits_a_little_longer_each_time(string type, bool delaysRejected, bool delaysNacked)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-delayed-retry-type", type), ("x-delayed-retry-min", 1000), ("x-delayed-retry-max", 2500));
        foreach ((bool isRejected, bool isDelayed) in ((bool, bool)[])[(true, delaysRejected), (false, delaysNacked)])
        {
            await client.Publish("", "q", "x");
            foreach (int delayMs in (int[])[1000, 2000, 2500, 2500])
            {
                WireContent delivery = await client.Get("q", noAck: false);
                if (isRejected) await client.Send(new BasicReject { DeliveryTag = delivery.DeliveryTag, Requeue = true });
                else await client.Send(new BasicNack { DeliveryTag = delivery.DeliveryTag, Requeue = true });
                await client.ExpectQuiet();
                if (!isDelayed) continue;
                server.Pass(delayMs - 1);
                await client.GetNothing("q");
                server.Pass(1);
            }
            (await client.Drain("q")).ShouldBe(["x"]);
        }
    }

    [Fact]
    public async Task What_returns_after_a_delay_has_its_place_again_and_others_pass_it_meanwhile()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Declare(client, ("x-delayed-retry-type", "all"), ("x-delayed-retry-min", 1000));
        foreach (string text in (string[])["a", "b", "c"]) await client.Publish("", "q", text);
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        (await client.Get("q")).Text.ShouldBe("b");
        server.Pass(1000);
        (await client.Drain("q")).ShouldBe(["a", "c"]);
    }

    [Theory, Trait("Note", "74")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Note_74_everything_is_kept_over_a_restart_whatever_its_delivery_mode(bool withCheckpoint)
    {
        var disk = new SimDisk(1);
        using (var storage = new TestStorage(disk))
        {
            var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task published = Publish(client);
            while (!published.IsCompleted)
            {
                storage.Commit();
                await Task.Yield();
            }
            await published;
            storage.Commit();
            if (withCheckpoint) storage.Checkpoint();
            disk = disk.Crash();
            await server.DisposeAsync();
        }
        using var found = new TestStorage(disk);
        await using var restarted = new TestServer(storage: found);
        WireScript again = await restarted.Open();
        (await again.Drain("q")).ShouldBe(["a", "b"]);
        (await again.InspectQueue("classic")).MessageCount.ShouldBe(0u);

        static async Task Publish(WireScript client)
        {
            await Declare(client);
            await client.DeclareQueue("classic", durable: true);
            foreach (string queue in (string[])["q", "classic"]) await client.Bind(queue, "amq.fanout", "");
            await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
            await client.Publish("amq.fanout", "", "a");
            await client.ExpectAck();
            await client.Publish("", "q", "b", new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 1).Encode());
            await client.ExpectAck();
        }
    }

    [Fact, Trait("Note", "100")]
    public async Task Counts_of_a_delivery_do_not_go_into_the_dead_letter()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("dead");
        await Declare(client, ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", "dead"));
        await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        await client.Get("q", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 2 });
        WireContent dead = await client.Get("dead");
        (dead.Header("x-delivery-count"), dead.Header("x-acquired-count"), dead.Header("x-last-death-reason")).ShouldBe((null, null, "S rejected"));
    }

    private static async Task Declare(WireScript client, params (string Name, object? Value)[] arguments) =>
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of([("x-queue-type", "quorum"), .. arguments]));
}
