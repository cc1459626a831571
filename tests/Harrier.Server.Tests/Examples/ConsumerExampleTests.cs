using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Harrier.Server.Tests.Examples;

/// <summary>The examples of docs/consumers.md.</summary>
public sealed class ConsumerExampleTests : ExampleBench
{
    private readonly Channel<BasicDeliverEventArgs> _deliveries = System.Threading.Channels.Channel.CreateUnbounded<BasicDeliverEventArgs>();

    [Fact]
    public async Task A_spare_gets_what_the_first_has_no_room_for()
    {
        (IChannel channel, byte[] body, IAsyncBasicConsumer consumer) = (Channel, Body, Consumer());
        await channel.QueueDeclareAsync("work", durable: true, exclusive: false, autoDelete: false);

        await channel.BasicQosAsync(prefetchSize: 0, prefetchCount: 1, global: false);
        await channel.BasicConsumeAsync("work", autoAck: false, "first", noLocal: false, exclusive: false,
            new Dictionary<string, object?> { ["x-priority"] = 10 }, consumer);
        await channel.BasicConsumeAsync("work", autoAck: false, "spare", noLocal: false, exclusive: false, arguments: null, consumer);

        for (int i = 0; i < 2; i++) await channel.BasicPublishAsync("", "work", body);

        (await NextAsync()).ConsumerTag.ShouldBe("first");
        (await NextAsync()).ConsumerTag.ShouldBe("spare");
    }

    [Fact]
    public async Task One_is_active_and_the_next_takes_over()
    {
        (IChannel channel, byte[] body, IAsyncBasicConsumer consumer) = (Channel, Body, Consumer());

        await channel.QueueDeclareAsync("ledger", durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-single-active-consumer"] = true });
        await channel.BasicConsumeAsync("ledger", autoAck: false, "active", consumer);
        await channel.BasicConsumeAsync("ledger", autoAck: false, "waiting", consumer);

        await channel.BasicPublishAsync("", "ledger", body); // to "active"
        BasicDeliverEventArgs first = await NextAsync();
        await channel.BasicAckAsync(first.DeliveryTag, multiple: false);
        await channel.BasicCancelAsync("active");
        await channel.BasicPublishAsync("", "ledger", body); // to "waiting"

        first.ConsumerTag.ShouldBe("active");
        (await NextAsync()).ConsumerTag.ShouldBe("waiting");
    }

    [Fact]
    public async Task A_delivery_is_a_lease()
    {
        (IChannel channel, byte[] body, IAsyncBasicConsumer consumer) = (Channel, Body, Consumer());
        await channel.QueueDeclareAsync("renders", durable: true, exclusive: false, autoDelete: false);

        await channel.BasicConsumeAsync("renders", autoAck: false, "slow", noLocal: false, exclusive: false,
            new Dictionary<string, object?> { ["x-consumer-timeout"] = 300_000 }, consumer); // five minutes for each

        await channel.BasicPublishAsync("", "renders", body);
        (await NextAsync()).Redelivered.ShouldBeFalse();
        Clock.Advance(TimeSpan.FromMinutes(5));
        (await NextAsync()).Redelivered.ShouldBeTrue();
        channel.IsOpen.ShouldBeTrue();
    }

    private AsyncEventingBasicConsumer Consumer()
    {
        var consumer = new AsyncEventingBasicConsumer(Channel);
        consumer.ReceivedAsync += async (_, delivery) => await _deliveries.Writer.WriteAsync(delivery);
        return consumer;
    }

    private async Task<BasicDeliverEventArgs> NextAsync() => await _deliveries.Reader.ReadAsync().AsTask().WaitAsync(TestSupport.TestServer.SafetyNet);
}
