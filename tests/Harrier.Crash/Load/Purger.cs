namespace Harrier.Crash.Load;

/// <summary>Fills a queue of its own and purges it at random. Lives through all rounds.</summary>
internal sealed class Purger(int number, string queue, Ledger ledger)
{
    /// <summary>What was sent since the last purge that was answered.</summary>
    private readonly List<Copy> _content = [];
    private long _lastSequence;

    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync(Seal.ChannelOptions);
        while (true)
        {
            for (int count = random.Next(1, 12); count > 0; count--) await PublishAsync(channel, closed);
            if (random.Next(5) > 0) continue;
            ledger.OnPurging(_content);
            await channel.QueuePurgeAsync(queue, closed);
            ledger.OnPurged(_content);
            _content.Clear();
        }
    }

    private async Task PublishAsync(IChannel channel, CancellationToken closed)
    {
        var copy = new Copy(queue, Ledger.IdOf(number, ++_lastSequence));
        ledger.OnSending(copy);
        _content.Add(copy);
        await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { Persistent = true }, MessageBody.Write(copy.Id), closed);
        ledger.OnConfirmed(copy);
    }
}
