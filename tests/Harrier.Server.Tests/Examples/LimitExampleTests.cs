using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/limits.md.</summary>
public sealed class LimitExampleTests : ExampleBench
{
    [Fact]
    public async Task A_full_queue_drops_or_refuses()
    {
        IChannel channel = Channel;

        await channel.QueueDeclareAsync("newest", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-max-length"] = 2 });
        foreach (string text in (string[])["a", "b", "c"]) await channel.BasicPublishAsync("", "newest", Text(text)); // "a" is dropped

        await channel.QueueDeclareAsync("jobs", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-max-length"] = 2, ["x-overflow"] = "reject-publish" });
        foreach (string text in (string[])["a", "b"]) await channel.BasicPublishAsync("", "jobs", Text(text));
        await Should.ThrowAsync<PublishException>(async () => await channel.BasicPublishAsync("", "jobs", Text("c"))); // basic.nack

        (await DrainAsync("newest")).ShouldBe(["b", "c"]);
        (await DrainAsync("jobs")).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task What_fails_waits_longer_each_time_and_is_given_up()
    {
        (IChannel channel, byte[] body) = (Channel, Body);
        await channel.QueueDeclareAsync("given-up", durable: true, exclusive: false, autoDelete: false);

        await channel.QueueDeclareAsync("payments", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = 2,
            ["x-delayed-retry-type"] = "failed",
            ["x-delayed-retry-min"] = 10_000, // 10 seconds after the first failure, 20 after the second
            ["x-delayed-retry-max"] = 60_000,
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = "given-up",
        });

        await channel.BasicPublishAsync("", "payments", body);
        foreach (int waitSeconds in (int[])[10, 20, 0])
        {
            BasicGetResult payment = (await channel.BasicGetAsync("payments", autoAck: false))!;
            await channel.BasicRejectAsync(payment.DeliveryTag, requeue: true);
            (await CountAsync("payments")).ShouldBe(0u);
            Clock.Advance(TimeSpan.FromSeconds(waitSeconds));
        }
        (await DrainAsync("given-up")).ShouldBe(["hello"]);
    }
}
