using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Routing(BrokerUnderTest broker)
{
    [Fact]
    public async Task A_fanout_exchange_broadcasts()
    {
        await using var session = await Session.OpenAsync(broker);
        var exchange = await session.ExchangeAsync(ExchangeType.Fanout);
        var first = await session.ConsumeAsync(await session.BoundQueueAsync(exchange, ""), autoAck: true);
        var second = await session.ConsumeAsync(await session.BoundQueueAsync(exchange, "ignored"), autoAck: true);
        await PublishAsync(session, exchange, "any");
        await first.ShouldGetAsync(1);
        await second.ShouldGetAsync(1);
        first.Deliveries[0].Exchange.ShouldBe(exchange);
    }

    [Fact]
    public async Task A_direct_exchange_compares_keys()
    {
        await using var session = await Session.OpenAsync(broker);
        var exchange = await session.ExchangeAsync(ExchangeType.Direct);
        var errors = await session.BoundQueueAsync(exchange, "error");
        var everything = await session.BoundQueueAsync(exchange, "error");
        await session.Channel.QueueBindAsync(everything, exchange, "info");
        await PublishAsync(session, exchange, "info", "error", "unknown");
        (await session.DrainAsync(errors)).ShouldBe(["error"]);
        (await session.DrainAsync(everything)).ShouldBe(["info", "error"]);
    }

    [Theory]
    [InlineData("*.orange.*", "a.orange.b", "orange a.b.orange a.orange.b.c")]
    [InlineData("lazy.#", "lazy lazy.a lazy.a.b", "lazya a.lazy")]
    [InlineData("#", "a a.b a..b", "")]
    [InlineData("*", "a", "a.b")]
    [InlineData("#.end", "end a.end a.b.end", "end.a")]
    [InlineData("a.*.#", "a.b a.b.c", "a b.a")]
    public async Task A_topic_exchange_matches_words(string pattern, string matching, string others)
    {
        await using var session = await Session.OpenAsync(broker);
        var exchange = await session.ExchangeAsync(ExchangeType.Topic);
        var queue = await session.BoundQueueAsync(exchange, pattern);
        await PublishAsync(session, exchange, others.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        await PublishAsync(session, exchange, matching.Split(' '));
        (await session.DrainAsync(queue)).ShouldBe(matching.Split(' '));
    }

    [Theory]
    [InlineData("all", "both")]
    [InlineData("any", "both one")]
    public async Task A_headers_exchange_matches_headers(string match, string expected)
    {
        await using var session = await Session.OpenAsync(broker);
        var exchange = await session.ExchangeAsync(ExchangeType.Headers);
        var queue = await session.BoundQueueAsync(exchange, "", new() { ["x-match"] = match, ["a"] = 1, ["b"] = "2" });
        await PublishHeadersAsync("both", new() { ["a"] = 1, ["b"] = "2" });
        await PublishHeadersAsync("one", new() { ["a"] = 1 });
        await PublishHeadersAsync("none", new() { ["b"] = "3" });
        (await session.DrainAsync(queue)).ShouldBe(expected.Split(' '));

        async Task PublishHeadersAsync(string body, Dictionary<string, object?> headers) => await session.Channel.BasicPublishAsync(
            exchange, "", mandatory: false, new BasicProperties { Headers = headers }, System.Text.Encoding.UTF8.GetBytes(body));
    }

    [Fact]
    public async Task An_exchange_can_be_bound_to_an_exchange()
    {
        await using var session = await Session.OpenAsync(broker);
        var source = await session.ExchangeAsync(ExchangeType.Topic);
        var destination = await session.ExchangeAsync(ExchangeType.Fanout);
        var queue = await session.BoundQueueAsync(destination, "");
        await session.Channel.ExchangeBindAsync(destination, source, "log.#");
        await PublishAsync(session, source, "log.error", "audit");
        (await session.DrainAsync(queue)).ShouldBe(["log.error"]);
        await session.Channel.ExchangeUnbindAsync(destination, source, "log.#");
        await PublishAsync(session, source, "log.error");
        (await session.DrainAsync(queue)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_alternate_exchange_takes_what_is_not_routed()
    {
        await using var session = await Session.OpenAsync(broker);
        var alternate = await session.ExchangeAsync(ExchangeType.Fanout);
        var exchange = await session.ExchangeAsync(
            ExchangeType.Direct, arguments: new() { ["alternate-exchange"] = alternate });
        var routed = await session.BoundQueueAsync(exchange, "known");
        var unrouted = await session.BoundQueueAsync(alternate, "");
        await PublishAsync(session, exchange, "known", "unknown");
        (await session.DrainAsync(routed)).ShouldBe(["known"]);
        (await session.DrainAsync(unrouted)).ShouldBe(["unknown"]);
    }

    /// <summary>A message for each key, with the key as its body.</summary>
    private static async Task PublishAsync(Session session, string exchange, params string[] keys)
    {
        foreach (var key in keys) await session.Channel.BasicPublishAsync(exchange, key, System.Text.Encoding.UTF8.GetBytes(key));
    }
}
