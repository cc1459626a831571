using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Queues(BrokerUnderTest broker)
{
    [Fact]
    public async Task An_exclusive_queue_is_locked_and_goes_with_its_connection()
    {
        await using var other = await Session.OpenAsync(broker);
        string queue;
        await using (var owner = await Session.OpenAsync(broker))
        {
            queue = (await owner.Channel.QueueDeclareAsync()).QueueName;
            await other.ShouldRefuseAsync(405, channel => channel.QueueDeclarePassiveAsync(queue));
            await other.ShouldRefuseAsync(405, channel => channel.BasicGetAsync(queue, autoAck: true));
        }

        await other.ShouldRefuseAsync(404, channel => channel.QueueDeclarePassiveAsync(queue));
    }

    [Fact]
    public async Task An_auto_delete_queue_goes_with_its_last_consumer()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(durable: true, autoDelete: true);
        var inbox = await session.ConsumeAsync(queue);
        await session.Channel.BasicCancelAsync(inbox.Tag);
        await Eventually.IsTrueAsync(() => IsMissingAsync(session, queue), "the queue is gone");
    }

    [Fact]
    public async Task The_server_names_queues()
    {
        await using var session = await Session.OpenAsync(broker);
        var first = await session.Channel.QueueDeclareAsync();
        var second = await session.Channel.QueueDeclareAsync();
        first.QueueName.ShouldStartWith("amq.gen-");
        second.QueueName.ShouldNotBe(first.QueueName);
    }

    [Fact]
    public async Task Purge_tells_how_many_messages_went()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "0", "1", "2");
        (await session.Channel.QueuePurgeAsync(queue)).ShouldBe(3u);
        (await session.DrainAsync(queue)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Delete_if_unused_spares_a_queue_with_a_consumer()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var inbox = await session.ConsumeAsync(queue);
        await session.ShouldRefuseAsync(406, channel => channel.QueueDeleteAsync(queue, ifUnused: true, ifEmpty: false));
        await session.Channel.BasicCancelAsync(inbox.Tag);
        await session.Channel.QueueDeleteAsync(queue, ifUnused: true, ifEmpty: false);
        (await IsMissingAsync(session, queue)).ShouldBeTrue();
    }

    [Fact]
    public async Task Delete_if_empty_spares_a_queue_with_a_message()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "x");
        await session.ShouldBecomeReadyAsync(queue, 1);
        await session.ShouldRefuseAsync(406, channel => channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: true));
        (await session.Channel.QueueDeleteAsync(queue)).ShouldBe(1u);
        (await session.Channel.QueueDeleteAsync(queue)).ShouldBe(0u);
    }

    private static async Task<bool> IsMissingAsync(Session session, string queue)
    {
        await using var channel = await session.NewChannelAsync();
        try
        {
            await channel.QueueDeclarePassiveAsync(queue);
            return false;
        }
        catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == 404)
        {
            return true;
        }
    }
}
