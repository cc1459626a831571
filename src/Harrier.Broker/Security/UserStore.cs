using System.Collections.Frozen;
using System.Net;

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
public sealed class UserStore(IEnumerable<User> users)
{
    private readonly FrozenDictionary<string, User> _users = users.ToFrozenDictionary(u => u.Name, StringComparer.Ordinal);

    /// <summary>The user who has that name and password, or why not.</summary>
    public LoginFailure TryLogin(string name, ReadOnlySpan<byte> password, EndPoint? from, out User? user)
    {
        user = null;
        if (!_users.TryGetValue(name, out User? found)) return LoginFailure.UnknownUser;
        if (found.Password?.Matches(password) != true) return LoginFailure.WrongPassword;
        if (found.IsLoopbackOnly && !IsLoopback(from)) return LoginFailure.NotFromLoopback;
        user = found;
        return LoginFailure.None;
    }

    // A peer without an IP address (a pipe, a unix socket) is on this machine.
    private static bool IsLoopback(EndPoint? from) => from is not IPEndPoint ip || IPAddress.IsLoopback(ip.Address);
}
