using System.Collections.Frozen;
using Harrier.Broker.Security;

namespace Harrier.TestSupport;

/// <summary>Users for tests.</summary>
public static class TestUsers
{
    /// <summary>Logs in with the password guest, from anywhere, and may do everything in virtual host "/".</summary>
    public static User Guest { get; } = Create("guest", "guest");

    /// <summary>A user who may do everything in the virtual hosts, "/" when there are none.</summary>
    public static User Create(string name, string password, params string[] vhosts) =>
        Create(name, password, Permissions.All, vhosts);

    /// <summary>A user with the same permissions in each of the virtual hosts, "/" when there are none.</summary>
    public static User Create(string name, string password, Permissions permissions, params string[] vhosts)
    {
        string[] names = vhosts.Length == 0 ? ["/"] : vhosts;
        FrozenDictionary<string, Permissions> byVirtualHost = names.ToFrozenDictionary(v => v, _ => permissions, StringComparer.Ordinal);
        return new User(name, PasswordHash.Of(password, new Random(1)), new HashSet<string>(), byVirtualHost);
    }

    /// <summary>Permissions by their patterns.</summary>
    public static Permissions May(string configure, string write, string read) =>
        new(new PermissionPattern(configure), new PermissionPattern(write), new PermissionPattern(read));
}
