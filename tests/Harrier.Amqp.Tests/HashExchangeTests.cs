using System.Globalization;

namespace Harrier.Amqp.Tests;

/// <summary>The exchange types x-consistent-hash, x-modulus-hash, x-random and x-local-random: what they refuse, and where messages go.</summary>
public class HashExchangeTests
{
    private static readonly string[] Queues = ["a", "b", "c", "d"];

    public static TheoryData<string, object?, string> Arguments => new()
    {
        { "hash-property", "app_id", "Unsupported property: app_id" },
        { "hash-property", "", "Unsupported property: " },
        { "hash-property", 1, "invalid type 'signedint' for arg 'hash-property' in exchange 'x' in vhost '/'" },
        { "hash-header", 1L, "invalid type 'long' for arg 'hash-header' in exchange 'x' in vhost '/'" },
        { "hash-header", null, "invalid type 'void' for arg 'hash-header' in exchange 'x' in vhost '/'" },
        { "x-hash-on", true, "invalid type 'bool' for arg 'x-hash-on' in exchange 'x' in vhost '/'" },
        { "x-algorithm", "maglev", "Unsupported x-algorithm: maglev; expected ring or jump" },
        { "x-algorithm", 1, "invalid type 'signedint' for arg 'x-algorithm' in exchange 'x' in vhost '/'" },
    };

