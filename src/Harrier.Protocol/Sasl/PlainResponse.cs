namespace Harrier.Protocol.Sasl;

/// <summary>The response of the PLAIN mechanism (RFC 4616): an empty authorization identity, NUL, the user name, NUL, the password.</summary>
public static class PlainResponse
{
    /// <summary>Splits a response; false when it is malformed or asks to act as another identity (behaviour note 4).</summary>
    public static bool TryRead(ReadOnlySpan<byte> response, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password)
    {
        user = password = default;
        if (response.IsEmpty || response[0] != 0) return false;
        response = response[1..];
        int end = response.IndexOf((byte)0);
        if (end < 0 || response[(end + 1)..].Contains((byte)0)) return false;
        user = response[..end];
        password = response[(end + 1)..];
        return true;
    }
}
