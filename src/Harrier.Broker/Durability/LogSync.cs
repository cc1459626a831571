using Harrier.Storage.Log;

namespace Harrier.Broker.Durability;

/// <summary>Waits for something to be on the disk.</summary>
public interface ISyncWaiter : IDurabilityWaiter;

/// <summary>What sessions see of the log: whether what a ticket stands for is durable, and whether publishers are too fast for the disk. Thread-safe.</summary>
public sealed class LogSync
{
    private readonly BrokerStorage? _storage;

    internal LogSync(BrokerStorage? storage) => _storage = storage;

    /// <summary>Whether more has been published than the disk has kept up with. Whoever publishes should wait a little.</summary>
    public bool IsBehind => _storage?.IsBehind == true;

    /// <summary>Whether everything up to the ticket is on the disk, or nothing is kept at all.</summary>
    public bool IsDurable(long ticket) => _storage is null || ticket <= _storage.Log.Durable;

    /// <summary>Calls the waiter once everything up to the ticket is durable; false when it is already, and no call will come.</summary>
    public bool TryAwait(long ticket, ISyncWaiter waiter) => _storage is not null && _storage.Log.TryAwait(ticket, waiter);

    /// <summary>Ends when everything up to the ticket is durable.</summary>
    public Task WhenDurableAsync(long ticket) => _storage is null ? Task.CompletedTask : _storage.Log.WhenDurableAsync(ticket);
}
