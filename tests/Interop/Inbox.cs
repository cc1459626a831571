using System.Collections.Immutable;
using System.Text;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

internal sealed record Delivery(string ConsumerTag, ulong Tag, bool Redelivered, string Exchange, string RoutingKey, BasicProperties Properties, string Body);

/// <summary>A consumer that keeps what it gets.</summary>
internal sealed class Inbox(IChannel channel) : AsyncDefaultBasicConsumer(channel)
{
    private ImmutableList<Delivery> _deliveries = [];

    public string Tag { get; set; } = "";

    public ImmutableList<Delivery> Deliveries => Volatile.Read(ref _deliveries);

    public string[] Bodies => [.. Deliveries.Select(delivery => delivery.Body)];

    public TaskCompletionSource<string> Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task ShouldGetAsync(int count) =>
        Eventually.IsTrueAsync(() => Deliveries.Count >= count, $"the consumer has {count} messages");

    public override Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default)
    {
        // The client takes the body's memory back after this call.
        var delivery = new Delivery(
            consumerTag, deliveryTag, redelivered, exchange, routingKey, new BasicProperties(properties), Encoding.UTF8.GetString(body.Span));
        ImmutableInterlocked.Update(ref _deliveries, list => list.Add(delivery));
        return Task.CompletedTask;
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        Cancelled.TrySetResult(consumerTag);
        return base.HandleBasicCancelAsync(consumerTag, cancellationToken);
    }
}

internal static class MessageExtensions
{
    public static string Text(this BasicGetResult message) => Encoding.UTF8.GetString(message.Body.Span);
}
