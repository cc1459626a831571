using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class ChannelErrors(BrokerUnderTest broker)
{
    private static readonly byte[] Body = "x"u8.ToArray();

    [Fact]
    public async Task Passive_declaration_of_something_missing()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(404, channel => channel.QueueDeclarePassiveAsync(Session.Unique("missing")));
        await session.ShouldRefuseAsync(404, channel => channel.ExchangeDeclarePassiveAsync(Session.Unique("missing")));
    }

    [Fact]
    public async Task Publishing_to_a_missing_exchange()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(404, channel => channel.BasicPublishAsync(Session.Unique("missing"), "", Body).AsTask());
    }

    [Fact]
    public async Task Using_a_missing_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var missing = Session.Unique("missing");
        await session.ShouldRefuseAsync(404, channel => session.ConsumeAsync(missing, channel: channel));
        await session.ShouldRefuseAsync(404, channel => channel.BasicGetAsync(missing, autoAck: true));
        await session.ShouldRefuseAsync(404, channel => channel.QueuePurgeAsync(missing));
        await session.ShouldRefuseAsync(404, channel => channel.QueueBindAsync(missing, "amq.direct", "key"));
    }

    [Fact]
    public async Task Declaring_a_reserved_name()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(403, channel => channel.QueueDeclareAsync($"amq.{Session.Unique("queue")}"));
        await session.ShouldRefuseAsync(
            403, channel => channel.ExchangeDeclareAsync($"amq.{Session.Unique("exchange")}", ExchangeType.Direct));
    }

    [Fact]
    public async Task Changing_the_default_exchange()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.ShouldRefuseAsync(403, channel => channel.ExchangeDeclareAsync("", ExchangeType.Direct));
        await session.ShouldRefuseAsync(403, channel => channel.ExchangeDeleteAsync(""));
        await session.ShouldRefuseAsync(403, channel => channel.QueueBindAsync(queue, "", "key"));
    }

    [Fact]
    public async Task Declaring_the_same_name_otherwise()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, exchange) = (await session.QueueAsync(), await session.ExchangeAsync(ExchangeType.Direct));
        await session.ShouldRefuseAsync(406, channel => channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: true));
        await session.ShouldRefuseAsync(406, channel => channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic));
    }

    [Fact]
    public async Task Settling_an_unknown_delivery()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(406, channel => channel.BasicAckAsync(42, multiple: false).AsTask());
        await session.ShouldRefuseAsync(406, channel => channel.BasicNackAsync(42, multiple: false, requeue: true).AsTask());
        await session.ShouldRefuseAsync(406, channel => channel.BasicRejectAsync(42, requeue: true).AsTask());
    }

    [Fact]
    public async Task Acknowledging_twice()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "x");
        await session.ShouldBecomeReadyAsync(queue, 1);
        await session.ShouldRefuseAsync(406, async channel =>
        {
            var message = (await channel.BasicGetAsync(queue, autoAck: false))!;
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false);
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false);
        });
    }

    [Fact]
    public async Task Committing_without_a_transaction()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(406, channel => channel.TxCommitAsync());
    }

    [Fact]
    public async Task A_closed_channel_number_is_used_again()
    {
        await using var session = await Session.OpenAsync(broker);
        var numbers = new HashSet<int>();
        for (var i = 0; i < 3; i++)
        {
            // The client takes the lowest free number.
            await session.ShouldRefuseAsync(404, channel =>
            {
                numbers.Add(channel.ChannelNumber);
                return channel.QueueDeclarePassiveAsync(Session.Unique("missing"));
            });
        }

        numbers.Count.ShouldBe(1);
    }
}
