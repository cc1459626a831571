using System.Collections.Concurrent;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Confirms(BrokerUnderTest broker)
{
    private static readonly byte[] Body = "x"u8.ToArray();

    [Fact]
    public async Task Single_messages_are_confirmed()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await using var channel = await session.NewChannelAsync(Session.WithConfirms);
        for (var i = 0; i < 20; i++) await channel.BasicPublishAsync("", queue, Body).AsTask().InTimeAsync("the confirm");
        (await session.Channel.MessageCountAsync(queue)).ShouldBe(20u);
    }

    [Fact]
    public async Task Batches_are_confirmed()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(durable: true);
        await using var channel = await session.NewChannelAsync(Session.WithConfirms);
        for (var batch = 1u; batch <= 3; batch++)
        {
            var persistent = new BasicProperties { Persistent = true };
            await Task.WhenAll(Enumerable.Range(0, 50)
                .Select(_ => channel.BasicPublishAsync("", queue, mandatory: true, persistent, Body).AsTask().InTimeAsync("a confirm")));
            (await session.Channel.MessageCountAsync(queue)).ShouldBe(batch * 50);
        }
    }

    [Fact]
    public async Task Confirms_come_as_events()
    {
        const int messages = 500;
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await using var channel = await session.NewChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false));
        var unconfirmed = new ConcurrentDictionary<ulong, bool>(
            Enumerable.Range(1, messages).Select(tag => KeyValuePair.Create((ulong)tag, true)));
        channel.BasicAcksAsync += (_, ack) =>
        {
            var covered = ack.Multiple ? unconfirmed.Keys.Where(tag => tag <= ack.DeliveryTag) : [ack.DeliveryTag];
            foreach (var tag in covered) unconfirmed.TryRemove(tag, out bool _);
            return Task.CompletedTask;
        };
        for (var i = 0; i < messages; i++) await channel.BasicPublishAsync("", queue, Body);
        await Eventually.IsTrueAsync(() => unconfirmed.IsEmpty, "all messages are confirmed");
    }

    [Fact]
    public async Task An_unroutable_message_is_confirmed_all_the_same()
    {
        await using var session = await Session.OpenAsync(broker);
        await using var channel = await session.NewChannelAsync(Session.WithConfirms);
        await channel.BasicPublishAsync("", Session.Unique("missing"), Body).AsTask().InTimeAsync("the confirm");
    }

    [Fact]
    public async Task A_mandatory_message_is_returned_before_its_confirm()
    {
        await using var session = await Session.OpenAsync(broker);
        await using var channel = await session.NewChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false));
        var seen = new ConcurrentQueue<string>();
        channel.BasicReturnAsync += (_, message) =>
        {
            seen.Enqueue($"return {message.ReplyCode} {Encoding.UTF8.GetString(message.Body.Span)}");
            return Task.CompletedTask;
        };
        channel.BasicAcksAsync += (_, ack) =>
        {
            seen.Enqueue($"ack {ack.DeliveryTag}");
            return Task.CompletedTask;
        };
        await channel.BasicPublishAsync("", Session.Unique("missing"), mandatory: true, "lost"u8.ToArray());
        await Eventually.IsTrueAsync(() => seen.Count == 2, "both have come");
        seen.ShouldBe(["return 312 lost", "ack 1"]);
    }

    [Fact]
    public async Task A_tracked_mandatory_message_throws_for_its_return()
    {
        await using var session = await Session.OpenAsync(broker);
        await using var channel = await session.NewChannelAsync(Session.WithConfirms);
        var error = await Should.ThrowAsync<PublishException>(
            channel.BasicPublishAsync("", Session.Unique("missing"), mandatory: true, Body).AsTask().InTimeAsync("the return"));
        error.IsReturn.ShouldBeTrue();
    }

    [Fact]
    public async Task A_transaction_is_seen_after_its_commit()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "task");
        await using var channel = await session.NewChannelAsync();
        await channel.TxSelectAsync();
        await session.ShouldBecomeReadyAsync(queue, 1);
        var task = (await channel.BasicGetAsync(queue, autoAck: false))!;
        await channel.BasicAckAsync(task.DeliveryTag, multiple: false);
        await channel.BasicPublishAsync("", queue, "result"u8.ToArray());
        (await channel.MessageCountAsync(queue)).ShouldBe(0u);
        (await session.DrainAsync(queue)).ShouldBeEmpty();
        await channel.TxCommitAsync();
        (await session.DrainAsync(queue)).ShouldBe(["result"]);
    }

    [Fact]
    public async Task A_rolled_back_transaction_leaves_nothing()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        await session.SendAsync(queue, "task");
        await session.ShouldBecomeReadyAsync(queue, 1);
        var channel = await session.NewChannelAsync();
        await channel.TxSelectAsync();
        var task = (await channel.BasicGetAsync(queue, autoAck: false))!;
        await channel.BasicAckAsync(task.DeliveryTag, multiple: false);
        await channel.BasicPublishAsync("", queue, "result"u8.ToArray());
        await channel.TxRollbackAsync();
        // The rolled back ack left the message unacknowledged, so it comes back with the end of the channel.
        await channel.CloseAsync();
        await session.ShouldBecomeReadyAsync(queue, 1);
        (await session.DrainAsync(queue)).ShouldBe(["task"]);
    }
}
