namespace Harrier.Crash.Load;

/// <summary>
/// Moves tokens from queue to queue in transactions: the ack of the old and the publication of the new are one. So there is always exactly one of each.
/// </summary>
internal sealed class TokenMover(string[] queues, int tokens)
{
    public async Task PlaceAsync(IChannel confirming)
    {
        for (int token = 0; token < tokens; token++)
            await confirming.BasicPublishAsync("", queues[token % queues.Length], true, new BasicProperties { Persistent = true }, BitConverter.GetBytes(token));
    }

    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync();
        await channel.TxSelectAsync(closed);
        while (true)
        {
            int from = random.Next(queues.Length), to = (from + random.Next(1, queues.Length)) % queues.Length;
            var taken = new List<ulong>();
            for (int moves = random.Next(1, 4); moves > 0; moves--)
            {
                if (await channel.BasicGetAsync(queues[from], autoAck: false, closed) is not { } token) break;
                taken.Add(token.DeliveryTag);
                await channel.BasicAckAsync(token.DeliveryTag, multiple: false, closed);
                await channel.BasicPublishAsync("", queues[to], true, new BasicProperties { Persistent = true }, token.Body, closed);
            }
            if (random.Next(5) == 0)
            {
                await channel.TxRollbackAsync(closed);
                // What was acked is unacked again. (Note 73.)
                foreach (ulong tag in taken) await channel.BasicNackAsync(tag, multiple: false, requeue: true, closed);
            }
            await channel.TxCommitAsync(closed);
            await Task.Delay(random.Next(0, 4), closed);
        }
    }

    /// <summary>When everything else has ended.</summary>
    public async Task CheckAsync(IChannel channel, Ledger ledger)
    {
        var found = new List<int>();
        foreach (string queue in queues)
            while (await channel.BasicGetAsync(queue, autoAck: true) is { } token) found.Add(BitConverter.ToInt32(token.Body.Span));
        found.Sort();
        if (!found.SequenceEqual(Enumerable.Range(0, tokens))) ledger.Violate($"of {tokens} tokens there are now: {string.Join(' ', found)}");
    }
}
