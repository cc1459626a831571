using System.Text.RegularExpressions;

namespace Harrier.Broker.Security;

/// <summary>What somebody wants to do with an exchange or a queue.</summary>
public enum Permission
{
    Configure,
    Write,
    Read,
}

/// <summary>
/// A pattern over resource names (behaviour note 58): a regular expression that may match anywhere in the name; an empty one matches only the empty name.
/// </summary>
public sealed class PermissionPattern
{
    // For patterns that only a backtracking engine can run; one that needs longer is taken as not matching.
    private static readonly TimeSpan MatchTimeMax = TimeSpan.FromMilliseconds(50);

    private readonly Regex? _regex; // null for what everybody writes: .* needs no engine

    /// <summary>Throws <see cref="ArgumentException"/> when the text is no regular expression.</summary>
    public PermissionPattern(string text)
    {
        Text = text;
        if (text == ".*") return;
        _regex = Compile(text.Length == 0 ? "^$" : text);
    }

    public string Text { get; }

    public bool Matches(string name)
    {
        if (_regex is null) return true;
        try
        {
            return _regex.IsMatch(name);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    /// <summary>An expression that ends, one way or the other: in time linear to the name where that engine can run it, else with a limit on its time.</summary>
    internal static Regex Compile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Regex.InfiniteMatchTimeout);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, MatchTimeMax);
        }
    }
}

/// <summary>What a user may do in one virtual host.</summary>
public sealed record Permissions(PermissionPattern Configure, PermissionPattern Write, PermissionPattern Read)
{
    public static Permissions All { get; } = new(new PermissionPattern(".*"), new PermissionPattern(".*"), new PermissionPattern(".*"));

    public bool Allows(Permission permission, string resource) => permission switch
    {
        Permission.Configure => Configure.Matches(resource),
        Permission.Write => Write.Matches(resource),
        _ => Read.Matches(resource),
    };
}
