using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Messages that an exchange or a queue takes once only, by a key in a header.</summary>
public class DeduplicationTests
{
    [Theory]
    [InlineData("exchange type")]
    [InlineData("exchange argument")]
    [InlineData("queue argument")]
    public async Task A_duplicate_is_confirmed_and_goes_nowhere(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way);
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        ulong number = 0;
        foreach (string key in (string[])["a", "b", "a", "b", "c"])
        {
            await client.Publish(exchange, "q", $"{++number}{key}", Headed(("x-deduplication-header", key)));
            (await client.ExpectAck()).ShouldBe((number, false));
        }
        (await client.Drain("q")).ShouldBe(["1a", "2b", "5c"]);
        await client.Publish(exchange, "q", "again", Headed(("x-deduplication-header", "a")));
        await client.ExpectAck();
        await client.GetNothing("q"); // that it was consumed does not matter
    }

    [Theory]
    [InlineData("exchange type")]
    [InlineData("exchange argument")]
    [InlineData("queue argument")]
    public async Task Messages_without_the_header_are_all_different(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way);
        for (int i = 0; i < 3; i++) await client.Publish(exchange, "q", "x");
        (await client.Drain("q")).ShouldBe(["x", "x", "x"]);
    }

    [Theory]
    [InlineData("exchange type")]
    [InlineData("queue argument")]
    public async Task The_window_has_a_size(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way, ("x-cache-size", 2));
        foreach (string key in (string[])["a", "b", "a", "c", "a"]) // the third is a duplicate; c pushes a out
            await client.Publish(exchange, "q", key, Headed(("x-deduplication-header", key)));
        (await client.Drain("q")).ShouldBe(["a", "b", "c", "a"]);
    }

    [Theory]
    [InlineData("exchange type")]
    [InlineData("queue argument")]
    public async Task The_window_has_a_time(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way, ("x-cache-ttl", 1000));
        for (int i = 1; i <= 3; i++)
        {
            await client.Publish(exchange, "q", $"{i}", Headed(("x-deduplication-header", "a")));
            await client.ExpectQuiet();
            server.Pass(600);
        }
        (await client.Drain("q")).ShouldBe(["1", "3"]);
    }

    [Theory]
    [InlineData("exchange type")]
    [InlineData("queue argument")]
    public async Task The_key_may_stand_in_another_header_and_be_a_number(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way, ("x-deduplication-header", "order"));
        foreach (object key in (object[])[5, 5L, 6, (short)6])
            await client.Publish(exchange, "q", $"{key} as {key.GetType().Name}", Headed(("order", key)));
        (await client.Drain("q")).ShouldBe(["5 as Int32", "6 as Int32"]);
    }

    [Theory]
    [InlineData("exchange type")]
    [InlineData("queue argument")]
    public async Task What_is_neither_text_nor_a_whole_number_is_no_key(string way)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string exchange = await Declare(client, way);
        foreach (object? value in (object?[])[1.5, 2.5, true, false, null, Fields.Texts("a"), Fields.Table(("a", 1))])
            await client.Publish(exchange, "q", "x", Headed(("x-deduplication-header", value)));
        (await client.InspectQueue("q")).MessageCount.ShouldBe(7u);
    }

    [Fact]
    public async Task A_message_that_was_refused_for_want_of_room_may_come_again()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-message-deduplication", true), ("x-max-length", 1), ("x-overflow", "reject-publish")));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "in the way");
        await client.ExpectAck();
        await client.Publish("", "q", "x", Headed(("x-deduplication-header", "a")));
        await client.ExpectNack();
        await client.Get("q");
        await client.Publish("", "q", "x", Headed(("x-deduplication-header", "a")));
        await client.ExpectAck();
        (await client.Drain("q")).ShouldBe(["x"]);
    }

    [Fact]
    public async Task A_delayed_message_is_a_duplicate_of_one_that_waits()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "direct", arguments: Fields.Of(("x-message-deduplication", true), ("x-delayed-exchange", true)));
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "q");
        await client.Publish("x", "q", "1", Headed(("x-deduplication-header", "a"), ("x-delay", 1000)));
        await client.Publish("x", "q", "2", Headed(("x-deduplication-header", "a")));
        await client.ExpectQuiet();
        server.Pass(1000);
        (await client.Drain("q")).ShouldBe(["1"]);
    }

    [Theory]
    [InlineData("x-cache-size", 0, "{value_zero,0}")]
    [InlineData("x-cache-size", 1_000_001, "{value_too_large,1000001}")]
    [InlineData("x-cache-ttl", -1, "{value_negative,-1}")]
    [InlineData("x-deduplication-header", "", "invalid_deduplication_header")]
    public async Task Arguments_of_an_exchange_are_checked_like_those_of_a_queue(string argument, object value, string detail)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "x-message-deduplication"u8, Arguments = Fields.Of((argument, value)) });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - invalid arg '{argument}' for exchange 'x' in vhost '/': {detail}", 40, 10);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_are_known_after_a_restart(bool byExchange)
    {
        var disk = new SimDisk(1);
        for (int run = 0; run < 3; run++)
        {
            using var storage = new TestStorage(disk);
            var server = new TestServer(storage: storage);
            WireScript client = await server.Open();
            Task published = Publish(client, $"{run}", byExchange);
            while (!published.IsCompleted)
            {
                storage.Commit();
                await Task.Yield();
            }
            await published;
            server.Queue("q").ReadyCount.ShouldBe(1, $"run {run}");
            storage.Commit();
            if (run == 1) storage.Checkpoint();
            disk = disk.Crash();
            await server.DisposeAsync();
        }

        static async Task Publish(WireScript client, string text, bool byExchange)
        {
            byte[] window = Fields.Of(("x-message-deduplication", true));
            await client.DeclareQueue("q", durable: true, arguments: byExchange ? null : window);
            if (byExchange)
            {
                await client.Call(
                    new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8, Durable = true, Arguments = Fields.Of(("x-message-deduplication", true)) },
                    AmqpMethod.ExchangeDeclareOk);
                await client.Bind("q", "x", "q");
            }
            await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
            byte[] properties = new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Headers(Fields.Table(("x-deduplication-header", "a"))).Encode();
            await client.Publish(byExchange ? "x" : "", "q", text, properties);
            await client.ExpectAck();
        }
    }

    /// <summary>A queue "q" that gets what is published to the exchange by the key "q", each key once; the name of the exchange.</summary>
    private static async Task<string> Declare(WireScript client, string way, params (string Name, object? Value)[] arguments)
    {
        byte[] all = Fields.Of([("x-message-deduplication", true), .. arguments]);
        await client.DeclareQueue("q", arguments: way == "queue argument" ? all : null);
        if (way == "queue argument") return "";
        bool isType = way == "exchange type";
        await client.DeclareExchange("x", isType ? "x-message-deduplication" : "direct", arguments: isType ? Fields.Of(arguments) : all);
        await client.Bind("q", "x", "q");
        return "x";
    }
}
