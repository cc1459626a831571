using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>Which of several consumers gets the messages.</summary>
[Collection(InteropCollection.Name)]
public sealed class ConsumerRoles(BrokerUnderTest broker)
{
    private static readonly Dictionary<string, object?> SingleActiveConsumer = Arguments.Of("x-single-active-consumer", true);

    [Fact]
    public async Task Consumers_of_one_priority_take_turns_before_lower_ones()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var low = await session.ConsumeAsync(queue, arguments: Arguments.Of("x-priority", -1));
        var channel = await session.NewChannelAsync();
        await channel.BasicQosAsync(0, prefetchCount: 1, global: false);
        var first = await session.ConsumeAsync(queue, channel: channel, arguments: Arguments.Of("x-priority", 5));
        var second = await session.ConsumeAsync(queue, channel: channel, arguments: Arguments.Of("x-priority", 5));
        await session.SendAsync(queue, "0", "1", "2");
        foreach (var inbox in new[] { first, second, low }) await inbox.ShouldGetAsync(1);
        first.Bodies.Concat(second.Bodies).Order().ShouldBe(["0", "1"]);
        low.Bodies.ShouldBe(["2"]);

        // Who has room again and a higher priority goes first.
        await channel.BasicAckAsync(second.Deliveries[0].Tag, multiple: false);
        await channel.BasicPublishAsync("", queue, "3"u8.ToArray()); // on the channel of the acknowledgement, so that it comes after it
        await second.ShouldGetAsync(2);
        second.Bodies[1].ShouldBe("3");
    }

    [Theory]
    [InlineData("text")]
    [InlineData(1.5)]
    [InlineData(true)]
    public async Task A_priority_of_a_consumer_is_an_integer(object priority)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.ShouldRefuseAsync(406, channel => session.ConsumeAsync(queue, channel: channel, arguments: Arguments.Of("x-priority", priority)));
    }

    [Fact]
    public async Task One_consumer_is_active_and_the_others_follow_in_their_order()
    {
        await using var session = await Session.OpenAsync(broker);
        foreach (var queue in new[] { await session.QueueAsync(SingleActiveConsumer), await session.QuorumQueueAsync(SingleActiveConsumer) })
        {
            var consumers = new List<Inbox>();
            for (var i = 0; i < 3; i++) consumers.Add(await session.ConsumeAsync(queue, autoAck: true));
            for (var active = 0; active < consumers.Count; active++)
            {
                await session.SendAsync(queue, $"{active} first", $"{active} second");
                await consumers[active].ShouldGetAsync(2);
                await consumers[active].Channel.BasicCancelAsync(consumers[active].Tag);
            }

            for (var i = 0; i < consumers.Count; i++) consumers[i].Bodies.ShouldBe([$"{i} first", $"{i} second"]);
        }
    }

    [Fact]
    public async Task The_next_consumer_gets_what_the_active_one_had_when_its_channel_closes()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(SingleActiveConsumer);
        var channel = await session.NewChannelAsync();
        var active = await session.ConsumeAsync(queue, channel: channel);
        var waiting = await session.ConsumeAsync(queue);
        await session.SendAsync(queue, "0", "1");
        await active.ShouldGetAsync(2);
        await channel.CloseAsync();
        await waiting.ShouldGetAsync(2);
        waiting.Bodies.ShouldBe(["0", "1"]);
        waiting.Deliveries.ShouldAllBe(delivery => delivery.Redelivered);
    }

    [Fact]
    public async Task A_single_active_consumer_cannot_be_exclusive()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(SingleActiveConsumer);
        await session.ShouldRefuseAsync(
            403, ExclusiveUse(session, queue), channel => session.ConsumeAsync(queue, channel: channel, exclusive: true));
    }

    [Fact]
    public async Task Basic_get_is_open_beside_a_single_active_consumer_of_a_classic_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(SingleActiveConsumer);
        await session.Channel.BasicQosAsync(0, prefetchCount: 1, global: false);
        var inbox = await session.ConsumeAsync(queue);
        await session.SendAsync(queue, "0", "1");
        await inbox.ShouldGetAsync(1);
        (await session.GetAsync(queue)).Text().ShouldBe("1");
    }

    [Fact]
    public async Task Basic_get_is_refused_on_a_quorum_queue_with_a_single_active_consumer()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QuorumQueueAsync(SingleActiveConsumer);
        await session.ShouldRefuseAsync(
            405,
            $"RESOURCE_LOCKED - cannot obtain access to locked queue '{queue}' in vhost '{session.VirtualHost}'. " +
            "basic.get operations are not supported by quorum queues with single active consumer",
            channel => channel.BasicGetAsync(queue, autoAck: true));
    }

    [Fact]
    public async Task An_exclusive_consumer_keeps_the_others_out()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var exclusive = await session.ConsumeAsync(queue, exclusive: true);
        var text = ExclusiveUse(session, queue);
        await session.ShouldRefuseAsync(403, text, channel => session.ConsumeAsync(queue, channel: channel));
        await session.ShouldRefuseAsync(403, text, channel => session.ConsumeAsync(queue, channel: channel, exclusive: true));
        await session.Channel.BasicCancelAsync(exclusive.Tag);

        var shared = await session.ConsumeAsync(queue);
        await session.ShouldRefuseAsync(403, text, channel => session.ConsumeAsync(queue, channel: channel, exclusive: true));
        await session.Channel.BasicCancelAsync(shared.Tag);
        await session.ConsumeAsync(queue, exclusive: true);
    }

    private static string ExclusiveUse(Session session, string queue) =>
        $"ACCESS_REFUSED - queue '{queue}' in vhost '{session.VirtualHost}' in exclusive use";
}
