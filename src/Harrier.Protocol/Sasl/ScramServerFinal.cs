using System.Text;

namespace Harrier.Protocol.Sasl;

/// <summary>The server's last message in a SCRAM exchange: <c>v=signature</c>, or <c>e=error</c> (RFC 5802, section 7).</summary>
public readonly ref struct ScramServerFinal
{
    /// <summary>Proves that the server knows the user; null when there is an error.</summary>
    public byte[]? Signature { get; private init; }

    /// <summary>Why the server refuses, as <c>invalid-proof</c>; null when it does not.</summary>
    public string? Error { get; private init; }

    /// <summary>Reads a message; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ScramServerFinal final)
    {
        final = default;
        if (!ScramSyntax.IsMessage(message)) return false;
        var attributes = new ScramAttributeReader(message);
        bool isError = message.StartsWith("e"u8);
        if (!attributes.TryRead(isError ? 'e' : 'v', out ReadOnlySpan<byte> value) || !attributes.TryReadEnd()) return false;
        if (isError)
        {
            final = new ScramServerFinal { Error = Encoding.UTF8.GetString(value) };
            return true;
        }
        if (!ScramSyntax.TryDecodeBase64(value, out byte[] signature) || signature.Length != ScramSyntax.SignatureSize) return false;
        final = new ScramServerFinal { Signature = signature };
        return true;
    }

    /// <summary>Writes a message without an error.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> signature) => Encoding.ASCII.GetBytes($"v={Convert.ToBase64String(signature)}");
}
