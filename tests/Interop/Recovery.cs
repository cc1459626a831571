using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Recovery(BrokerUnderTest broker)
{
    [RestartFact]
    public async Task A_client_recovers_its_topology_after_a_restart()
    {
        await using var session = await Session.OpenAsync(broker, factory =>
        {
            factory.AutomaticRecoveryEnabled = true;
            factory.TopologyRecoveryEnabled = true;
            factory.NetworkRecoveryInterval = TimeSpan.FromMilliseconds(200);
        });
        var recovered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Connection.RecoverySucceededAsync += (_, _) =>
        {
            recovered.TrySetResult();
            return Task.CompletedTask;
        };
        var exchange = await session.ExchangeAsync(ExchangeType.Topic, durable: true);
        var durable = await session.QueueAsync(durable: true);
        await session.Channel.QueueBindAsync(durable, exchange, "durable.#");
        var exclusive = await session.BoundQueueAsync(exchange, "exclusive.#");
        var fromDurable = await session.ConsumeAsync(durable, autoAck: true);
        var fromExclusive = await session.ConsumeAsync(exclusive, autoAck: true);

        await broker.RestartAsync();
        await recovered.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await session.Channel.BasicPublishAsync(exchange, "durable.a", "one"u8.ToArray());
        await session.Channel.BasicPublishAsync(exchange, "exclusive.a", "two"u8.ToArray());
        await fromDurable.ShouldGetAsync(1);
        await fromExclusive.ShouldGetAsync(1);
        fromDurable.Bodies.ShouldBe(["one"]);
        fromExclusive.Bodies.ShouldBe(["two"]);
    }
}

/// <summary>A skip that discovery decides, because xunit 2 cannot skip a test that already runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RestartFactAttribute : FactAttribute
{
    public RestartFactAttribute()
    {
        if (!BrokerUnderTest.CanRestart) Skip = "SKIPPED: BROKER_RESTART is not set, so this broker cannot be restarted.";
    }
}
