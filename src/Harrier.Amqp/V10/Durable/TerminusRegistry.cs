namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// Which link has a durable terminus now: one at a time. Who attaches later takes it over (1.0 part 2, section 2.6.1: link stealing), once the other has let go.
/// Thread-safe; one for all connections.
/// </summary>
internal sealed class TerminusRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string VirtualHost, string Name), Claim> _holders = [];

    // Who came last: nobody who came before takes it any more.
    private readonly Dictionary<(string VirtualHost, string Name), Claim> _latest = [];

    /// <summary>Asks for a terminus on behalf of a link. It must be left in the end, had or not.</summary>
    public Claim Ask(string virtualHost, string name, Link10 link) => new(this, (virtualHost, name), link);

    /// <summary>A link's hold of a terminus, or its wish for it.</summary>
    internal sealed class Claim(TerminusRegistry registry, (string VirtualHost, string Name) key, Link10 link)
    {
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private Link10 Link => link;

        /// <summary>Ends when the link has the terminus, or does not want it any more.</summary>
        public async Task TakeAsync()
        {
            Claim? before;
            lock (registry._gate)
            {
                registry._latest.TryGetValue(key, out before);
                registry._latest[key] = this;
            }
            before?.Link.Steal(link);
            while (FindHolder() is { } other) await Task.WhenAny(other._left.Task, _left.Task);
        }

        /// <summary>Lets go.</summary>
        public void Leave()
        {
            lock (registry._gate)
            {
                Forget(registry._holders);
                Forget(registry._latest);
                _left.TrySetResult();
            }
        }

        private void Forget(Dictionary<(string VirtualHost, string Name), Claim> claims)
        {
            if (claims.TryGetValue(key, out Claim? claim) && ReferenceEquals(claim, this)) claims.Remove(key);
        }

        /// <summary>Whom to wait for; null once it is ours, or not wanted any more.</summary>
        private Claim? FindHolder()
        {
            lock (registry._gate)
            {
                if (_left.Task.IsCompleted) return null;
                if (!ReferenceEquals(registry._latest.GetValueOrDefault(key), this)) return this; // until the one who came later has had it detached
                if (registry._holders.TryGetValue(key, out Claim? other)) return other;
                registry._holders.Add(key, this);
                return null;
            }
        }
    }
}
