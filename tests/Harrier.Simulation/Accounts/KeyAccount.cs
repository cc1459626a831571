namespace Harrier.Simulation.Accounts;

/// <summary>The keys that a queue remembers, and when the log was told of them.</summary>
internal sealed class KeyAccount
{
    private readonly List<Known> _keys = [];
    private readonly HashSet<byte> _used = [];

    /// <summary>Keys that are remembered now.</summary>
    public int Count => _keys.Count(k => k.ForgottenAt == TicketSpan.Never);

    public bool Knows(byte key, long nowMs) => _keys.Exists(k => k.Key == key && k.ForgottenAt == TicketSpan.Never && k.UntilMs > nowMs);

    /// <summary>Takes up the keys that survived.</summary>
    public void Restore(IReadOnlyCollection<(byte Key, long UntilMs)> found, IReadOnlyCollection<(byte Key, long UntilMs)> kept)
    {
        _keys.AddRange(kept.Select(key => new Known(key.Key, key.UntilMs, true, TicketSpan.Before)));
        _used.UnionWith(found.Select(key => key.Key));
    }

    /// <summary>A message with a key is on its way to the queue.</summary>
    public void Use(byte key) => _used.Add(key);

    /// <summary>Notes what a step has changed.</summary>
    /// <param name="now">The keys that the queue remembers after it.</param>
    /// <param name="span">Its tickets.</param>
    /// <param name="isLogged">Whether the log was told of a key that is new.</param>
    public void Update(IReadOnlyCollection<(byte Key, long UntilMs)> now, TicketSpan span, Func<byte, bool> isLogged)
    {
        // What takes the room of a key need not be told to the log, and a checkpoint puts down what is left.
        var forgotten = new TicketSpan(Math.Min(span.First, span.Last), span.Last);
        foreach (Known known in _keys.Where(k => k.ForgottenAt == TicketSpan.Never && !now.Contains((k.Key, k.UntilMs)))) known.ForgottenAt = forgotten;
        foreach ((byte key, long untilMs) in now.Where(n => !_keys.Exists(k => k.ForgottenAt == TicketSpan.Never && (k.Key, k.UntilMs) == n)))
            _keys.Add(new Known(key, untilMs, isLogged(key), span));
    }

    /// <summary>Why a start with the log up to a ticket cannot find these keys, or null when it can.</summary>
    public string? Contradiction(long upTo, IReadOnlyList<(byte Key, long UntilMs)> found)
    {
        foreach (Known known in _keys)
        {
            bool isCertain = known.IsLogged && known.RememberedAt.IsIn(upTo) && !known.ForgottenAt.MayBeIn(upTo);
            if (isCertain && !found.Contains((known.Key, known.UntilMs))) return $"key {known.Key} is forgotten: [{string.Join(' ', found)}] of [{string.Join(' ', _keys)}]";
        }
        // A key for which there was no room may be found again: what took its room was not told to the log, if it was of a transient message.
        foreach ((byte key, _) in found)
            if (!_used.Contains(key)) return $"key {key} is known, and no message had it";
        return null;
    }

    private sealed class Known(byte key, long untilMs, bool isLogged, TicketSpan rememberedAt)
    {
        public byte Key { get; } = key;

        public long UntilMs { get; } = untilMs;

        public bool IsLogged { get; } = isLogged;

        public TicketSpan RememberedAt { get; } = rememberedAt;

        public TicketSpan ForgottenAt { get; set; } = TicketSpan.Never;

        public override string ToString() => $"{Key} until {UntilMs}, {(IsLogged ? "logged " : "")}{RememberedAt} to {ForgottenAt}";
    }
}
