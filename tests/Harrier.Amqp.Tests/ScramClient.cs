using System.Security.Cryptography;
using System.Text;
using Harrier.Protocol.Sasl;

namespace Harrier.Amqp.Tests;

/// <summary>The client's side of SCRAM-SHA-256, as RFC 5802, section 3 writes it down.</summary>
internal sealed class ScramClient(string user, string password, string nonce = "fyko+d2lbbFgONRv9qkxdawL", string gs2Header = "n,,")
{
    private byte[] _serverSignature = [];

    private string Bare => $"n={user},r={nonce}";

    public byte[] First() => Encoding.UTF8.GetBytes(gs2Header + Bare);

    public byte[] Final(byte[] challenge)
    {
        ScramServerFirst.TryRead(challenge, out ScramServerFirst first).ShouldBeTrue();
        string combined = Encoding.ASCII.GetString(first.Nonce);
        combined.ShouldStartWith(nonce);
        string withoutProof = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(gs2Header))},r={combined}";
        byte[] exchange = Encoding.UTF8.GetBytes($"{Bare},{Encoding.ASCII.GetString(challenge)},{withoutProof}");
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(password, first.Salt, first.Iterations, HashAlgorithmName.SHA256, 32);
        byte[] clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        byte[] signature = HMACSHA256.HashData(SHA256.HashData(clientKey), exchange);
        _serverSignature = HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), exchange);
        return Encoding.ASCII.GetBytes($"{withoutProof},p={Convert.ToBase64String([.. clientKey.Zip(signature, (k, s) => (byte)(k ^ s))])}");
    }

    /// <summary>Whether the server, too, knows the password.</summary>
    public bool Trusts(byte[] message) =>
        ScramServerFinal.TryRead(message, out ScramServerFinal final) && _serverSignature.AsSpan().SequenceEqual(final.Signature);
}
