using System.Collections.Concurrent;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// Which link has a durable terminus now: one at a time. Who attaches later takes it over (1.0 part 2, section 2.6.1: link stealing), once the other has let go.
/// Thread-safe; one for all connections.
/// </summary>
internal sealed class TerminusRegistry
{
    private readonly ConcurrentDictionary<(string VirtualHost, string Name), Attachment> _attached = new();

    /// <summary>Ends when the link has the terminus.</summary>
    public async Task<Attachment> TakeAsync(string virtualHost, string name, Link10 link)
    {
        var attachment = new Attachment(this, (virtualHost, name), link);
        while (!_attached.TryAdd(attachment.Key, attachment))
        {
            if (!_attached.TryGetValue(attachment.Key, out Attachment? other)) continue;
            other.Steal(link);
            await other.Ended;
        }
        return attachment;
    }

    /// <summary>A link's hold of a terminus.</summary>
    internal sealed class Attachment(TerminusRegistry registry, (string VirtualHost, string Name) key, Link10 link)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public (string VirtualHost, string Name) Key => key;

        public Task Ended => _ended.Task;

        /// <summary>Has the link detached, for the good of another.</summary>
        public void Steal(Link10 thief) => link.Steal(thief);

        /// <summary>Lets go of the terminus.</summary>
        public void Leave()
        {
            registry._attached.TryRemove(KeyValuePair.Create(key, this));
            _ended.TrySetResult();
        }
    }
}
