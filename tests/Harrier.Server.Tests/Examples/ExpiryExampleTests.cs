using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/expiry.md.</summary>
public sealed class ExpiryExampleTests : ExampleBench
{
    [Fact]
    public async Task Messages_expire()
    {
        (IChannel channel, byte[] body) = (Channel, Body);

        var arguments = new Dictionary<string, object?> { ["x-message-ttl"] = 60_000 };
        await channel.QueueDeclareAsync("quotes", durable: true, exclusive: false, autoDelete: false, arguments);

        await channel.BasicPublishAsync("", "quotes", body); // for a minute
        await channel.BasicPublishAsync("", "quotes", mandatory: true, new BasicProperties { Expiration = "5000" }, body); // for five seconds

        (await CountAsync("quotes")).ShouldBe(2u);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await CountAsync("quotes")).ShouldBe(1u);
        Clock.Advance(TimeSpan.FromSeconds(55));
        (await CountAsync("quotes")).ShouldBe(0u);
    }

    [Fact]
    public async Task Queues_expire()
    {
        IChannel channel = Channel;

        var arguments = new Dictionary<string, object?> { ["x-expires"] = 1_800_000 };
        await channel.QueueDeclareAsync("basket.17", durable: true, exclusive: false, autoDelete: false, arguments); // gone after half an hour without use

        Clock.Advance(TimeSpan.FromMinutes(30));
        var gone = await Should.ThrowAsync<OperationInterruptedException>(() => channel.QueueDeclarePassiveAsync("basket.17"));
        gone.ShutdownReason!.ReplyCode.ShouldBe((ushort)404);
    }
}
