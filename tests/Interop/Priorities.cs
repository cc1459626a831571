using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Priorities(BrokerUnderTest broker)
{
    [Fact]
    public async Task Higher_priorities_go_first_and_equal_ones_in_order()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await QueueAsync(session);
        await SendAsync(session, queue, ("low 0", 1), ("none", null), ("high 0", 5), ("low 1", 1), ("high 1", 5), ("zero", 0));
        await session.ShouldBecomeReadyAsync(queue, 6);
        (await session.DrainAsync(queue)).ShouldBe(["high 0", "high 1", "low 0", "low 1", "none", "zero"]);
    }

    [Fact]
    public async Task A_priority_above_the_highest_counts_as_the_highest()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await QueueAsync(session);
        await SendAsync(session, queue, ("highest", 5), ("above", 200));
        await session.ShouldBecomeReadyAsync(queue, 2);
        var first = await session.GetAsync(queue);
        var second = await session.GetAsync(queue);
        (first.Text(), second.Text(), second.BasicProperties.Priority).ShouldBe(("highest", "above", (byte)200));
    }

    [Fact]
    public async Task A_queue_without_priorities_keeps_the_order()
    {
        await using var session = await Session.OpenAsync(broker);
        foreach (var arguments in new[] { [], Arguments.Of("x-max-priority", 0) })
        {
            var queue = await session.QueueAsync(arguments);
            await SendAsync(session, queue, ("0", 0), ("1", 9));
            await session.ShouldBecomeReadyAsync(queue, 2);
            (await session.DrainAsync(queue)).ShouldBe(["0", "1"]);
        }
    }

    [Fact]
    public async Task A_consumer_with_a_prefetch_gets_the_urgent_message_next()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await QueueAsync(session);
        await SendAsync(session, queue, ("0", 0), ("1", 0));
        await session.ShouldBecomeReadyAsync(queue, 2);
        await session.Channel.BasicQosAsync(0, prefetchCount: 1, global: false);
        var inbox = await session.ConsumeAsync(queue);
        await inbox.ShouldGetAsync(1);
        await SendAsync(session, queue, ("urgent", 5));
        await session.ShouldBecomeReadyAsync(queue, 2);
        for (var count = 1; count < 3; count++)
        {
            await session.Channel.BasicAckAsync(inbox.Deliveries[^1].Tag, multiple: false);
            await inbox.ShouldGetAsync(count + 1);
        }

        inbox.Bodies.ShouldBe(["0", "urgent", "1"]);
    }

    [Fact]
    public async Task A_requeued_message_returns_to_its_place_in_its_priority()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await QueueAsync(session);
        await SendAsync(session, queue, ("low 0", 1), ("high 0", 5), ("low 1", 1), ("high 1", 5));
        await session.ShouldBecomeReadyAsync(queue, 4);
        var high = await session.GetAsync(queue, autoAck: false);
        await session.GetAsync(queue, autoAck: false);
        var low = await session.GetAsync(queue, autoAck: false);
        (high.Text(), low.Text()).ShouldBe(("high 0", "low 0"));
        await session.Channel.BasicNackAsync(low.DeliveryTag, multiple: true, requeue: true);
        await session.ShouldBecomeReadyAsync(queue, 4);
        (await session.DrainAsync(queue)).ShouldBe(["high 0", "high 1", "low 0", "low 1"]);
    }

    [Fact]
    public async Task A_message_of_a_low_priority_that_has_expired_is_not_delivered()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-max-priority", 5));
        await SendAsync(session, queue, ("high", 5));
        await session.SendAsync(queue, "low", new BasicProperties { Expiration = "30" });
        await session.WaitAsync(80);

        // RabbitMQ leaves a message where it is until those of higher priorities are gone, Harrier does not; nobody delivers it.
        (await session.DrainAsync(queue)).ShouldBe(["high"]);
        var letter = await session.GetAsync(graveyard);
        (letter.Text(), Deaths.Of(letter.BasicProperties).Single().Reason).ShouldBe(("low", "expired"));
    }

    [Fact]
    public async Task A_dead_letter_keeps_its_priority()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await QueueAsync(session);
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-max-priority", 5).And("x-message-ttl", 30));
        await SendAsync(session, queue, ("low", 1), ("high", 4));
        await session.ShouldBecomeReadyAsync(graveyard, 2);
        (await session.DrainAsync(graveyard)).ShouldBe(["high", "low"]);
    }

    [Fact]
    public async Task A_full_priority_queue_drops_from_its_head()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-max-priority", 5).And("x-max-length", 2));
        await SendAsync(session, queue, ("low 0", 1), ("high", 5), ("low 1", 1));
        (await session.GetAsync(graveyard)).Text().ShouldBe("high");
        (await session.DrainAsync(queue)).ShouldBe(["low 0", "low 1"]);
    }

    private static Task<string> QueueAsync(Session session) => session.QueueAsync(Arguments.Of("x-max-priority", 5));

    private static async Task SendAsync(Session session, string queue, params (string Body, byte? Priority)[] messages)
    {
        foreach (var (body, priority) in messages)
            await session.SendAsync(queue, body, priority is { } value ? new BasicProperties { Priority = value } : new BasicProperties());
    }
}
