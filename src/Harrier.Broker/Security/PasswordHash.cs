using System.Security.Cryptography;
using System.Text;

namespace Harrier.Broker.Security;

/// <summary>
/// A salted hash of a password in RabbitMQ's form, so that definitions move over unchanged: base64 of a 4-byte salt and SHA-256(salt + password).
/// </summary>
public sealed class PasswordHash
{
    private const int SaltSize = 4;

    // Made at the first login: the cryptography library takes memory that a broker without clients has no use for.
    private readonly Lazy<byte[]> _salted;

    private PasswordHash(Func<byte[]> salted, ScramSecret? scram)
    {
        _salted = new Lazy<byte[]>(salted);
        Scram = scram;
    }

    /// <summary>The same password for SCRAM; null when nothing but this hash of it is known.</summary>
    public ScramSecret? Scram { get; }

    /// <summary>Reads the base64 form; throws <see cref="FormatException"/> when it is not one.</summary>
    public static PasswordHash Parse(string base64)
    {
        byte[] salted = Convert.FromBase64String(base64);
        if (salted.Length != SaltSize + SHA256.HashSizeInBytes) throw new FormatException("a password hash is base64 of 4 bytes of salt and 32 of SHA-256");
        return new PasswordHash(() => salted, null);
    }

    /// <summary>Hashes a password with a new salt.</summary>
    public static PasswordHash Of(string password, Random random) => new(
        () =>
        {
            byte[] salt = new byte[SaltSize];
            lock (random) random.NextBytes(salt);
            return [.. salt, .. Digest(salt, Encoding.UTF8.GetBytes(password))];
        },
        ScramSecret.Of(password, random));

    /// <summary>Whether this is the hash of that password, in time that does not depend on where they differ.</summary>
    public bool Matches(ReadOnlySpan<byte> password) =>
        CryptographicOperations.FixedTimeEquals(Digest(_salted.Value.AsSpan(0, SaltSize), password), _salted.Value.AsSpan(SaltSize));

    /// <summary>The form that <see cref="Parse"/> reads. Not ToString, which ends up in logs.</summary>
    public string ToBase64() => Convert.ToBase64String(_salted.Value);

    private static byte[] Digest(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> password) => SHA256.HashData([.. salt, .. password]);
}
