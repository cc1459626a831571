using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Rpc(BrokerUnderTest broker)
{
    private const string DirectReplyTo = "amq.rabbitmq.reply-to";

    [Fact]
    public Task Replies_come_to_an_exclusive_queue() =>
        CallAsync(async client => (await client.Channel.QueueDeclareAsync()).QueueName);

    [Fact]
    public Task Replies_come_by_direct_reply_to() => CallAsync(_ => Task.FromResult(DirectReplyTo));

    [Fact]
    public async Task Direct_reply_to_is_only_for_consumers_without_acknowledgement()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.ShouldRefuseAsync(406, channel => session.ConsumeAsync(DirectReplyTo, autoAck: false, channel));
    }

    private async Task CallAsync(Func<Session, Task<string>> replyQueue)
    {
        await using var server = await Session.OpenAsync(broker);
        await using var client = await Session.OpenAsync(broker);
        var requests = await server.QueueAsync(durable: true);
        var answering = new AsyncEventingBasicConsumer(server.Channel);
        answering.ReceivedAsync += async (_, request) =>
        {
            var answer = Encoding.UTF8.GetString(request.Body.Span).ToUpperInvariant();
            await server.Channel.BasicPublishAsync(
                "",
                request.BasicProperties.ReplyTo!,
                mandatory: false,
                new BasicProperties { CorrelationId = request.BasicProperties.CorrelationId },
                Encoding.UTF8.GetBytes(answer));
        };
        await server.Channel.BasicConsumeAsync(requests, autoAck: true, answering);

        var replyTo = await replyQueue(client);
        var answers = await client.ConsumeAsync(replyTo, autoAck: true);
        foreach (var word in new[] { "one", "two" })
        {
            var properties = new BasicProperties { CorrelationId = word, ReplyTo = replyTo };
            await client.Channel.BasicPublishAsync("", requests, mandatory: false, properties, Encoding.UTF8.GetBytes(word));
        }

        await answers.ShouldGetAsync(2);
        answers.Deliveries.ToDictionary(answer => answer.Properties.CorrelationId!, answer => answer.Body)
            .ShouldBe(new Dictionary<string, string> { ["one"] = "ONE", ["two"] = "TWO" }, ignoreOrder: true);
    }
}
