using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/deduplication.md.</summary>
public sealed class DeduplicationExampleTests : ExampleBench
{
    [Fact]
    public async Task A_queue_takes_each_order_once()
    {
        (IChannel channel, byte[] body) = (Channel, Body);

        await channel.QueueDeclareAsync("invoices", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-message-deduplication"] = true,
            ["x-cache-size"] = 100_000,
            ["x-cache-ttl"] = 3_600_000,
        });

        var properties = new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?> { ["x-deduplication-header"] = "order-17" } };
        await channel.BasicPublishAsync("", "invoices", mandatory: true, properties, body);
        await channel.BasicPublishAsync("", "invoices", mandatory: true, properties, body); // confirmed, and goes nowhere

        (await CountAsync("invoices")).ShouldBe(1u);
        Clock.Advance(TimeSpan.FromHours(1));
        await channel.BasicPublishAsync("", "invoices", mandatory: true, properties, body);
        (await CountAsync("invoices")).ShouldBe(2u);
    }

    [Fact]
    public async Task An_exchange_passes_each_event_once()
    {
        (IChannel channel, byte[] body) = (Channel, Body);

        await channel.ExchangeDeclareAsync("events", "topic", durable: true,
            arguments: new Dictionary<string, object?> { ["x-message-deduplication"] = true, ["x-deduplication-header"] = "event-id" });
        foreach (string queue in (string[])["audit", "mail"])
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
            await channel.QueueBindAsync(queue, "events", routingKey: "#");
        }

        var properties = new BasicProperties { Headers = new Dictionary<string, object?> { ["event-id"] = 4711 } };
        for (int i = 0; i < 3; i++) await channel.BasicPublishAsync("events", "user.created", mandatory: true, properties, body);

        (await CountAsync("audit"), await CountAsync("mail")).ShouldBe((1u, 1u));
    }
}
