namespace Harrier.Crash.Load;

/// <summary>Commits groups of messages over two or three queues. Lives through all rounds.</summary>
internal sealed class TransactionalPublisher(int number, string[] queues, Ledger ledger)
{
    private long _lastSequence;
    private long _lastGroup;

    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync();
        await channel.TxSelectAsync(closed);
        while (true)
        {
            long group = ++_lastGroup;
            string[] targets = random.GetItems(queues, queues.Length).Distinct().Count() >= 2 ? queues : [queues[0], queues[^1]];
            int messagesEach = random.Next(1, 4);
            Copy[] copies = [.. Enumerable.Range(0, messagesEach).SelectMany(_ => targets).Select(q => new Copy(q, Ledger.IdOf(number, ++_lastSequence)))];
            ledger.OnCommitting(group, copies);
            foreach (Copy copy in copies)
                await channel.BasicPublishAsync("", copy.Queue, mandatory: true, new BasicProperties { Persistent = true }, MessageBody.Write(copy.Id, group), closed);
            await channel.TxCommitAsync(closed);
            ledger.OnCommitted(group);
            await Task.Delay(random.Next(0, 4), closed);
        }
    }
}
