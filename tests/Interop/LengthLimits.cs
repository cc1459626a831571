using System.Text;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class LengthLimits(BrokerUnderTest broker)
{
    private static readonly string[] ClassicAndQuorum = ["classic", "quorum"];

    [Fact]
    public async Task The_oldest_message_makes_room()
    {
        await using var session = await Session.OpenAsync(broker);
        foreach (var type in ClassicAndQuorum)
        {
            var queue = await QueueAsync(session, type, Arguments.Of("x-max-length", 2));
            foreach (var body in new[] { "0", "1", "2", "3" }) (await session.IsConfirmedAsync("", queue, body)).ShouldBeTrue();
            await session.ShouldBecomeReadyAsync(queue, 2);
            (await session.DrainAsync(queue)).ShouldBe(["2", "3"]);
        }
    }

    [Fact]
    public async Task Bytes_are_counted_by_bodies()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length-bytes", 10));
        await session.SendAsync(queue, "aaaaa", "bbbbb");
        await session.ShouldBecomeReadyAsync(queue, 2);
        await session.SendAsync(queue, "c");
        await session.ShouldBecomeReadyAsync(queue, 2);
        (await session.DrainAsync(queue)).ShouldBe(["bbbbb", "c"]);
        await session.SendAsync(queue, "larger than all");
        await session.ShouldBecomeReadyAsync(queue, 0);
    }

    [Fact]
    public async Task The_tighter_of_both_limits_holds()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length", 3).And("x-max-length-bytes", 4));
        await session.SendAsync(queue, "0", "1", "2", "3", "44");
        await session.ShouldBecomeReadyAsync(queue, 3);
        (await session.DrainAsync(queue)).ShouldBe(["2", "3", "44"]);
        await session.SendAsync(queue, "0", "111", "222");
        await session.ShouldBecomeReadyAsync(queue, 1);
        (await session.DrainAsync(queue)).ShouldBe(["222"]);
    }

    [Fact]
    public async Task Messages_that_are_out_do_not_count()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length", 1));
        await session.SendAsync(queue, "out");
        var message = await session.GetAsync(queue, autoAck: false);
        await session.SendAsync(queue, "ready");
        await session.ShouldBecomeReadyAsync(queue, 1);
        await session.Channel.BasicNackAsync(message.DeliveryTag, multiple: false, requeue: true);
        await session.ShouldBecomeReadyAsync(queue, 1);
        (await session.DrainAsync(queue)).ShouldBe(["ready"]);
    }

    [Fact]
    public async Task A_queue_of_length_zero_only_hands_over()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length", 0));
        (await session.IsConfirmedAsync("", queue, "nobody waits")).ShouldBeTrue();
        (await session.DrainAsync(queue)).ShouldBeEmpty();
        var inbox = await session.ConsumeAsync(queue, autoAck: true);
        (await session.IsConfirmedAsync("", queue, "somebody waits")).ShouldBeTrue();
        await inbox.ShouldGetAsync(1);
        inbox.Bodies.ShouldBe(["somebody waits"]);
    }

    [Fact]
    public async Task A_full_queue_refuses_what_is_published()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var arguments = Arguments.DeadLettersTo(graveyard).And("x-max-length", 1).And("x-overflow", "reject-publish");
        var queue = await session.QueueAsync(arguments);
        (await session.IsConfirmedAsync("", queue, "kept")).ShouldBeTrue();
        (await session.IsConfirmedAsync("", queue, "refused")).ShouldBeFalse();
        (await session.IsConfirmedAsync("", queue, "refused")).ShouldBeFalse();
        (await session.DrainAsync(queue)).ShouldBe(["kept"]);
        (await session.IsConfirmedAsync("", queue, "room again")).ShouldBeTrue();
        (await session.DrainAsync(graveyard)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_quorum_queue_refuses_what_is_published()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QuorumQueueAsync(Arguments.Of("x-max-length", 1).And("x-overflow", "reject-publish"));

        // RabbitMQ tells its channels late that a quorum queue is full, so it may take some more.
        await Eventually.IsTrueAsync(async () => !await session.IsConfirmedAsync("", queue, "x"), "a publish is refused");
        await session.DrainAsync(queue);
        await Eventually.IsTrueAsync(() => session.IsConfirmedAsync("", queue, "x"), "there is room again");
    }

    [Fact]
    public async Task Refused_messages_become_dead_letters_when_the_queue_says_so()
    {
        await using var session = await Session.OpenAsync(broker);
        var graveyard = await session.QueueAsync();
        var arguments = Arguments.DeadLettersTo(graveyard).And("x-max-length", 1).And("x-overflow", "reject-publish-dlx");
        var queue = await session.QueueAsync(arguments);
        (await session.IsConfirmedAsync("", queue, "kept")).ShouldBeTrue();
        (await session.IsConfirmedAsync("", queue, "refused")).ShouldBeFalse();
        var letter = await session.GetAsync(graveyard);
        letter.Text().ShouldBe("refused");
        var death = Deaths.Of(letter.BasicProperties).ShouldHaveSingleItem();
        death.ShouldBe(new Death(1, "maxlen", queue, "", queue, OriginalExpiration: null, death.Time));
        (await session.DrainAsync(queue)).ShouldBe(["kept"]);
    }

    [Fact]
    public async Task One_full_queue_refuses_for_all_but_the_others_keep_their_copies()
    {
        await using var session = await Session.OpenAsync(broker);
        var exchange = await session.ExchangeAsync("fanout");
        var full = await session.QueueAsync(Arguments.Of("x-max-length", 1).And("x-overflow", "reject-publish"));
        await session.Channel.QueueBindAsync(full, exchange, "");
        var roomy = await session.BoundQueueAsync(exchange, "");
        (await session.IsConfirmedAsync(exchange, "", "0")).ShouldBeTrue();
        (await session.IsConfirmedAsync(exchange, "", "1")).ShouldBeFalse();
        (await session.DrainAsync(full)).ShouldBe(["0"]);
        (await session.DrainAsync(roomy)).ShouldBe(["0", "1"]);
    }

    [Fact]
    public async Task Bytes_refuse_what_is_published_too()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length-bytes", 5).And("x-overflow", "reject-publish"));
        (await session.IsConfirmedAsync("", queue, "aaaaa")).ShouldBeTrue();
        (await session.IsConfirmedAsync("", queue, "b")).ShouldBeFalse();
        (await session.DrainAsync(queue)).ShouldBe(["aaaaa"]);
    }

    [Theory]
    [InlineData("x-max-length", 0)]
    [InlineData("x-max-length-bytes", 5)]
    public async Task What_never_fits_is_refused_even_when_somebody_waits(string limit, int value)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of(limit, value).And("x-overflow", "reject-publish"));
        var inbox = await session.ConsumeAsync(queue, autoAck: true);
        (await session.IsConfirmedAsync("", queue, "too long")).ShouldBeFalse();
        (await session.DrainAsync(queue)).ShouldBeEmpty();
        inbox.Deliveries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_transaction_that_a_queue_refuses_in_part_is_told()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length", 1).And("x-overflow", "reject-publish"));
        await session.ShouldRefuseAsync(406, "PRECONDITION_FAILED - partial tx completion", async channel =>
        {
            await channel.TxSelectAsync();
            foreach (var body in new[] { "fits", "refused" }) await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes(body));
            await channel.TxCommitAsync();
        });

        // RabbitMQ keeps what there was room for, Harrier nothing of the transaction.
        (await session.DrainAsync(queue)).ShouldNotContain("refused");
    }

    private static Task<string> QueueAsync(Session session, string type, Dictionary<string, object?> arguments) =>
        type == "quorum" ? session.QuorumQueueAsync(arguments) : session.QueueAsync(arguments);
}
