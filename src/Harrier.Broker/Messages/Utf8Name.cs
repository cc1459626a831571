using System.Text;

namespace Harrier.Broker.Messages;

/// <summary>
/// The name of an exchange, queue or routing key: bytes, usually UTF-8, compared as bytes (behaviour note 28). It may stand in the middle of a larger
/// array, so that a message's routing key can be looked up without a copy; such a name must not outlive its array's contents.
/// </summary>
public readonly struct Utf8Name : IEquatable<Utf8Name>, IComparable<Utf8Name>
{
    /// <summary>Octets of the longest name (a 0-9-1 shortstr).</summary>
    public const int SizeMax = 255;

    private readonly byte[]? _array;
    private readonly int _offset;
    private readonly int _length;
    private readonly int _hash;

    /// <summary>A name over a part of an array.</summary>
    public Utf8Name(byte[] array, int offset, int length)
    {
        _array = array;
        _offset = offset;
        _length = length;
        _hash = Hash(array.AsSpan(offset, length));
    }

    /// <summary>A name with a copy of the bytes.</summary>
    public Utf8Name(ReadOnlySpan<byte> bytes) : this(bytes.ToArray(), 0, bytes.Length)
    {
    }

    /// <summary>A name with the UTF-8 of a text.</summary>
    public Utf8Name(string text) : this(Encoding.UTF8.GetBytes(text))
    {
    }

    public ReadOnlySpan<byte> Span => new(_array, _offset, _length);

    public bool IsEmpty => _length == 0;

    /// <summary>Whether it begins as the names that only the broker gives (behaviour notes 26 and 27).</summary>
    public bool IsReserved => Span.StartsWith("amq."u8);

    /// <summary>A part of this name, in the same array.</summary>
    public Utf8Name Slice(Range range)
    {
        (int offset, int length) = range.GetOffsetAndLength(_length);
        return _array is null ? default : new Utf8Name(_array, _offset + offset, length);
    }

    public bool Equals(Utf8Name other) => _hash == other._hash && Span.SequenceEqual(other.Span);

    public int CompareTo(Utf8Name other) => Span.SequenceCompareTo(other.Span);

    public override bool Equals(object? obj) => obj is Utf8Name other && Equals(other);

    public override int GetHashCode() => _hash;

    /// <summary>The text, for messages and logs; bytes that are no UTF-8 show as U+FFFD.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Span);

    public static implicit operator Utf8Name(string text) => new(text);

    public static bool operator ==(Utf8Name left, Utf8Name right) => left.Equals(right);

    public static bool operator !=(Utf8Name left, Utf8Name right) => !left.Equals(right);

    public static bool operator <(Utf8Name left, Utf8Name right) => left.CompareTo(right) < 0;

    public static bool operator >(Utf8Name left, Utf8Name right) => left.CompareTo(right) > 0;

    public static bool operator <=(Utf8Name left, Utf8Name right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Utf8Name left, Utf8Name right) => left.CompareTo(right) >= 0;

    // The process-wide seed of HashCode keeps clients from choosing names that collide.
    private static int Hash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return 0; // as in default(Utf8Name)
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }
}
