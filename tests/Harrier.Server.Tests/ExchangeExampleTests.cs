using System.Text;
using RabbitMQ.Client;

namespace Harrier.Server.Tests;

/// <summary>The examples of docs/exchanges.md, line by line.</summary>
public sealed class ExchangeExampleTests : IAsyncLifetime
{
    // Named as in the examples.
    private static readonly byte[] body = Encoding.UTF8.GetBytes("hello");

    private HarrierBroker _broker = null!;
    private IConnection _connection = null!;
    private IChannel channel = null!;

    public async Task InitializeAsync()
    {
        _broker = await HarrierBroker.StartAsync();
        _connection = await new ConnectionFactory { Uri = _broker.Uri }.CreateConnectionAsync();
        channel = await _connection.CreateChannelAsync();
    }

    public async Task DisposeAsync()
    {
        await channel.DisposeAsync();
        await _connection.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task Consistent_hash_by_the_routing_key()
    {
        string[] queues = await DeclareQueuesAsync("orders.1", "orders.2", "orders.3");

        await channel.ExchangeDeclareAsync("orders", "x-consistent-hash", durable: true);
        await channel.QueueBindAsync("orders.1", "orders", routingKey: "1");
        await channel.QueueBindAsync("orders.2", "orders", routingKey: "1");
        await channel.QueueBindAsync("orders.3", "orders", routingKey: "2"); // gets half of all orders, the others a quarter each

        for (int order = 0; order < 4000; order++) await channel.BasicPublishAsync("orders", routingKey: $"order-{order}", body);

        uint[] counts = await CountAsync(queues);
        counts.Sum(c => c).ShouldBe(4000);
        counts[0].ShouldBeInRange(900u, 1100u);
        counts[1].ShouldBeInRange(900u, 1100u);
        counts[2].ShouldBeInRange(1800u, 2200u);
    }

    [Fact]
    public async Task Consistent_hash_by_a_header()
    {
        string[] queues = await DeclareQueuesAsync("a", "b", "c");

        await channel.ExchangeDeclareAsync("by-customer", "x-consistent-hash", durable: true,
            arguments: new Dictionary<string, object?> { ["hash-header"] = "customer" });
        foreach (string queue in queues) await channel.QueueBindAsync(queue, "by-customer", routingKey: "1");

        var properties = new BasicProperties { Headers = new Dictionary<string, object?> { ["customer"] = "ann" } };
        await channel.BasicPublishAsync("by-customer", routingKey: "order.created", mandatory: true, properties, body);
        await channel.BasicPublishAsync("by-customer", routingKey: "order.paid", mandatory: true, properties, body); // to the same queue

        (await CountAsync(queues)).Order().ShouldBe([0u, 0u, 2u]);
    }

    [Fact]
    public async Task Modulus_hash()
    {
        string[] queues = await DeclareQueuesAsync("part.1", "part.2", "part.3");

        await channel.ExchangeDeclareAsync("parts", "x-modulus-hash", durable: true);
        foreach (string queue in queues) await channel.QueueBindAsync(queue, "parts", routingKey: "");

        await channel.BasicPublishAsync("parts", routingKey: "ann", body);
        await channel.BasicPublishAsync("parts", routingKey: "ann", body); // to the same queue

        (await CountAsync(queues)).Order().ShouldBe([0u, 0u, 2u]);
    }

    [Fact]
    public async Task Random()
    {
        string[] queues = await DeclareQueuesAsync("worker.1", "worker.2");

        await channel.ExchangeDeclareAsync("work", "x-random", durable: true);
        foreach (string queue in queues) await channel.QueueBindAsync(queue, "work", routingKey: "");

        await channel.BasicPublishAsync("work", routingKey: "", body); // to one of them

        (await CountAsync(queues)).Order().ShouldBe([0u, 1u]);
    }

    [Fact]
    public async Task Local_random()
    {
        await channel.ExchangeDeclareAsync("rpc", "x-local-random", durable: true);
        string queue = (await channel.QueueDeclareAsync()).QueueName; // each server has one of its own
        await channel.QueueBindAsync(queue, "rpc", routingKey: "");

        await channel.BasicPublishAsync("rpc", routingKey: "", body);

        (await CountAsync([queue])).ShouldBe([1u]);
    }

    [Fact]
    public async Task Recent_history()
    {
        await channel.ExchangeDeclareAsync("prices", "x-recent-history", durable: true,
            arguments: new Dictionary<string, object?> { ["x-recent-history-length"] = 10 });
        for (int i = 0; i < 100; i++) await channel.BasicPublishAsync("prices", routingKey: "", body);

        string queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.QueueBindAsync(queue, "prices", routingKey: ""); // and it has the last ten

        (await CountAsync([queue])).ShouldBe([10u]);
    }

    private async Task<string[]> DeclareQueuesAsync(params string[] queues)
    {
        foreach (string queue in queues) await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        return queues;
    }

    private async Task<uint[]> CountAsync(string[] queues)
    {
        var counts = new uint[queues.Length];
        for (int i = 0; i < queues.Length; i++) counts[i] = (await channel.QueueDeclarePassiveAsync(queues[i])).MessageCount;
        return counts;
    }
}
