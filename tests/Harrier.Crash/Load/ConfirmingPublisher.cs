using System.Threading.Channels;

namespace Harrier.Crash.Load;

/// <summary>Publishes persistent messages with several confirms outstanding. Lives through all rounds.</summary>
/// <param name="number">Unlike that of any other publisher.</param>
/// <param name="exchange">Where it publishes.</param>
/// <param name="queues">Queues that a message goes to: all of them from a fanout, one in turn from the default exchange.</param>
internal sealed class ConfirmingPublisher(int number, string exchange, string[] queues, Ledger ledger)
{
    private static readonly CreateChannelOptions Untracked = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false);

    private long _lastSequence;

    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync(Untracked);
        int window = random.Next(1, 64);
        using var room = new SemaphoreSlim(window);
        var outstanding = new Outstanding(ledger, room);
        channel.BasicAcksAsync += (_, confirm) => outstanding.OnConfirmAsync(confirm.DeliveryTag, confirm.Multiple);
        channel.BasicNacksAsync += (_, _) =>
        {
            ledger.Violate($"publisher {number} got a nack");
            return Task.CompletedTask;
        };
        while (true)
        {
            await room.WaitAsync(closed);
            await PublishAsync(channel, outstanding);
            // Publishers are faster than consumers; a breath now and then keeps what is left over small.
            if (random.Next(40) == 0) await Task.Delay(random.Next(1, 8), closed);
        }
    }

    private async Task PublishAsync(IChannel channel, Outstanding outstanding)
    {
        long id = Ledger.IdOf(number, ++_lastSequence);
        string[] routed = exchange.Length > 0 ? queues : [queues[_lastSequence % queues.Length]];
        Copy[] copies = [.. routed.Select(queue => new Copy(queue, id))];
        foreach (Copy copy in copies) ledger.OnSending(copy);
        await outstanding.AddAsync(copies);
        await channel.BasicPublishAsync(exchange, routed[0], mandatory: true, new BasicProperties { Persistent = true }, MessageBody.Write(id));
    }

    /// <summary>What was published and not confirmed yet, by the order of publishing.</summary>
    private sealed class Outstanding(Ledger ledger, SemaphoreSlim room)
    {
        private readonly Channel<Copy[]> _published = Channel.CreateUnbounded<Copy[]>();
        private readonly SortedDictionary<ulong, Copy[]> _waiting = [];
        private ulong _lastTag;

        public ValueTask AddAsync(Copy[] copies) => _published.Writer.WriteAsync(copies);

        /// <summary>The client calls it for one confirm at a time.</summary>
        public Task OnConfirmAsync(ulong tag, bool multiple)
        {
            while (_published.Reader.TryRead(out Copy[]? copies)) _waiting.Add(++_lastTag, copies);
            ulong[] covered = multiple ? [.. _waiting.Keys.TakeWhile(t => t <= tag)] : [tag];
            foreach (ulong each in covered)
            {
                if (!_waiting.Remove(each, out Copy[]? copies))
                {
                    ledger.Violate($"confirm {each} is for nothing that was published");
                    continue;
                }
                foreach (Copy copy in copies) ledger.OnConfirmed(copy);
                room.Release();
            }
            return Task.CompletedTask;
        }
    }
}