    [Theory, MemberData(nameof(Arguments))]
    public async Task Consistent_hash_refuses_arguments_that_mean_nothing(string argument, object? value, string text)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "x-consistent-hash"u8, Arguments = Fields.Of((argument, value)) });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - {text}", 40, 10);
        await client.DeclareExchange("x", "x-modulus-hash", arguments: Fields.Of((argument, value))); // others do not look at them
    }

    [Theory]
    [InlineData("hash-header")]
    [InlineData("x-hash-on")]
    public async Task Consistent_hash_looks_at_a_header_or_a_property_and_not_at_both(string header)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] both = Fields.Of((header, "h"), ("hash-property", "message_id"));
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "x-consistent-hash"u8, Arguments = both });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - hash-header and hash-property are mutually exclusive", 40, 10);
    }

    [Theory]
    [InlineData("", "The binding key must be an integer: <<>>")]
    [InlineData("heavy", "The binding key must be an integer: <<\"heavy\">>")]
    [InlineData("1.5", "The binding key must be an integer: <<\"1.5\">>")]
    [InlineData("a\"\\b", "The binding key must be an integer: <<\"a\\\"\\\\b\">>")]
    [InlineData("größe", "The binding key must be an integer: <<\"größe\"/utf8>>")]
    [InlineData("1\u0001", "The binding key must be an integer: <<49,1>>")]
    [InlineData("0", "The binding key must be greater than 0")]
    [InlineData("-1", "The binding key must be greater than 0")]
    [InlineData("2147483648", "The binding key must not be greater than 2147483647")]
    [InlineData("1000000000000000000000000000000", "The binding key must not be greater than 2147483647")]
    public async Task Consistent_hash_takes_weights_as_binding_keys(string key, string text)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareExchange("x", "x-consistent-hash");
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = WireScript.Bytes(key) });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - {text}", 50, 20);
        await client.Send(new ExchangeBind { Destination = "amq.fanout"u8, Source = "x"u8, RoutingKey = WireScript.Bytes(key) });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - {text}", 40, 30);
        await client.Bind("q", "x", "2147483647");
    }

    [Fact]
    public async Task Local_random_takes_classic_queues_with_an_empty_key_only()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareQueue("quorum", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.DeclareExchange("x", "x-local-random");
        await client.Send(new QueueBind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = "k"u8 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - Non empty binding 'k' key not permitted", 50, 20);
        await client.Send(new QueueBind { Queue = "quorum"u8, Exchange = "x"u8 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - Queue type rabbit_quorum_queue not valid for this exchange type", 50, 20);
        await client.Send(new ExchangeBind { Destination = "amq.fanout"u8, Source = "x"u8 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - Destination not found", 40, 30);
        await client.Bind("q", "x", "");
        await client.Publish("x", "any key", "x");
        (await client.Drain("q")).ShouldBe(["x"]);
    }

    [Theory]
    [InlineData("x-consistent-hash", "1")]
    [InlineData("x-modulus-hash", "")]
    public async Task Equal_routing_keys_go_to_one_queue_and_others_elsewhere(string type, string bindingKey)
    {
        await using var server = new TestServer();
        WireScript client = await OpenWithQueues(server, type, bindingKey);
        string[] keys = [.. Enumerable.Range(0, 40).Select(i => $"key {i}")];
        foreach (string key in (string[])[.. keys, .. keys]) await client.Publish("x", key, key);
        foreach (string queue in Queues)
        {
            string[] texts = await client.Drain(queue);
            texts.ShouldNotBeEmpty();
            texts.GroupBy(t => t).ShouldAllBe(g => g.Count() == 2);
        }
    }

    [Theory]
    [InlineData("hash-header", "customer")]
    [InlineData("x-hash-on", "customer")]
    [InlineData("hash-property", "message_id")]
    [InlineData("hash-property", "correlation_id")]
    [InlineData("hash-property", "timestamp")]
    public async Task Consistent_hash_by_header_or_property(string argument, string input)
    {
        await using var server = new TestServer();
        WireScript client = await OpenWithQueues(server, "x-consistent-hash", "1", Fields.Of((argument, input)));
        for (int i = 0; i < 80; i++) await client.Publish("x", "same key", $"{i % 40}", With(input, i % 40));
        foreach (string queue in Queues)
        {
            string[] texts = await client.Drain(queue);
            texts.ShouldNotBeEmpty("the key is the same, so the route must not be remembered");
            texts.GroupBy(t => t).ShouldAllBe(g => g.Count() == 2);
        }
    }

    [Theory]
    [InlineData("hash-header", "customer")]
    [InlineData("hash-property", "message_id")]
    public async Task Consistent_hash_keeps_messages_together_that_lack_what_is_hashed(string argument, string input)
    {
        await using var server = new TestServer();
        WireScript client = await OpenWithQueues(server, "x-consistent-hash", "1", Fields.Of((argument, input)));
        for (int i = 0; i < 20; i++) await client.Publish("x", $"key {i}", "x");
        var counts = new List<int>();
        foreach (string queue in Queues) counts.Add((await client.Drain(queue)).Length);
        counts.Order().ShouldBe([0, 0, 0, 20]);
    }

    [Theory]
    [InlineData("x-random")]
    [InlineData("x-local-random")]
    public async Task Chance_is_asked_for_each_message(string type)
    {
        await using var server = new TestServer();
        WireScript client = await OpenWithQueues(server, type, "");
        for (int i = 0; i < 100; i++) await client.Publish("x", "same key", "x");
        int sum = 0;
        foreach (string queue in Queues)
        {
            int count = (await client.Drain(queue)).Length;
            count.ShouldBeGreaterThan(0);
            sum += count;
        }
        sum.ShouldBe(100);
    }

    [Fact]
    public async Task Chance_does_not_begin_alike_on_every_channel()
    {
        await using var server = new TestServer();
        WireScript client = await OpenWithQueues(server, "x-random", "");
        for (ushort channel = 2; channel < 30; channel++)
        {
            await client.OpenChannel(channel);
            await client.Publish("x", "k", "x", channel: channel);
            await client.ExpectQuiet(channel);
        }
        foreach (string queue in Queues) (await client.Drain(queue)).ShouldNotBeEmpty();
    }

    private static async Task<WireScript> OpenWithQueues(TestServer server, string type, string bindingKey, byte[]? arguments = null)
    {
        WireScript client = await server.Open();
        await client.DeclareExchange("x", type, arguments: arguments);
        foreach (string queue in Queues)
        {
            await client.DeclareQueue(queue);
            await client.Bind(queue, "x", bindingKey);
        }
        return client;
    }

    private static byte[] With(string input, int number) => input switch
    {
        "message_id" => new PropertyBytes().Text(BasicPropertyFlags.MessageId, Text(number)).Encode(),
        "correlation_id" => new PropertyBytes().Text(BasicPropertyFlags.CorrelationId, Text(number)).Encode(),
        "timestamp" => new PropertyBytes().Timestamp((ulong)number).Encode(),
        _ => new PropertyBytes().Headers(Fields.Table((input, Text(number)))).Encode(),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
