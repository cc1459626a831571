using System.Globalization;
using System.Text;

namespace Harrier.Protocol.Sasl;

/// <summary>The answer to the first message of a SCRAM exchange: <c>r=nonce,s=salt,i=iterations</c> (RFC 5802, section 7).</summary>
public readonly ref struct ScramServerFirst
{
    /// <summary>The client's nonce and the server's behind it; a part of the message.</summary>
    public ReadOnlySpan<byte> Nonce { get; private init; }

    public byte[] Salt { get; private init; }

    public int Iterations { get; private init; }

    /// <summary>Reads a message; false when it is malformed or asks for more than <see cref="ScramSyntax.IterationsMax"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ScramServerFirst first)
    {
        first = default;
        if (!ScramSyntax.IsMessage(message)) return false;
        var attributes = new ScramAttributeReader(message);
        if (!attributes.TryRead('r', out ReadOnlySpan<byte> nonce) || !ScramSyntax.IsNonce(nonce, 2 * ScramSyntax.NonceBytesMax)) return false;
        if (!attributes.TryRead('s', out ReadOnlySpan<byte> base64) || !ScramSyntax.TryDecodeBase64(base64, out byte[] salt)) return false;
        if (!attributes.TryRead('i', out ReadOnlySpan<byte> digits) || !TryReadCount(digits, out int iterations)) return false;
        if (!attributes.TryReadEnd()) return false;
        first = new ScramServerFirst { Nonce = nonce, Salt = salt, Iterations = iterations };
        return true;
    }

    /// <summary>Writes a message.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> salt, int iterations) =>
        Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"r={Encoding.ASCII.GetString(nonce)},s={Convert.ToBase64String(salt)},i={iterations}"));

    private static bool TryReadCount(ReadOnlySpan<byte> digits, out int count) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count) && digits[0] != '0' && count <= ScramSyntax.IterationsMax;
}
