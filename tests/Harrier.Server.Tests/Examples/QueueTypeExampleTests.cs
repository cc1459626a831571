using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The example of docs/queue-types.md.</summary>
public sealed class QueueTypeExampleTests : ExampleBench
{
    [Fact]
    public async Task A_quorum_queue_counts_deliveries()
    {
        (IChannel channel, byte[] body) = (Channel, Body);

        var arguments = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        await channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false, arguments);

        await channel.BasicPublishAsync("", "orders", body);
        BasicGetResult first = (await channel.BasicGetAsync("orders", autoAck: false))!;
        await channel.BasicRejectAsync(first.DeliveryTag, requeue: true);
        BasicGetResult second = (await channel.BasicGetAsync("orders", autoAck: false))!;
        long failures = (long)second.BasicProperties.Headers!["x-delivery-count"]!; // 1

        failures.ShouldBe(1);
        first.BasicProperties.Headers!.ShouldNotContainKey("x-delivery-count");
    }
}
