namespace Harrier.Protocol.Sasl;

/// <summary>The client's last message in a SCRAM exchange: <c>c=binding,r=nonce,p=proof</c> (RFC 5802, section 7). Spans are parts of the message.</summary>
public readonly ref struct ScramClientFinal
{
    /// <summary>Everything but the proof, which is signed.</summary>
    public ReadOnlySpan<byte> WithoutProof { get; private init; }

    /// <summary>The GS2 header of the first message: without channel binding, nothing follows it.</summary>
    public byte[] Binding { get; private init; }

    /// <summary>The nonce of the exchange: the client's and the server's.</summary>
    public ReadOnlySpan<byte> Nonce { get; private init; }

    /// <summary><see cref="ScramSyntax.SignatureSize"/> bytes.</summary>
    public byte[] Proof { get; private init; }

    /// <summary>Reads a message; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ScramClientFinal final)
    {
        final = default;
        if (!ScramSyntax.IsMessage(message)) return false;
        int comma = message.LastIndexOf((byte)','); // the proof comes last, behind any extensions
        if (comma < 0) return false;
        ReadOnlySpan<byte> withoutProof = message[..comma];
        var attributes = new ScramAttributeReader(withoutProof);
        if (!attributes.TryRead('c', out ReadOnlySpan<byte> base64) || !ScramSyntax.TryDecodeBase64(base64, out byte[] binding)) return false;
        if (!attributes.TryRead('r', out ReadOnlySpan<byte> nonce) || !ScramSyntax.IsNonce(nonce, 2 * ScramSyntax.NonceBytesMax)) return false;
        if (!attributes.TryReadEnd()) return false;
        var last = new ScramAttributeReader(message[(comma + 1)..]);
        if (!last.TryRead('p', out base64) || !ScramSyntax.TryDecodeBase64(base64, out byte[] proof) || proof.Length != ScramSyntax.SignatureSize) return false;
        final = new ScramClientFinal { WithoutProof = withoutProof, Binding = binding, Nonce = nonce, Proof = proof };
        return true;
    }
}
