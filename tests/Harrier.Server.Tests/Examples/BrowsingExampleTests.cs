using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/browsing.md.</summary>
public sealed class BrowsingExampleTests : ExampleBench
{
    [Fact]
    public async Task The_newest_messages_of_a_customer()
    {
        HarrierBroker broker = Server;
        await Channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false);
        foreach (string order in (string[])["ann 1", "bob 1", "ann 2"])
        {
            var headers = new Dictionary<string, object?> { ["customer"] = order.Split(' ')[0] };
            await Channel.BasicPublishAsync("", "orders", mandatory: true, new BasicProperties { Headers = headers }, Text(order));
        }
        List<string> found = [];

        broker.Broker.TryFindVirtualHost("/", out VirtualHost? host);
        Queue orders = host!.Topology.Queues["orders"];
        var browser = new QueueBrowser(orders) { NewestFirst = true, Filter = new MessageFilter("customer", ArgumentValue.Of("ann")) };
        await foreach (BrowsedMessage shown in browser.ReadAsync())
            found.Add(Encoding.UTF8.GetString(shown.Message.Body));

        found.ShouldBe(["ann 2", "ann 1"]);
        (await CountAsync("orders")).ShouldBe(3u);
    }

    [Fact]
    public async Task Dead_letters_go_back()
    {
        IChannel channel = Channel;
        await channel.QueueDeclareAsync("dead", durable: true, exclusive: false, autoDelete: false);
        await channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = "dead" });
        await channel.BasicPublishAsync("", "orders", Body);
        await channel.BasicRejectAsync((await channel.BasicGetAsync("orders", autoAck: false))!.DeliveryTag, requeue: false);
        (await CountAsync("dead")).ShouldBe(1u);
        Server.Broker.TryFindVirtualHost("/", out VirtualHost? host);

        Queue dead = host!.Topology.Queues["dead"];
        RedriveResult would = await new Redrive(dead, host, TimeProvider.System) { IsDryRun = true }.RunAsync();
        RedriveResult result = await new Redrive(dead, host, TimeProvider.System) { RatePerSecond = 1000 }.RunAsync();

        (would, result).ShouldBe((new RedriveResult(1, 0), new RedriveResult(1, 0)));
        (await DrainAsync("orders")).ShouldBe(["hello"]);
    }

    [Fact]
    public async Task A_queue_is_paused()
    {
        (IChannel channel, byte[] body) = (Channel, Body);
        await channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false);
        Server.Broker.TryFindVirtualHost("/", out VirtualHost? host);

        Queue orders = host!.Topology.Queues["orders"];
        host.Pause(orders, isPaused: true);
        await channel.BasicPublishAsync("", "orders", body); // is taken and confirmed
        BasicGetResult? nothing = await channel.BasicGetAsync("orders", autoAck: true);
        host.Pause(orders, isPaused: false);
        BasicGetResult? message = await channel.BasicGetAsync("orders", autoAck: true);

        nothing.ShouldBeNull();
        message.ShouldNotBeNull();
    }
}
