using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/dead-letters.md.</summary>
public sealed class DeadLetterExampleTests : ExampleBench
{
    [Fact]
    public async Task What_fails_is_tried_again_after_half_a_minute()
    {
        (IChannel channel, byte[] body) = (Channel, Body);

        await channel.ExchangeDeclareAsync("work.failed", "fanout", durable: true);
        await channel.QueueDeclareAsync("work", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "work.failed" });
        await channel.QueueDeclareAsync("work.wait", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-message-ttl"] = 30_000, ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = "work" });
        await channel.QueueBindAsync("work.wait", "work.failed", routingKey: "");

        await channel.BasicPublishAsync("", "work", body);
        BasicGetResult failed = (await channel.BasicGetAsync("work", autoAck: false))!;
        await channel.BasicRejectAsync(failed.DeliveryTag, requeue: false);

        (await CountAsync("work.wait")).ShouldBe(1u);
        Clock.Advance(TimeSpan.FromSeconds(30));
        BasicGetResult again = (await channel.BasicGetAsync("work", autoAck: false))!;

        var deaths = (List<object>)again.BasicProperties.Headers!["x-death"]!; // the newest first
        var failure = (Dictionary<string, object>)deaths[1];
        long failures = (long)failure["count"];

        failures.ShouldBe(1);
        Text("rejected").ShouldBe((byte[])failure["reason"]);
        Text("work").ShouldBe((byte[])failure["queue"]);
    }
}
