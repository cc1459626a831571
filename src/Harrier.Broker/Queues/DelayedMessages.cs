using Harrier.Broker.Topology;

namespace Harrier.Broker.Queues;

/// <summary>The messages of an exchange that wait for their time: to be looked at, and to be called off.</summary>
/// <param name="exchange">The exchange.</param>
public sealed class DelayedMessages(Exchange exchange)
{
    private readonly CommandBatch _batch = new();

    /// <summary>How many there are.</summary>
    public int Count => exchange.Staging is { } staging ? staging.ReadyCount : 0;

    /// <summary>Shows them, in the order in which they were published. <see cref="BrowsedMessage.ExpiresAtMs"/> is when a message is due.</summary>
    /// <param name="filter">Which ones; null for all.</param>
    /// <param name="stop">Ends the reading.</param>
    public IAsyncEnumerable<BrowsedMessage> ReadAsync(MessageFilter? filter = null, CancellationToken stop = default) =>
        exchange.Staging is { } staging ? new QueueBrowser(staging) { Filter = filter }.ReadAsync(stop) : AsyncEnumerable.Empty<BrowsedMessage>();

    /// <summary>Calls a message off, while it is shown; false when it was let go meanwhile.</summary>
    public bool Cancel(in BrowsedMessage message)
    {
        if (exchange.Staging is not { } staging) return false;
        if (_batch.Ask(message.DetachFrom(staging)).Status != QueueAnswerStatus.Done) return false;
        _batch.Ask(new QueueCommand(QueueCommandKind.Depart, staging, Sequence: message.Sequence));
        return true;
    }
}
