using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/scheduling.md.</summary>
public sealed class SchedulingExampleTests : ExampleBench
{
    [Fact]
    public async Task A_reminder_comes_in_an_hour()
    {
        (IChannel channel, byte[] body) = (Channel, Body);
        await channel.QueueDeclareAsync("reminders", durable: true, exclusive: false, autoDelete: false);

        await channel.ExchangeDeclareAsync("later", "x-delayed-message", durable: true,
            arguments: new Dictionary<string, object?> { ["x-delayed-type"] = "topic" });
        await channel.QueueBindAsync("reminders", "later", routingKey: "reminder.#");

        var properties = new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?> { ["x-delay"] = 3_600_000 } };
        await channel.BasicPublishAsync("later", "reminder.ann", mandatory: false, properties, body);

        Clock.Advance(TimeSpan.FromMinutes(59));
        (await CountAsync("reminders")).ShouldBe(0u);
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await CountAsync("reminders")).ShouldBe(1u);
    }

    [Fact]
    public async Task An_exchange_that_is_there_delays_by_policy()
    {
        (IChannel channel, byte[] body, HarrierBroker broker) = (Channel, Body, Server);
        await channel.ExchangeDeclareAsync("events", "topic", durable: true);
        await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync("q", "events", "#");

        broker.Broker.TryFindVirtualHost("/", out VirtualHost? host);
        host!.SetPolicy(new PolicyDraft("delays", "^events$", "exchanges", 0, new ArgumentTable(new Argument("delayed-message", ArgumentValue.Of(true)))));

        var properties = new BasicProperties { Headers = new Dictionary<string, object?> { ["x-delay"] = 1000 } };
        await channel.BasicPublishAsync("events", "k", mandatory: false, properties, body);
        (await CountAsync("q")).ShouldBe(0u);
        Clock.Advance(TimeSpan.FromSeconds(1));
        (await CountAsync("q")).ShouldBe(1u);
    }

    [Fact]
    public async Task What_waits_is_listed_and_called_off()
    {
        (IChannel channel, HarrierBroker broker) = (Channel, Server);
        await channel.ExchangeDeclareAsync("later", "x-delayed-message", durable: true,
            arguments: new Dictionary<string, object?> { ["x-delayed-type"] = "fanout" });
        await channel.QueueDeclareAsync("reminders", durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync("reminders", "later", "");
        foreach (string customer in (string[])["ann", "bob", "ann"])
        {
            var headers = new Dictionary<string, object?> { ["x-delay"] = 60_000, ["customer"] = customer };
            await channel.BasicPublishAsync("later", "", mandatory: false, new BasicProperties { Headers = headers }, Text(customer));
        }

        broker.Broker.TryFindVirtualHost("/", out VirtualHost? host);
        var waiting = new DelayedMessages(host!.Topology.Exchanges["later"]);
        Console.WriteLine($"{waiting.Count} messages wait"); // 3
        await foreach (BrowsedMessage message in waiting.ReadAsync(new MessageFilter("customer", ArgumentValue.Of("ann"))))
            waiting.Cancel(message);

        waiting.Count.ShouldBe(1);
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await DrainAsync("reminders")).ShouldBe(["bob"]);
    }
}
