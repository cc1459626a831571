using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// The keys of the last messages, up to a number and for a time, so that a message is taken once only. Exact: it holds the keys themselves.
/// </summary>
internal sealed class KeyWindow
{
    private readonly Dictionary<byte[], Place> _places = new(KeyComparer.Instance);
    private readonly Dictionary<byte[], Place>.AlternateLookup<ReadOnlySpan<byte>> _find;

    // In the order in which they came. A key that came again stands here twice; its first place is passed over.
    private readonly Queue<(byte[] Key, Place Place)> _order = new();
    private long _lastTurn;

    public KeyWindow() => _find = _places.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>What it holds, with the time at which each is forgotten, the oldest first.</summary>
    public IEnumerable<(byte[] Key, long ForgottenAtMs)> Keys => _order.Where(IsCurrent).Select(each => (each.Key, each.Place.ForgottenAtMs));

    /// <summary>Whether a key is there and its time is not up.</summary>
    public bool Contains(ReadOnlySpan<byte> key, long nowMs) => _find.TryGetValue(key, out Place place) && place.ForgottenAtMs > nowMs;

    /// <summary>Adds a key, and forgets the oldest ones for which there is no room or no time left.</summary>
    public void Add(byte[] key, long forgottenAtMs, int sizeMax, long nowMs)
    {
        var place = new Place(forgottenAtMs, ++_lastTurn);
        _places[key] = place;
        _order.Enqueue((key, place));
        while (_order.TryPeek(out (byte[] Key, Place Place) oldest) && (_places.Count > sizeMax || oldest.Place.ForgottenAtMs <= nowMs || !IsCurrent(oldest)))
        {
            _order.Dequeue();
            if (IsCurrent(oldest)) _places.Remove(oldest.Key);
        }
    }

    // After a restart a key may come again before its time: what had taken its room was not told to the log.
    private bool IsCurrent((byte[] Key, Place Place) each) => _places.TryGetValue(each.Key, out Place place) && place == each.Place;

    /// <summary>When a key is forgotten, and the how-manieth it was when it came.</summary>
    private readonly record struct Place(long ForgottenAtMs, long Turn);

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
