using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace Harrier.Protocol.Sasl;

/// <summary>What the messages of SCRAM-SHA-256 (RFC 5802, section 7; RFC 7677) are made of, and how much of it there may be.</summary>
public static class ScramSyntax
{
    /// <summary>Bytes of a message. AMQP 1.0 has no more than 512 for a frame before a login.</summary>
    public const int MessageBytesMax = 1024;

    /// <summary>Bytes of the nonce of one side; both together make that of the exchange.</summary>
    public const int NonceBytesMax = 128;

    /// <summary>Iterations that a server may ask of a client: at a million of them a second is gone.</summary>
    public const int IterationsMax = 1_000_000;

    /// <summary>Bytes of the proof and of the server's signature: SHA-256.</summary>
    public const int SignatureSize = 32;

    internal static bool IsMessage(ReadOnlySpan<byte> message) => message.Length <= MessageBytesMax && Utf8.IsValid(message);

    // printable is everything visible in ASCII but the comma, which ends an attribute anyway.
    internal static bool IsNonce(ReadOnlySpan<byte> value, int bytesMax) => value.Length <= bytesMax && !value.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);

    /// <summary>Reads base64 as strictly as the RFC has it: the platform's reader lets white space pass.</summary>
    internal static bool TryDecodeBase64(ReadOnlySpan<byte> value, out byte[] bytes)
    {
        bytes = [];
        if (value.ContainsAnyInRange((byte)0, (byte)' ') || !Base64.IsValid(value, out int length)) return false;
        bytes = new byte[length];
        return Base64.DecodeFromUtf8(value, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == length;
    }

    /// <summary>Reads a name in which =2C stands for a comma and =3D for an equals sign (RFC 5802, section 5.1); any other equals sign is an error.</summary>
    internal static bool TryReadName(ReadOnlySpan<byte> value, out string name)
    {
        name = "";
        var unescaped = new byte[value.Length];
        int length = 0;
        while (!value.IsEmpty)
        {
            bool isEscaped = value[0] == '=';
            if (isEscaped && !value.StartsWith("=2C"u8) && !value.StartsWith("=3D"u8)) return false;
            unescaped[length++] = !isEscaped ? value[0] : value[1] == '2' ? (byte)',' : (byte)'=';
            value = value[(isEscaped ? 3 : 1)..];
        }
        name = Encoding.UTF8.GetString(unescaped, 0, length);
        return length > 0;
    }
}
