using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;

namespace Harrier.Broker.Security;

/// <summary>Somebody who may log in.</summary>
/// <param name="Name">Unique, compared exactly.</param>
/// <param name="Password">Null: no password will do.</param>
/// <param name="Tags">RabbitMQ's: administrator, monitoring, management, policymaker, impersonator.</param>
/// <param name="Permissions">By virtual host; one that is missing is closed to the user.</param>
/// <param name="IsLoopbackOnly">Whether connections from other machines are refused (behaviour note 6).</param>
public sealed record User(
    string Name, PasswordHash? Password, IReadOnlySet<string> Tags, FrozenDictionary<string, Permissions> Permissions, bool IsLoopbackOnly = false)
{
    /// <summary>May publish in the name of others (note 62).</summary>
    public const string ImpersonatorTag = "impersonator";

    /// <summary>Whether the user may do that to a resource of a virtual host. The default exchange is called amq.default (note 58).</summary>
    public bool Allows(string vhost, Permission permission, string resource) =>
        Permissions.TryGetValue(vhost, out Permissions? permissions) && permissions.Allows(permission, resource);
}

/// <summary>Why a login failed; for the log, the client is not told.</summary>
public enum LoginFailure
{
    None,
    UnknownUser,
    WrongPassword,
    NotFromLoopback,
}

/// <summary>The users of a broker.</summary>
public sealed class UserStore
{
    private const int DecoyKeySize = 32;

    private readonly FrozenDictionary<string, User> _users;

    // From the operating system, not from the broker's Random: with a seed that somebody knows, nothing would be hidden.
    private readonly Lazy<byte[]> _decoyKey = new(() => RandomNumberGenerator.GetBytes(DecoyKeySize));

    /// <param name="users">Who may log in.</param>
    /// <param name="anonymousUser">The name of the user that clients without a name log in as; null refuses them.</param>
    public UserStore(IEnumerable<User> users, string? anonymousUser = null)
    {
        _users = users.ToFrozenDictionary(u => u.Name, StringComparer.Ordinal);
        AnonymousUser = anonymousUser;
        SupportsScram = _users.Values.All(u => u.Password is not { Scram: null });
    }

    /// <summary>The name of the user that clients without a name log in as; null refuses them.</summary>
    public string? AnonymousUser { get; }

    /// <summary>Whether everybody who has a password can log in by SCRAM: of some, only a hash may be known that is no use for it.</summary>
    public bool SupportsScram { get; }

    /// <summary>The user who has that name and password, or why not.</summary>
    public LoginFailure TryLogin(string name, ReadOnlySpan<byte> password, EndPoint? from, out User? user)
    {
        user = null;
        if (!_users.TryGetValue(name, out User? found)) return LoginFailure.UnknownUser;
        return found.Password?.Matches(password) == true ? Admit(found, from, out user) : LoginFailure.WrongPassword;
    }

    /// <summary>The user who has that name and proves in a SCRAM exchange to know the password, or why not.</summary>
    /// <param name="name">The name that <see cref="ScramSecretOf"/> was asked about.</param>
    /// <param name="exchange">What was said in the exchange (AuthMessage of RFC 5802, section 3).</param>
    /// <param name="proof">The client's proof.</param>
    /// <param name="from">Where the client is; null when that is not known.</param>
    /// <param name="user">The user; null on failure.</param>
    public LoginFailure TryProve(string name, ReadOnlySpan<byte> exchange, ReadOnlySpan<byte> proof, EndPoint? from, out User? user)
    {
        user = null;
        bool isProven = ScramSecretOf(name).IsProvenBy(exchange, proof); // takes its time for those who do not exist, too
        if (!_users.TryGetValue(name, out User? found)) return LoginFailure.UnknownUser;
        return isProven && found.Password?.Scram is not null ? Admit(found, from, out user) : LoginFailure.WrongPassword;
    }

    /// <summary>The user who has that name, which something other than a password has verified, or why not.</summary>
    public LoginFailure TryIdentify(string name, EndPoint? from, out User? user)
    {
        user = null;
        return _users.TryGetValue(name, out User? found) ? Admit(found, from, out user) : LoginFailure.UnknownUser;
    }

    /// <summary>
    /// The secret that a SCRAM exchange under that name goes by. A name that nobody can log in with gets one all the same, so that clients cannot find out
    /// which users exist.
    /// </summary>
    public ScramSecret ScramSecretOf(string name) =>
        _users.TryGetValue(name, out User? user) && user.Password?.Scram is { } secret ? secret : ScramSecret.Decoy(_decoyKey.Value, name);

    private static LoginFailure Admit(User found, EndPoint? from, out User? user)
    {
        bool isWelcome = !found.IsLoopbackOnly || IsLoopback(from);
        user = isWelcome ? found : null;
        return isWelcome ? LoginFailure.None : LoginFailure.NotFromLoopback;
    }

    // A peer without an IP address (a pipe, a unix socket) is on this machine.
    private static bool IsLoopback(EndPoint? from) => from is not IPEndPoint ip || IPAddress.IsLoopback(ip.Address);
}
