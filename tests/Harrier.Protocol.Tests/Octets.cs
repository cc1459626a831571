namespace Harrier.Protocol.Tests;

/// <summary>Bytes that compare by content and show as hex in a counterexample.</summary>
internal sealed class Octets(ReadOnlySpan<byte> bytes) : IEquatable<Octets>
{
    private readonly byte[] _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> Span => _bytes;

    public bool Equals(Octets? other) => other is not null && Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => Equals(obj as Octets);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{Convert.ToHexString(_bytes)}]";

    public static implicit operator ReadOnlySpan<byte>(Octets octets) => octets._bytes;
}
