using System.Diagnostics;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Expiry(BrokerUnderTest broker)
{
    [Fact]
    public Task A_queue_limits_the_age_of_its_messages() => ShouldExpireAsync(Arguments.TimeToLive(100), expiration: null, afterMilliseconds: 100);

    [Fact]
    public Task A_publisher_limits_the_age_of_a_message() => ShouldExpireAsync([], expiration: "100", afterMilliseconds: 100);

    [Fact]
    public Task The_shorter_limit_of_the_queue_wins() => ShouldExpireAsync(Arguments.TimeToLive(100), expiration: "60000", afterMilliseconds: 100);

    [Fact]
    public Task The_shorter_limit_of_the_message_wins() => ShouldExpireAsync(Arguments.TimeToLive(60_000), expiration: "100", afterMilliseconds: 100);

    [Fact]
    public async Task A_quorum_queue_expires_messages_too()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QuorumQueueAsync(Arguments.DeadLettersTo(graveyard).And("x-message-ttl", 60_000));
        await session.SendAsync(queue, "x", new BasicProperties { Expiration = "50" });
        var letter = await session.GetAsync(graveyard);
        var death = Deaths.Of(letter.BasicProperties).ShouldHaveSingleItem();
        death.ShouldBe(new Death(1, "expired", queue, "", queue, "50", death.Time));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(null, "0")]
    public async Task With_no_time_to_live_only_a_waiting_consumer_gets_a_message(int? ofQueue, string? ofMessage)
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var arguments = Arguments.DeadLettersTo(graveyard);
        var queue = await session.QueueAsync(ofQueue is null ? arguments : arguments.And("x-message-ttl", ofQueue));
        var properties = ofMessage is null ? new BasicProperties() : new BasicProperties { Expiration = ofMessage };
        await session.SendAsync(queue, "nobody waits", properties);
        (await session.GetAsync(graveyard)).Text().ShouldBe("nobody waits");

        var inbox = await session.ConsumeAsync(queue);
        await session.SendAsync(queue, "somebody waits", properties);
        await inbox.ShouldGetAsync(1);
        await session.Channel.BasicNackAsync(inbox.Deliveries[0].Tag, multiple: false, requeue: false);
        var letter = await session.GetAsync(graveyard);
        (letter.Text(), Deaths.Of(letter.BasicProperties).Single().Reason).ShouldBe(("somebody waits", "rejected"));
    }

    [Fact]
    public async Task A_message_that_is_out_does_not_expire_and_keeps_its_time_when_it_returns()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-message-ttl", 100));
        var inbox = await session.ConsumeAsync(queue);
        await session.SendAsync(queue, "acknowledged", "returned");
        await inbox.ShouldGetAsync(2);
        await session.WaitAsync(150);
        (await session.Channel.MessageCountAsync(graveyard)).ShouldBe(0u);

        await session.Channel.BasicAckAsync(inbox.Deliveries[0].Tag, multiple: false);
        await session.Channel.BasicNackAsync(inbox.Deliveries[1].Tag, multiple: false, requeue: true);
        (await session.GetAsync(graveyard)).Text().ShouldBe("returned");
        (await session.DrainAsync(graveyard)).ShouldBeEmpty();
        inbox.Bodies.ShouldBe(["acknowledged", "returned"]);
    }

    [Fact]
    public async Task An_expired_message_behind_a_living_one_is_not_delivered()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard));
        await session.SendAsync(queue, "living", new BasicProperties { Expiration = "60000" });
        await session.SendAsync(queue, "expired", new BasicProperties { Expiration = "30" });
        await session.WaitAsync(80);
        (await session.DrainAsync(queue)).ShouldBe(["living"]);
        (await session.GetAsync(graveyard)).Text().ShouldBe("expired");
        (await session.DrainAsync(graveyard)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_has_died_lives_as_long_as_the_next_queue_says()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var second = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-message-ttl", 50));
        var first = await session.QueueAsync(Arguments.DeadLettersTo(second));
        await session.SendAsync(first, "x", new BasicProperties { Expiration = "50" });
        var deaths = Deaths.Of((await session.GetAsync(graveyard)).BasicProperties);
        deaths.Select(death => (death.Queue, death.OriginalExpiration)).ShouldBe([(second, null), (first, "50")]);
    }

    [Theory]
    [InlineData("1s", "{leftover_string,\"s\"}")]
    [InlineData("1.5", "{leftover_string,\".5\"}")]
    [InlineData("soon", "no_integer")]
    [InlineData("-1", "{value_negative,-1}")]
    [InlineData("315360000001", "{value_too_large,315360000001}")]
    public async Task An_expiration_is_a_decimal_number(string expiration, string detail)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        var text = $"PRECONDITION_FAILED - invalid expiration '{expiration}': {detail}";
        await session.ShouldRefuseAsync(406, text, channel =>
            channel.BasicPublishAsync("", queue, mandatory: false, new BasicProperties { Expiration = expiration }, "x"u8.ToArray()).AsTask());
        (await session.DrainAsync(queue)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unused_queue_expires_without_dead_letters()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(Arguments.DeadLettersTo(graveyard).And("x-expires", 100));
        await session.SendAsync(queue, "x");
        await session.ShouldGoAsync(queue);
        await session.ShouldRefuseAsync(
            404, $"NOT_FOUND - no queue '{queue}' in vhost '{session.VirtualHost}'", channel => channel.QueueDeclarePassiveAsync(queue));
        (await session.DrainAsync(graveyard)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_durable_unused_queue_expires_too()
    {
        await using var session = await Session.OpenAsync(broker);
        foreach (var type in new[] { "classic", "quorum" })
        {
            var queue = await session.QueueAsync(durable: true, arguments: Arguments.Of("x-expires", 100).And("x-queue-type", type));
            await session.ShouldGoAsync(queue);
        }
    }

    [Fact]
    public async Task Consumers_and_gets_keep_a_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var arguments = Arguments.Of("x-expires", 400);
        var (consumed, polled, unused) = (
            await session.QueueAsync(arguments), await session.QueueAsync(arguments), await session.QueueAsync(arguments));
        var inbox = await session.ConsumeAsync(consumed);
        await Eventually.IsTrueAsync(
            async () =>
            {
                await session.Channel.BasicGetAsync(polled, autoAck: true);
                return !await session.IsRoutableAsync(unused);
            },
            "the unused queue is gone");
        (await session.IsRoutableAsync(consumed)).ShouldBeTrue();
        (await session.IsRoutableAsync(polled)).ShouldBeTrue();
        await session.Channel.BasicCancelAsync(inbox.Tag);
        foreach (var queue in new[] { consumed, polled })
            await Eventually.IsTrueAsync(async () => !await session.IsRoutableAsync(queue), "the queue is gone when nobody uses it");
    }

    private async Task ShouldExpireAsync(Dictionary<string, object?> arguments, string? expiration, int afterMilliseconds)
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var queue = await session.QueueAsync(new(arguments.Concat(Arguments.DeadLettersTo(graveyard))));
        var inbox = await session.ConsumeAsync(graveyard, autoAck: true);
        var age = Stopwatch.StartNew();
        await session.SendAsync(queue, "x", expiration is null ? new BasicProperties() : new BasicProperties { Expiration = expiration });
        await inbox.ShouldGetAsync(1);

        // The upper bound is far off, because the machine may be busy; it only has to tell the two limits apart.
        age.ElapsedMilliseconds.ShouldBeInRange(afterMilliseconds - 5, 10_000);
        Deaths.Of(inbox.Deliveries[0].Properties).Single().Reason.ShouldBe("expired");
        (await session.Channel.MessageCountAsync(queue)).ShouldBe(0u);
    }
}
