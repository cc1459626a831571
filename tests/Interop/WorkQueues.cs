using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class WorkQueues(BrokerUnderTest broker)
{
    [Fact]
    public async Task Two_workers_with_prefetch_one_share_the_tasks()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var workers = new List<Inbox>();
        for (var i = 0; i < 2; i++)
        {
            var channel = await session.NewChannelAsync();
            await channel.BasicQosAsync(0, prefetchCount: 1, global: false);
            workers.Add(await session.ConsumeAsync(queue, channel: channel));
        }

        await session.SendAsync(queue, [.. Enumerable.Range(0, 10).Select(number => $"{number}")]);
        for (var turn = 1; turn <= 5; turn++)
        {
            foreach (var worker in workers) await worker.ShouldGetAsync(turn);
            await session.ShouldBecomeReadyAsync(queue, (uint)(10 - (2 * turn)));
            foreach (var worker in workers) await worker.Channel.BasicAckAsync(worker.Deliveries[^1].Tag, multiple: false);
        }

        workers.SelectMany(worker => worker.Bodies).Order().ShouldBe(Enumerable.Range(0, 10).Select(number => $"{number}"));
    }

    [Fact]
    public async Task One_channel_holds_several_consumers()
    {
        await using var session = await Session.OpenAsync(broker);
        for (var i = 0; i < 3; i++)
        {
            var queue = await session.QueueAsync();
            var inbox = await session.ConsumeAsync(queue, autoAck: true);
            await session.SendAsync(queue, queue);
            await inbox.ShouldGetAsync(1);
            inbox.Bodies.ShouldBe([queue]);
            inbox.Deliveries[0].ConsumerTag.ShouldBe(inbox.Tag);
        }
    }

    [Fact]
    public async Task Qos_applies_to_the_consumers_that_follow()
    {
        await using var session = await Session.OpenAsync(broker);
        var (first, second) = (await session.QueueAsync(), await session.QueueAsync());
        await session.SendAsync(first, "0", "1", "2", "3", "4");
        await session.SendAsync(second, "0", "1", "2", "3", "4");
        await session.Channel.BasicQosAsync(0, prefetchCount: 1, global: false);
        var few = await session.ConsumeAsync(first);
        await session.Channel.BasicQosAsync(0, prefetchCount: 3, global: false);
        var many = await session.ConsumeAsync(second);
        await few.ShouldGetAsync(1);
        await many.ShouldGetAsync(3);
        await session.ShouldBecomeReadyAsync(first, 4);
        await session.ShouldBecomeReadyAsync(second, 2);
    }

    [Fact]
    public async Task The_consumer_with_the_higher_priority_is_served_first()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var low = await session.ConsumeAsync(queue);
        await using var channel = await session.NewChannelAsync();
        await channel.BasicQosAsync(0, prefetchCount: 2, global: false);
        var high = await session.ConsumeAsync(queue, channel: channel, arguments: new() { ["x-priority"] = 10 });
        await session.SendAsync(queue, "0", "1", "2", "3");
        await high.ShouldGetAsync(2);
        await low.ShouldGetAsync(2);
        high.Bodies.ShouldBe(["0", "1"]);
        low.Bodies.ShouldBe(["2", "3"]);
    }

    [Fact]
    public async Task A_requeued_message_keeps_its_place_and_is_marked_redelivered()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "0", "1");
        var first = (await session.Channel.BasicGetAsync(queue, autoAck: false))!;
        first.Redelivered.ShouldBeFalse();
        await session.Channel.BasicNackAsync(first.DeliveryTag, multiple: false, requeue: true);
        var again = (await session.Channel.BasicGetAsync(queue, autoAck: true))!;
        (again.Text(), again.Redelivered).ShouldBe(("0", true));
        var next = (await session.Channel.BasicGetAsync(queue, autoAck: true))!;
        (next.Text(), next.Redelivered).ShouldBe(("1", false));
    }

    [Fact]
    public async Task A_rejected_message_is_gone()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "unwanted", "wanted");
        var message = (await session.Channel.BasicGetAsync(queue, autoAck: false))!;
        await session.Channel.BasicRejectAsync(message.DeliveryTag, requeue: false);
        (await session.DrainAsync(queue)).ShouldBe(["wanted"]);
    }

    [Fact]
    public async Task Multiple_acknowledges_everything_up_to_the_tag()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "0", "1", "2");
        var channel = await session.NewChannelAsync();
        var inbox = await session.ConsumeAsync(queue, channel: channel);
        await inbox.ShouldGetAsync(3);
        await channel.BasicAckAsync(inbox.Deliveries[1].Tag, multiple: true);
        await channel.CloseAsync();
        await session.ShouldBecomeReadyAsync(queue, 1);
        (await session.DrainAsync(queue)).ShouldBe(["2"]);
    }

    [Fact]
    public async Task Basic_get_tells_an_empty_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        (await session.Channel.BasicGetAsync(queue, autoAck: false)).ShouldBeNull();
        await session.SendAsync(queue, "first", "second");
        var message = (await session.Channel.BasicGetAsync(queue, autoAck: true))!;
        (message.Text(), message.MessageCount, message.Exchange, message.RoutingKey).ShouldBe(("first", 1u, "", queue));
    }

    [Fact]
    public async Task A_cancelled_consumer_gets_nothing_more()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var inbox = await session.ConsumeAsync(queue);
        await session.SendAsync(queue, "before");
        await inbox.ShouldGetAsync(1);
        await session.Channel.BasicCancelAsync(inbox.Tag);
        await session.SendAsync(queue, "after");
        (await session.DrainAsync(queue)).ShouldBe(["after"]);
        await session.Channel.BasicAckAsync(inbox.Deliveries[0].Tag, multiple: false);
        (await session.Channel.ConsumerCountAsync(queue)).ShouldBe(0u);
    }

    [Fact]
    public async Task Deleting_a_queue_cancels_its_consumers()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(durable: true);
        var inbox = await session.ConsumeAsync(queue);
        await using var other = await session.NewChannelAsync();
        await other.QueueDeleteAsync(queue);
        (await inbox.Cancelled.Task.InTimeAsync("basic.cancel")).ShouldBe(inbox.Tag);
        await session.ShouldBeUsableAsync();
    }
}
