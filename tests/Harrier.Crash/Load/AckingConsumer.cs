using System.Threading.Channels;

namespace Harrier.Crash.Load;

/// <summary>
/// The only consumer of a queue: acks in batches, puts some messages back, and now and then makes sure that its acks are in the log. Lives through all
/// rounds.
/// </summary>
internal sealed class AckingConsumer(string queue, Ledger ledger)
{
    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync(Seal.ChannelOptions);
        await channel.BasicQosAsync(0, (ushort)random.Next(10, 200), global: false);
        var inbox = new Inbox(channel);
        await channel.BasicConsumeAsync(queue, autoAck: false, inbox);
        var seal = new Seal(channel, queue, ledger);
        while (true)
        {
            await TakeBatchAsync(channel, inbox.Messages, seal, random, closed);
            if (random.Next(6) == 0) await seal.CloseAsync(closed);
        }
    }

    /// <summary>Takes all that is there, when nobody else uses the queue.</summary>
    public async Task DrainAsync(IConnection connection)
    {
        using var late = new CancellationTokenSource(Patience.Limit);
        await using IChannel channel = await connection.CreateChannelAsync(Seal.ChannelOptions);
        await channel.BasicQosAsync(0, 500, global: false);
        var inbox = new Inbox(channel);
        var seal = new Seal(channel, queue, ledger);
        uint count = await channel.MessageCountAsync(queue, late.Token);
        await channel.BasicConsumeAsync(queue, autoAck: false, inbox);
        for (; count > 0; count--)
        {
            Received received = await ReceiveAsync(inbox.Messages, seal, late.Token);
            ledger.OnAckWritten(received.Copy);
            if (count % 100 == 1) await channel.BasicAckAsync(received.Tag, multiple: true, late.Token);
            seal.Acked.Add(received.Copy);
        }
        await seal.CloseAsync(late.Token);
    }

    private async Task TakeBatchAsync(IChannel channel, ChannelReader<Received> messages, Seal seal, Random random, CancellationToken closed)
    {
        int size = random.Next(1, 10);
        var taken = new List<Received>();
        while (taken.Count < size)
        {
            Received received = await ReceiveAsync(messages, seal, closed);
            if (!received.WasRedelivered && random.Next(25) == 0) await channel.BasicNackAsync(received.Tag, multiple: false, requeue: true, closed);
            else taken.Add(received);
        }
        // Before it is written, for nobody knows how much of a failed write has arrived.
        foreach (Received received in taken) ledger.OnAckWritten(received.Copy);
        await channel.BasicAckAsync(taken[^1].Tag, multiple: true, closed);
        seal.Acked.AddRange(taken.Select(r => r.Copy));
    }

    private async Task<Received> ReceiveAsync(ChannelReader<Received> messages, Seal seal, CancellationToken closed)
    {
        Received received = await messages.ReadAsync(closed) with { Queue = queue };
        ledger.OnReceived(received.Copy, received.WasRedelivered);
        seal.Received.Add(received.Copy);
        return received;
    }

    private readonly record struct Received(ulong Tag, string Queue, long Id, bool WasRedelivered)
    {
        public Copy Copy => new(Queue, Id);
    }

    /// <summary>Only takes down what comes; the rest is the consumer's own task.</summary>
    private sealed class Inbox(IChannel channel) : AsyncDefaultBasicConsumer(channel)
    {
        private readonly Channel<Received> _messages = System.Threading.Channels.Channel.CreateUnbounded<Received>();

        public ChannelReader<Received> Messages => _messages.Reader;

        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties,
            ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            _messages.Writer.TryWrite(new Received(deliveryTag, "", MessageBody.Read(body.Span), redelivered));
            return Task.CompletedTask;
        }
    }
}
