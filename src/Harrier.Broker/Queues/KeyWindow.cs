using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// The keys of the last messages, up to a number and for a time, so that a message is taken once only. Exact: it holds the keys themselves.
/// </summary>
internal sealed class KeyWindow
{
    private readonly Dictionary<byte[], long> _forgottenAtMs = new(KeyComparer.Instance);
    private readonly Dictionary<byte[], long>.AlternateLookup<ReadOnlySpan<byte>> _find;

    // In the order in which they came. A key that came again after its time stands here twice; its first place is passed over.
    private readonly Queue<(byte[] Key, long ForgottenAtMs)> _order = new();

    public KeyWindow() => _find = _forgottenAtMs.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>What it holds, with the time at which each is forgotten, the oldest first.</summary>
    public IEnumerable<(byte[] Key, long ForgottenAtMs)> Keys => _order.Where(place => IsCurrent(place.Key, place.ForgottenAtMs));

    /// <summary>Whether a key is there and its time is not up.</summary>
    public bool Contains(ReadOnlySpan<byte> key, long nowMs) => _find.TryGetValue(key, out long forgottenAtMs) && forgottenAtMs > nowMs;

    /// <summary>Adds a key, and forgets the oldest ones for which there is no room or no time left.</summary>
    public void Add(byte[] key, long forgottenAtMs, int sizeMax, long nowMs)
    {
        _forgottenAtMs[key] = forgottenAtMs;
        _order.Enqueue((key, forgottenAtMs));
        while (_order.TryPeek(out (byte[] Key, long ForgottenAtMs) oldest)
            && (_forgottenAtMs.Count > sizeMax || oldest.ForgottenAtMs <= nowMs || !IsCurrent(oldest.Key, oldest.ForgottenAtMs)))
        {
            _order.Dequeue();
            if (IsCurrent(oldest.Key, oldest.ForgottenAtMs)) _forgottenAtMs.Remove(oldest.Key);
        }
    }

    private bool IsCurrent(byte[] key, long forgottenAtMs) => _forgottenAtMs.TryGetValue(key, out long atMs) && atMs == forgottenAtMs;

    /// <summary>Compares keys byte by byte, with the process's own seed so that nobody can choose keys that collide.</summary>
    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly KeyComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
