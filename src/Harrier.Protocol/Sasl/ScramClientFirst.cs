namespace Harrier.Protocol.Sasl;

/// <summary>The first message of a SCRAM exchange: <c>n,,n=user,r=nonce</c> (RFC 5802, section 7). Spans are parts of the message.</summary>
public readonly ref struct ScramClientFirst
{
    /// <summary>What stands before <see cref="Bare"/>, with its commas; the client repeats it in its last message.</summary>
    public ReadOnlySpan<byte> Gs2Header { get; private init; }

    /// <summary>The rest, which is signed.</summary>
    public ReadOnlySpan<byte> Bare { get; private init; }

    /// <summary>Whom the client wants to act as; null when it does not say.</summary>
    public string? AuthorizationId { get; private init; }

    /// <summary>Who logs in, as sent: no SASLprep is applied.</summary>
    public string User { get; private init; }

    public ReadOnlySpan<byte> Nonce { get; private init; }

    /// <summary>Reads a message; false when it is malformed or wants channel binding, which only the -PLUS mechanisms have.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ScramClientFirst first)
    {
        first = default;
        if (!ScramSyntax.IsMessage(message) || !TryReadGs2Header(message, out int headerSize, out string? authorizationId)) return false;
        ReadOnlySpan<byte> bare = message[headerSize..];
        var attributes = new ScramAttributeReader(bare);
        if (!attributes.TryRead('n', out ReadOnlySpan<byte> name) || !ScramSyntax.TryReadName(name, out string user)) return false;
        if (!attributes.TryRead('r', out ReadOnlySpan<byte> nonce) || !ScramSyntax.IsNonce(nonce, ScramSyntax.NonceBytesMax)) return false;
        if (!attributes.TryReadEnd()) return false;
        first = new ScramClientFirst { Gs2Header = message[..headerSize], Bare = bare, AuthorizationId = authorizationId, User = user, Nonce = nonce };
        return true;
    }

    // n or y (the client could bind but believes that the server cannot), a comma, perhaps a=name, a comma.
    private static bool TryReadGs2Header(ReadOnlySpan<byte> message, out int size, out string? authorizationId)
    {
        (size, authorizationId) = (0, null);
        if (!message.StartsWith("n,"u8) && !message.StartsWith("y,"u8)) return false;
        int end = message[2..].IndexOf((byte)',');
        if (end < 0) return false;
        size = 2 + end + 1;
        if (end == 0) return true;
        var attribute = new ScramAttributeReader(message[2..(2 + end)]);
        return attribute.TryRead('a', out ReadOnlySpan<byte> name) && ScramSyntax.TryReadName(name, out authorizationId);
    }
}
