namespace Harrier.Protocol.Sasl;

/// <summary>
/// Reads the attributes of a SCRAM message, <c>x=value</c> with commas between them, in the order that the message must have them (RFC 5802, section 5.1).
/// </summary>
internal ref struct ScramAttributeReader(ReadOnlySpan<byte> attributes)
{
    private ReadOnlySpan<byte> _rest = attributes;
    private bool _isAtEnd;

    // Letters with a meaning of their own: none of them names an extension. m is an extension that must be understood, and is not.
    private static ReadOnlySpan<byte> Assigned => "anmrcsipve"u8;

    /// <summary>Takes the next attribute when it has that name; its value is never empty.</summary>
    public bool TryRead(char name, out ReadOnlySpan<byte> value)
    {
        if (TryReadNext(out byte next, out value) && next == name) return true;
        value = default;
        return false;
    }

    /// <summary>Whether nothing follows but extensions, which are ignored, each of them once.</summary>
    public bool TryReadEnd()
    {
        ulong seen = 0;
        while (!_isAtEnd)
        {
            if (!TryReadNext(out byte name, out _) || !char.IsAsciiLetter((char)name) || Assigned.Contains(name)) return false;
            ulong bit = 1UL << (name - 'A');
            if ((seen & bit) != 0) return false;
            seen |= bit;
        }
        return true;
    }

    private bool TryReadNext(out byte name, out ReadOnlySpan<byte> value)
    {
        name = 0;
        value = default;
        if (_isAtEnd) return false;
        int comma = _rest.IndexOf((byte)',');
        _isAtEnd = comma < 0;
        ReadOnlySpan<byte> attribute = _isAtEnd ? _rest : _rest[..comma];
        _rest = _isAtEnd ? default : _rest[(comma + 1)..];
        if (attribute.Length < 3 || attribute[1] != '=' || attribute.Contains((byte)0)) return false;
        name = attribute[0];
        value = attribute[2..];
        return true;
    }
}
