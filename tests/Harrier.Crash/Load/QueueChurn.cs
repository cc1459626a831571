using RabbitMQ.Client.Exceptions;

namespace Harrier.Crash.Load;

/// <summary>Declares durable queues, puts a message in and deletes them again. Lives through all rounds.</summary>
internal sealed class QueueChurn(Ledger ledger)
{
    private readonly ChurnedQueue[] _queues = [.. Enumerable.Range(0, 12).Select(i => new ChurnedQueue($"churn.{i}"))];

    private enum Presence
    {
        Absent,
        Present,
        InDoubt,
    }

    public async Task RunAsync(IConnection connection, Random random, CancellationToken closed)
    {
        await using IChannel channel = await connection.CreateChannelAsync(Seal.ChannelOptions);
        while (true)
        {
            ChurnedQueue queue = _queues[random.Next(_queues.Length)];
            if (queue.Presence == Presence.Absent) await DeclareAsync(queue, channel, closed);
            else if (random.Next(3) == 0) await DeleteAsync(queue, channel, closed);
            else await PublishAsync(queue, channel, closed);
        }
    }

    /// <summary>Whether every queue is there or not, as it was answered; and what was in doubt is not any more.</summary>
    public async Task CheckAsync(IConnection connection)
    {
        foreach (ChurnedQueue queue in _queues)
        {
            uint? count = await CountAsync(connection, queue.Name);
            if (count is null && queue.Presence == Presence.Present) ledger.Violate($"{queue.Name} was declared and is not there");
            if (count is not null && queue.Presence == Presence.Absent) ledger.Violate($"{queue.Name} was deleted and is there, with {count} messages");
            if (count < queue.ConfirmedCount) ledger.Violate($"{queue.Name} has {count} messages, and {queue.ConfirmedCount} were confirmed");
            if (count > queue.SentCount) ledger.Violate($"{queue.Name} has {count} messages, and {queue.SentCount} were sent");
            queue.Presence = count is null ? Presence.Absent : Presence.Present;
            queue.ConfirmedCount = queue.SentCount = count ?? 0;
        }
    }

    private static async Task<uint?> CountAsync(IConnection connection, string queue)
    {
        // The question costs the channel when the answer is no.
        await using IChannel channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
        {
            return null;
        }
    }

    private async Task DeclareAsync(ChurnedQueue queue, IChannel channel, CancellationToken closed)
    {
        queue.Presence = Presence.InDoubt;
        queue.ConfirmedCount = queue.SentCount = 0;
        QueueDeclareOk declared = await channel.QueueDeclareAsync(queue.Name, durable: true, exclusive: false, autoDelete: false, cancellationToken: closed);
        if (declared.MessageCount > 0) ledger.Violate($"{queue.Name} was just made and has {declared.MessageCount} messages");
        queue.Presence = Presence.Present;
    }

    private static async Task PublishAsync(ChurnedQueue queue, IChannel channel, CancellationToken closed)
    {
        queue.SentCount++;
        await channel.BasicPublishAsync("", queue.Name, mandatory: true, new BasicProperties { Persistent = true }, "content"u8.ToArray(), closed);
        queue.ConfirmedCount++;
    }

    private static async Task DeleteAsync(ChurnedQueue queue, IChannel channel, CancellationToken closed)
    {
        queue.Presence = Presence.InDoubt;
        await channel.QueueDeleteAsync(queue.Name, cancellationToken: closed);
        queue.Presence = Presence.Absent;
        queue.ConfirmedCount = queue.SentCount = 0;
    }

    private sealed class ChurnedQueue(string name)
    {
        public string Name { get; } = name;

        public Presence Presence { get; set; }

        public uint ConfirmedCount { get; set; }

        public uint SentCount { get; set; }
    }
}
