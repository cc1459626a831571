using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class DeadLetters(BrokerUnderTest broker)
{
    [Fact]
    public async Task A_rejected_message_tells_of_its_death()
    {
        await using var session = await Session.OpenAsync(broker);
        var (source, target) = (await session.ExchangeAsync(ExchangeType.Direct), await session.ExchangeAsync(ExchangeType.Topic));
        var graveyard = await session.BoundQueueAsync(target, "#");
        var queue = await session.QueueAsync(Arguments.DeadLetters(target));
        await session.Channel.QueueBindAsync(queue, source, "key");
        await session.PublishAsync(source, "key", "x");
        await session.RejectAsync(queue);

        var letter = await session.GetAsync(graveyard);
        (letter.Text(), letter.Exchange, letter.RoutingKey, letter.Redelivered).ShouldBe(("x", target, "key", false));
        var death = Deaths.Of(letter.BasicProperties).ShouldHaveSingleItem();
        death.ShouldBe(new Death(1, "rejected", queue, source, "key", OriginalExpiration: null, death.Time));
        death.Time.ShouldBe(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        Deaths.First(letter.BasicProperties).ShouldBe(("rejected", queue, source));
        if (session.TellsLastDeath) Deaths.Last(letter.BasicProperties).ShouldBe(("rejected", queue, source));
    }

    [Fact]
    public async Task Nack_dead_letters_like_reject()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, graveyard) = await QueueWithGraveyardAsync(session);
        await session.SendAsync(queue, "0", "1", "2");
        var inbox = await session.ConsumeAsync(queue);
        await inbox.ShouldGetAsync(3);
        await session.Channel.BasicNackAsync(inbox.Deliveries[1].Tag, multiple: true, requeue: false);
        await session.ShouldBecomeReadyAsync(graveyard, 2);
        foreach (var body in new[] { "0", "1" })
        {
            var letter = await session.GetAsync(graveyard);
            (letter.Text(), Deaths.Of(letter.BasicProperties).Single().Reason).ShouldBe((body, "rejected"));
        }
    }

    [Fact]
    public async Task An_expired_message_keeps_its_expiration_only_in_its_death()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, graveyard) = await QueueWithGraveyardAsync(session);
        await session.SendAsync(queue, "x", new BasicProperties { Expiration = "50", MessageId = "id" });
        var letter = await session.GetAsync(graveyard);
        letter.BasicProperties.IsExpirationPresent().ShouldBeFalse();
        letter.BasicProperties.MessageId.ShouldBe("id");
        var death = Deaths.Of(letter.BasicProperties).ShouldHaveSingleItem();
        death.ShouldBe(new Death(1, "expired", queue, "", queue, OriginalExpiration: "50", death.Time));
        Deaths.First(letter.BasicProperties).ShouldBe(("expired", queue, ""));
    }

    [Fact]
    public async Task The_expiration_of_a_rejected_message_is_taken_off_too()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, graveyard) = await QueueWithGraveyardAsync(session);
        await session.SendAsync(queue, "x", new BasicProperties { Expiration = "60000" });
        await session.RejectAsync(queue);
        var letter = await session.GetAsync(graveyard);
        letter.BasicProperties.IsExpirationPresent().ShouldBeFalse();
        Deaths.Of(letter.BasicProperties).Single().OriginalExpiration.ShouldBe("60000");
    }

    [Fact]
    public async Task A_queue_that_is_too_long_dead_letters_from_its_head()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-max-length", 1));
        await session.SendAsync(queue, "0", "1", "2");
        foreach (var body in new[] { "0", "1" })
        {
            var letter = await session.GetAsync(graveyard);
            (letter.Text(), Deaths.Of(letter.BasicProperties).Single().Reason).ShouldBe((body, "maxlen"));
        }

        (await session.DrainAsync(queue)).ShouldBe(["2"]);
    }

    [Fact]
    public async Task Headers_and_properties_of_the_publisher_stay()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, graveyard) = await QueueWithGraveyardAsync(session);
        var sent = new BasicProperties
        {
            ContentType = "text/plain",
            CorrelationId = "correlation",
            Persistent = true,
            Headers = new Dictionary<string, object?> { ["mine"] = 42, ["x-mine"] = "text"u8.ToArray() },
        };
        await session.SendAsync(queue, "x", sent);
        await session.RejectAsync(queue);
        var got = (await session.GetAsync(graveyard)).BasicProperties;
        (got.ContentType, got.CorrelationId, got.Persistent).ShouldBe(("text/plain", "correlation", true));
        Deaths.Header(got, "mine").ShouldBe(42);
        Deaths.Text(got, "x-mine").ShouldBe("text");
    }

    [Fact]
    public async Task Deaths_are_counted_by_queue_and_reason_with_the_most_recent_first()
    {
        await using var session = await Session.OpenAsync(broker);
        var (work, wait) = (Session.Unique("work"), Session.Unique("wait"));
        await session.Channel.QueueDeclareAsync(work, durable: false, exclusive: true, autoDelete: false, Arguments.DeadLettersTo(wait));
        await session.Channel.QueueDeclareAsync(
            wait, durable: false, exclusive: true, autoDelete: false, Arguments.DeadLettersTo(work).And("x-message-ttl", 20));
        await session.SendAsync(work, "x");
        var firstTime = DateTimeOffset.MinValue;
        for (var round = 1; round <= 3; round++)
        {
            await session.RejectAsync(work);
            var again = await session.GetAsync(work, autoAck: false);
            var deaths = Deaths.Of(again.BasicProperties);
            deaths.Select(death => (death.Count, death.Reason, death.Queue)).ShouldBe([(round, "expired", wait), (round, "rejected", work)]);
            Deaths.First(again.BasicProperties).ShouldBe(("rejected", work, ""));
            if (session.TellsLastDeath) Deaths.Last(again.BasicProperties).ShouldBe(("expired", wait, ""));
            if (round == 1) firstTime = deaths[1].Time;
            deaths[1].Time.ShouldBe(firstTime);
            await session.Channel.BasicNackAsync(again.DeliveryTag, multiple: false, requeue: true);
        }
    }

    [Fact]
    public async Task A_cycle_without_a_rejection_ends()
    {
        await using var session = await Session.OpenAsync(broker);
        var (first, second) = (Session.Unique("first"), Session.Unique("second"));
        await session.Channel.QueueDeclareAsync(
            first, durable: false, exclusive: true, autoDelete: false, Arguments.DeadLettersTo(second).And("x-message-ttl", 20));
        await session.Channel.QueueDeclareAsync(
            second, durable: false, exclusive: true, autoDelete: false, Arguments.DeadLettersTo(first).And("x-message-ttl", 20));
        await session.SendAsync(first, "x");
        await session.WaitAsync(200);
        (await session.Channel.MessageCountAsync(first)).ShouldBe(0u);
        (await session.Channel.MessageCountAsync(second)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_queue_that_dead_letters_to_itself_gets_rejected_messages_again_and_expired_ones_not()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = Session.Unique("queue");
        await session.Channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: false, Arguments.DeadLettersTo(queue));
        await session.SendAsync(queue, "rejected");
        await session.RejectAsync(queue);
        await session.RejectAsync(queue);
        Deaths.Of((await session.GetAsync(queue)).BasicProperties).Single().Count.ShouldBe(2);
        await session.SendAsync(queue, "expired", new BasicProperties { Expiration = "10" });
        await session.WaitAsync(50);
        (await session.DrainAsync(queue)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_its_own_key_a_dead_letter_goes_by_all_keys_of_the_publisher()
    {
        await using var session = await Session.OpenAsync(broker);
        var target = await session.ExchangeAsync(ExchangeType.Direct);
        var queue = await session.QueueAsync(Arguments.DeadLetters(target));
        var (byKey, byCopy, byHiddenCopy) = (
            await session.BoundQueueAsync(target, queue),
            await session.BoundQueueAsync(target, "copy"),
            await session.BoundQueueAsync(target, "hidden"));
        await session.SendAsync(queue, "x", WithCopies());
        await session.RejectAsync(queue);
        foreach (var graveyard in new[] { byKey, byCopy, byHiddenCopy })
        {
            var letter = await session.GetAsync(graveyard);
            Deaths.Of(letter.BasicProperties).Single().RoutingKeys.ShouldBe($"{queue},copy");
            letter.BasicProperties.Headers!.ShouldContainKey("CC");
            letter.BasicProperties.Headers!.ShouldNotContainKey("BCC");
        }
    }

    [Fact]
    public async Task With_a_key_of_its_own_a_dead_letter_loses_its_copies()
    {
        await using var session = await Session.OpenAsync(broker);
        var target = await session.ExchangeAsync(ExchangeType.Direct);
        var queue = await session.QueueAsync(Arguments.DeadLetters(target, "dead"));
        var (byCopy, byHiddenCopy, graveyard) = (
            await session.BoundQueueAsync(target, "copy"),
            await session.BoundQueueAsync(target, "hidden"),
            await session.BoundQueueAsync(target, "dead"));
        await session.SendAsync(queue, "x", WithCopies());
        await session.RejectAsync(queue);
        var letter = await session.GetAsync(graveyard);
        letter.RoutingKey.ShouldBe("dead");
        Deaths.Of(letter.BasicProperties).Single().RoutingKeys.ShouldBe($"{queue},copy");
        letter.BasicProperties.Headers!.ShouldNotContainKey("CC");
        (await session.Channel.MessageCountAsync(byCopy)).ShouldBe(0u);
        (await session.Channel.MessageCountAsync(byHiddenCopy)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_dead_letter_without_an_exchange_or_a_queue_is_dropped()
    {
        await using var session = await Session.OpenAsync(broker);
        var unbound = await session.ExchangeAsync(ExchangeType.Direct);
        foreach (var exchange in new[] { Session.Unique("missing"), unbound })
        {
            var queue = await session.QueueAsync(Arguments.DeadLetters(exchange));
            await session.SendAsync(queue, "rejected", "wanted");
            await session.RejectAsync(queue);
            (await session.DrainAsync(queue)).ShouldBe(["wanted"]);
        }

        await session.ShouldBeUsableAsync();
    }

    [Fact]
    public async Task Purging_and_deleting_a_queue_makes_no_dead_letters()
    {
        await using var session = await Session.OpenAsync(broker);
        var (queue, graveyard) = await QueueWithGraveyardAsync(session);
        await session.SendAsync(queue, "purged");
        await session.ShouldBecomeReadyAsync(queue, 1);
        await session.Channel.QueuePurgeAsync(queue);
        await session.SendAsync(queue, "rejected", "deleted");
        await session.RejectAsync(queue);
        await session.Channel.QueueDeleteAsync(queue);
        (await session.GetAsync(graveyard)).Text().ShouldBe("rejected");
        (await session.DrainAsync(graveyard)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Several_queues_of_the_dead_letter_exchange_get_copies()
    {
        await using var session = await Session.OpenAsync(broker);
        var target = await session.ExchangeAsync(ExchangeType.Fanout);
        var graveyards = new[] { await session.BoundQueueAsync(target, ""), await session.BoundQueueAsync(target, "") };
        var queue = await session.QueueAsync(Arguments.DeadLetters(target));
        await session.SendAsync(queue, "x");
        await session.RejectAsync(queue);
        foreach (var graveyard in graveyards) (await session.GetAsync(graveyard)).Text().ShouldBe("x");
    }

    private static async Task<(string Queue, string Graveyard)> QueueWithGraveyardAsync(Session session)
    {
        var graveyard = await session.QueueAsync();
        return (await session.QueueAsync(Arguments.DeadLettersTo(graveyard)), graveyard);
    }

    private static BasicProperties WithCopies() => new()
    {
        Headers = new Dictionary<string, object?>
        {
            ["CC"] = new List<object?> { "copy" },
            ["BCC"] = new List<object?> { "hidden" },
        },
    };
}
