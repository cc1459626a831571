using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Messages that wait in their exchange: x-delay, as the delayed-message plugin has it, and on any exchange that is asked to.</summary>
public class DelayedExchangeTests
{
    [Theory]
    [InlineData("type")]
    [InlineData("argument")]
    [InlineData("policy")]
    public async Task A_delayed_message_is_routed_when_its_time_has_come(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, way);
        await client.Publish("x", "k", "later", Headed(("x-delay", 5000)));
        await client.Publish("x", "k", "now");
        await client.Publish("x", "k", "soon", Headed(("x-delay", 1000)));
        await client.ExpectQuiet();
        (await client.Drain("q")).ShouldBe(["now"]);
        server.Pass(1000);
        (await client.Drain("q")).ShouldBe(["soon"]);
        server.Pass(3999);
        await client.GetNothing("q");
        server.Pass(1);
        WireContent late = await client.Get("q");
        (late.Text, late.Exchange, late.RoutingKey, late.Redelivered).ShouldBe(("later", "x", "k", false));
        late.Headers().ShouldBe(["x-delay=I -5000"], "negative: nobody delays it again");
    }

    [Theory]
    [InlineData("5000", "l -5000")]
    [InlineData(5000L, "l -5000")]
    public async Task A_delay_may_be_any_whole_number(object delay, string after)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        await client.Publish("x", "k", "x", Headed(("x-delay", delay)));
        await client.GetNothing("q");
        server.Pass(5000);
        (await client.Get("q")).Header("x-delay").ShouldBe(after);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5000)]
    [InlineData("soon")]
    [InlineData(true)]
    public async Task What_is_no_delay_delays_nothing(object delay)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        byte[] properties = Headed(("x-delay", delay));
        await client.Publish("x", "k", "x", properties);
        (await client.Get("q")).Properties.ShouldBe(properties);
    }

    [Fact]
    public async Task An_exchange_that_was_not_asked_delays_nothing()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] properties = Headed(("x-delay", 5000));
        await client.Publish("", "q", "x", properties);
        (await client.Get("q")).Properties.ShouldBe(properties);
    }

    [Fact]
    public async Task It_is_confirmed_when_it_waits_and_mandatory_is_not_looked_at()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("x", "nobody is bound to this", "x", Headed(("x-delay", 5000)), mandatory: true);
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Publish("x", "nobody is bound to this", "x", mandatory: true);
        (await client.ExpectReturn()).ReplyCode.ShouldBe(312);
        (await client.ExpectAck()).ShouldBe((2ul, false));
        server.Pass(5000);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Bindings_are_those_of_the_time_at_which_it_is_let_go()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        await client.Publish("x", "other", "x", Headed(("x-delay", 5000)));
        await client.DeclareQueue("later");
        await client.Bind("later", "x", "other");
        server.Pass(5000);
        (await client.Drain("later")).ShouldBe(["x"]);
    }

    [Fact, Trait("Note", "61")]
    public async Task Its_time_to_live_begins_after_the_delay()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.Expiration, "1000").Headers(Fields.Table(("x-delay", 5000))).Encode();
        await client.Publish("x", "k", "x", properties);
        await client.ExpectQuiet();
        server.Pass(5999);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
        server.Pass(1);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Theory]
    [InlineData("fanout")]
    [InlineData("topic")]
    [InlineData("headers")]
    [InlineData("x-consistent-hash")]
    public async Task A_delayed_exchange_has_the_type_of_another_besides(string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-delayed-message", arguments: Fields.Of(("x-delayed-type", type)));
        await client.DeclareQueue("q");
        await client.Bind("q", "x", type == "x-consistent-hash" ? "1" : "#");
        await client.Publish("x", "k", "x", Headed(("x-delay", 1)));
        await client.ExpectQuiet();
        server.Pass(10);
        (await client.Drain("q")).ShouldBe(["x"]);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nonsense")]
    [InlineData("x-delayed-message")]
    [InlineData(5)]
    public async Task The_other_type_must_be_one(object? type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] arguments = type is null ? [] : Fields.Of(("x-delayed-type", type));
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "x-delayed-message"u8, Arguments = arguments });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - Invalid argument, 'x-delayed-type' must be an existing exchange type", 40, 10);
    }

    [Fact]
    public async Task What_waits_can_be_listed_and_called_off_and_is_not_a_queue_of_the_clients()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        for (int i = 1; i <= 3; i++) await client.Publish("x", "k", $"{i}", Headed(("x-delay", i * 1000), ("job", $"j{i}")));
        await client.ExpectQuiet();
        var waiting = new DelayedMessages(server.Host.Topology.Exchanges["x"]);
        waiting.Count.ShouldBe(3);
        long nowMs = server.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        var seen = new List<(string, long)>();
        await foreach (BrowsedMessage message in waiting.ReadAsync())
        {
            seen.Add((System.Text.Encoding.UTF8.GetString(message.Message.Body), message.ExpiresAtMs - nowMs));
            if (seen.Count == 2) waiting.Cancel(message).ShouldBeTrue();
        }
        seen.ShouldBe([("1", 1000), ("2", 2000), ("3", 3000)]);
        server.Pass(3000);
        (await client.Drain("q")).ShouldBe(["1", "3"]);

        await client.Send(new BasicGet { Queue = "amq.staging.x"u8 });
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - cannot use internal queue 'amq.staging.x' in vhost '/'", 60, 70);
    }

    [Fact]
    public async Task Deleting_the_exchange_drops_what_waits_in_it()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await DeclareDelayed(server, client, "type");
        await client.Publish("x", "k", "x", Headed(("x-delay", 5000)));
        await client.Call(new ExchangeDelete { Exchange = "x"u8 }, AmqpMethod.ExchangeDeleteOk);
        await DeclareDelayed(server, client, "type");
        server.Pass(5000);
        await client.GetNothing("q");
    }

    [Fact]
    public async Task What_waits_is_durable_and_can_be_called_off_on_disk()
    {
        var disk = new SimDisk(1);
        var clock = new SimClock();
        using (var storage = new TestStorage(disk, clock))
        {
            var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task prepared = Prepare(client);
            while (!prepared.IsCompleted)
            {
                storage.Commit();
                await Task.Yield();
            }
            await prepared;
            storage.Commit();
            storage.Checkpoint();
            disk = disk.Crash();
            await server.DisposeAsync();
        }
        using var found = new TestStorage(disk, clock);
        await using var restarted = new TestServer(storage: found);
        WireScript again = await restarted.Open();
        var waiting = new DelayedMessages(restarted.Host.Topology.Exchanges["x"]);
        waiting.Count.ShouldBe(2);
        await foreach (BrowsedMessage message in waiting.ReadAsync(new MessageFilter("job", ArgumentValue.Of("second")))) waiting.Cancel(message).ShouldBeTrue();
        waiting.Count.ShouldBe(1);
        restarted.Pass(4999);
        await again.GetNothing("q");
        restarted.Pass(10);
        while ((await again.InspectQueue("q")).MessageCount == 0) await Task.Yield(); // it is read from disk by another thread
        (await again.Drain("q")).ShouldBe(["first"]);

        static async Task Prepare(WireScript client)
        {
            await client.Call(
                new ExchangeDeclare { Exchange = "x"u8, Type = "x-delayed-message"u8, Durable = true, Arguments = Fields.Of(("x-delayed-type", "direct")) },
                AmqpMethod.ExchangeDeclareOk);
            await client.DeclareQueue("q", durable: true);
            await client.Bind("q", "x", "k");
            await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
            foreach (string job in (string[])["first", "second"])
            {
                FieldTableWriter headers = Fields.Table(("x-delay", 5000), ("job", job));
                await client.Publish("x", "k", job, new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Headers(headers).Encode());
                await client.ExpectAck();
            }
        }
    }

    /// <summary>An exchange "x" that delays, with a queue "q" bound to it by the key "k".</summary>
    private static async Task DeclareDelayed(TestServer server, WireScript client, string way)
    {
        if (way == "type") await client.DeclareExchange("x", "x-delayed-message", arguments: Fields.Of(("x-delayed-type", "direct")));
        else await client.DeclareExchange("x", "direct", arguments: way == "argument" ? Fields.Of(("x-delayed-exchange", true)) : null);
        if (way == "policy") server.SetPolicy("delayed-message=true", "^x$");
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "k");
    }
}
