namespace Harrier.Protocol.Sasl;

/// <summary>The response of the PLAIN mechanism (RFC 4616): an authorization identity, NUL, the user name, NUL, the password.</summary>
public static class PlainResponse
{
    /// <summary>Splits a response; false when it is malformed or asks to act as another identity.</summary>
    public static bool TryRead(ReadOnlySpan<byte> response, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password)
    {
        user = password = default;
        int first = response.IndexOf((byte)0);
        if (first < 0) return false;
        ReadOnlySpan<byte> identity = response[..first], rest = response[(first + 1)..];
        int second = rest.IndexOf((byte)0);
        if (second < 0 || rest[(second + 1)..].Contains((byte)0)) return false;
        if (!identity.IsEmpty && !identity.SequenceEqual(rest[..second])) return false;
        user = rest[..second];
        password = rest[(second + 1)..];
        return true;
    }
}
