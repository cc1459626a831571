using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The example of docs/priorities.md.</summary>
public sealed class PriorityExampleTests : ExampleBench
{
    [Fact]
    public async Task The_urgent_overtakes()
    {
        IChannel channel = Channel;

        var arguments = new Dictionary<string, object?> { ["x-max-priority"] = 10 };
        await channel.QueueDeclareAsync("mails", durable: true, exclusive: false, autoDelete: false, arguments);

        await channel.BasicPublishAsync("", "mails", Text("newsletter")); // 0
        await channel.BasicPublishAsync("", "mails", mandatory: true, new BasicProperties { Priority = 9 }, Text("password reset")); // is delivered first

        (await DrainAsync("mails")).ShouldBe(["password reset", "newsletter"]);
    }
}
