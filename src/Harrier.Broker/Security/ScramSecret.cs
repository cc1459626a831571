using System.Security.Cryptography;
using System.Text;

namespace Harrier.Broker.Security;

/// <summary>
/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677): enough to check that a client knows it, not enough to log in with.
/// </summary>
public sealed class ScramSecret
{
    /// <summary>How often the password is hashed; the least that RFC 7677 (section 4) allows. Clients do it at every login.</summary>
    public const int Iterations = 4096;

    private const int SaltSize = 16;

    // Made at a user's first login, and the keys, which take a millisecond, not before there is a proof to check: what a client hears up to then comes as
    // quickly for a decoy.
    private readonly Lazy<byte[]> _salt;
    private readonly Lazy<Keys> _keys;

    private ScramSecret(Func<byte[]> salt, Func<byte[], Keys> keys)
    {
        _salt = new Lazy<byte[]>(salt);
        _keys = new Lazy<Keys>(() => keys(_salt.Value));
    }

    /// <summary>Not secret: clients are told before they log in.</summary>
    public ReadOnlySpan<byte> Salt => _salt.Value;

    /// <summary>Makes the secret of a password with a new salt.</summary>
    public static ScramSecret Of(string password, Random random) => new(
        () =>
        {
            byte[] salt = new byte[SaltSize];
            lock (random) random.NextBytes(salt);
            return salt;
        },
        salt => Keys.Derive(password, salt));

    /// <summary>Whether the proof in a SCRAM exchange shows that the client knows the password, in time that does not depend on where it is wrong.</summary>
    /// <param name="exchange">AuthMessage: what was said in the exchange.</param>
    /// <param name="proof">ClientProof.</param>
    public bool IsProvenBy(ReadOnlySpan<byte> exchange, ReadOnlySpan<byte> proof)
    {
        if (proof.Length != SHA256.HashSizeInBytes) return false;
        byte[] clientKey = HMACSHA256.HashData(_keys.Value.Stored, exchange);
        for (int i = 0; i < clientKey.Length; i++) clientKey[i] ^= proof[i];
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), _keys.Value.Stored);
    }

    /// <summary>ServerSignature: shows the client that the server knows the secret.</summary>
    public byte[] Sign(ReadOnlySpan<byte> exchange) => HMACSHA256.HashData(_keys.Value.Server, exchange);

    /// <summary>What a name without a secret gets: always the same for it, and nothing proves it.</summary>
    /// <param name="key">Known to nobody else, or the decoy could be told from a secret.</param>
    /// <param name="name">The name.</param>
    internal static ScramSecret Decoy(byte[] key, string name)
    {
        byte[] bytes = HMACSHA512.HashData(key, Encoding.UTF8.GetBytes(name));
        return new ScramSecret(() => bytes[..SaltSize], _ => new Keys(bytes[32..], bytes[32..]));
    }

    private sealed record Keys(byte[] Stored, byte[] Server)
    {
        public static Keys Derive(string password, byte[] salt)
        {
            byte[] salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
            return new Keys(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)), HMACSHA256.HashData(salted, "Server Key"u8));
        }
    }
}
