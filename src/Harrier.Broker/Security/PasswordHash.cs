using System.Security.Cryptography;
using System.Text;

namespace Harrier.Broker.Security;

/// <summary>
/// A salted hash of a password in RabbitMQ's form, so that definitions move over unchanged: base64 of a 4-byte salt and SHA-256(salt + password).
/// </summary>
public sealed class PasswordHash
{
    private const int SaltSize = 4;

    private readonly byte[] _salted;

    private PasswordHash(byte[] salted) => _salted = salted;

    /// <summary>Reads the base64 form; throws <see cref="FormatException"/> when it is not one.</summary>
    public static PasswordHash Parse(string base64)
    {
        byte[] salted = Convert.FromBase64String(base64);
        if (salted.Length != SaltSize + SHA256.HashSizeInBytes) throw new FormatException("a password hash is base64 of 4 bytes of salt and 32 of SHA-256");
        return new PasswordHash(salted);
    }

    /// <summary>Hashes a password with a new salt.</summary>
    public static PasswordHash Of(string password, Random random)
    {
        byte[] salt = new byte[SaltSize];
        random.NextBytes(salt);
        return new PasswordHash([.. salt, .. Digest(salt, Encoding.UTF8.GetBytes(password))]);
    }

    /// <summary>Whether this is the hash of that password, in time that does not depend on where they differ.</summary>
    public bool Matches(ReadOnlySpan<byte> password) =>
        CryptographicOperations.FixedTimeEquals(Digest(_salted.AsSpan(0, SaltSize), password), _salted.AsSpan(SaltSize));

    public override string ToString() => Convert.ToBase64String(_salted);

    private static byte[] Digest(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> password) => SHA256.HashData([.. salt, .. password]);
}
