using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>Quorum queues count how often a message has failed; rejecting it counts with every version of RabbitMQ, basic.nack only before 4.3.</summary>
[Collection(InteropCollection.Name)]
public sealed class DeliveryLimits(BrokerUnderTest broker)
{
    [Fact]
    public async Task A_delivery_tells_how_often_the_message_has_failed()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QuorumQueueAsync();
        await session.SendAsync(queue, "x");
        for (var failures = 0L; failures < 4; failures++)
        {
            var message = await session.GetAsync(queue, autoAck: false);
            message.Redelivered.ShouldBe(failures > 0);
            (Deaths.Header(message.BasicProperties, "x-delivery-count") ?? 0L).ShouldBe(failures);
            await session.Channel.BasicRejectAsync(message.DeliveryTag, requeue: true);
        }
    }

    [Fact]
    public async Task A_message_over_the_limit_becomes_a_dead_letter()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QuorumQueueAsync(Arguments.DeadLettersTo(graveyard).And("x-delivery-limit", 2));
        await session.SendAsync(queue, "x");
        for (var delivery = 0; delivery < 3; delivery++) await RequeueAsync(session, queue);
        var letter = await session.GetAsync(graveyard);
        var death = Deaths.Of(letter.BasicProperties).ShouldHaveSingleItem();
        death.ShouldBe(new Death(1, "delivery_limit", queue, "", queue, OriginalExpiration: null, death.Time));
        Deaths.First(letter.BasicProperties).ShouldBe(("delivery_limit", queue, ""));
        (await session.DrainAsync(queue)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_an_exchange_for_dead_letters_a_message_over_the_limit_is_gone()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QuorumQueueAsync(Arguments.Of("x-delivery-limit", 1));
        await session.SendAsync(queue, "x");
        for (var delivery = 0; delivery < 2; delivery++) await RequeueAsync(session, queue);
        await session.SendAsync(queue, "next");
        (await session.GetAsync(queue)).Text().ShouldBe("next");
    }

    [Fact]
    public async Task A_limit_of_zero_gives_a_message_one_chance()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QuorumQueueAsync(Arguments.DeadLettersTo(graveyard).And("x-delivery-limit", 0));
        await session.SendAsync(queue, "x");
        await RequeueAsync(session, queue);
        Deaths.Of((await session.GetAsync(graveyard)).BasicProperties).Single().Reason.ShouldBe("delivery_limit");
    }

    [Fact]
    public async Task A_channel_that_closes_has_failed_with_what_it_had()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QuorumQueueAsync(Arguments.DeadLettersTo(graveyard).And("x-delivery-limit", 1));
        await session.SendAsync(queue, "x");
        for (var delivery = 0; delivery < 2; delivery++)
        {
            var channel = await session.NewChannelAsync();
            await (await session.ConsumeAsync(queue, channel: channel)).ShouldGetAsync(1);
            await channel.CloseAsync();
        }

        Deaths.Of((await session.GetAsync(graveyard)).BasicProperties).Single().Reason.ShouldBe("delivery_limit");
    }

    [Fact]
    public async Task Returned_messages_are_served_before_the_ready_ones()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QuorumQueueAsync(Arguments.Of("x-delivery-limit", 20)); // without one RabbitMQ 3.10 returns them to the end
        await session.SendAsync(queue, "0", "1", "2");
        await session.ShouldBecomeReadyAsync(queue, 3);
        var first = await session.GetAsync(queue, autoAck: false);
        var second = await session.GetAsync(queue, autoAck: false);
        await session.Channel.BasicRejectAsync(second.DeliveryTag, requeue: true);
        await session.Channel.BasicRejectAsync(first.DeliveryTag, requeue: true);
        await session.ShouldBecomeReadyAsync(queue, 3);
        var bodies = await session.DrainAsync(queue);

        // RabbitMQ serves them as they were returned, Harrier as they were published.
        bodies[..2].Order().ShouldBe(["0", "1"]);
        bodies[2..].ShouldBe(["2"]);
    }

    private static async Task RequeueAsync(Session session, string queue) =>
        await session.Channel.BasicRejectAsync((await session.GetAsync(queue, autoAck: false)).DeliveryTag, requeue: true);
}
