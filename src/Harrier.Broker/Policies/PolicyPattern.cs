using System.Text.RegularExpressions;
using Harrier.Broker.Security;

namespace Harrier.Broker.Policies;

/// <summary>
/// The names that a policy is for: a regular expression that may match anywhere in the name; an empty one matches every name. Bounded: what only a
/// backtracking engine can run is given up for good when it has run away from a few names, so that it cannot hold up every name in turn.
/// </summary>
public sealed class PolicyPattern
{
    /// <summary>Characters of the longest pattern.</summary>
    public const int SizeMax = 4096;

    private const int RunawaysMax = 3;

    private readonly Regex _regex;
    private int _runaways;

    /// <summary>Throws <see cref="ArgumentException"/> when the text is no regular expression.</summary>
    public PolicyPattern(string text)
    {
        Text = text;
        _regex = PermissionPattern.Compile(text);
    }

    public string Text { get; }

    public bool Matches(string name)
    {
        if (Volatile.Read(ref _runaways) >= RunawaysMax) return false;
        try
        {
            return _regex.IsMatch(name);
        }
        catch (RegexMatchTimeoutException)
        {
            Interlocked.Increment(ref _runaways);
            return false;
        }
    }

    /// <summary>What is wrong with a pattern, in the words that RabbitMQ gets from its own engine as far as the two agree; null when nothing is.</summary>
    public static string? Check(string text)
    {
        if (text.Length > SizeMax) return $"pattern should have at most {SizeMax} characters, actually has {text.Length}";
        try
        {
            PermissionPattern.Compile(text);
            return null;
        }
        catch (RegexParseException e)
        {
            return $"pattern should be regular expression but is invalid: {{\"{Describe(e.Error)}\",{e.Offset}}}";
        }
    }

    private static string Describe(RegexParseError error) => error switch
    {
        RegexParseError.InsufficientClosingParentheses => "missing )",
        RegexParseError.InsufficientOpeningParentheses => "unmatched parentheses",
        RegexParseError.UnterminatedBracket => "missing terminating ] for character class",
        RegexParseError.QuantifierAfterNothing or RegexParseError.NestedQuantifiersNotParenthesized => "nothing to repeat",
        RegexParseError.ReversedQuantifierRange => "numbers out of order in {} quantifier",
        RegexParseError.ReversedCharacterRange => "range out of order in character class",
        RegexParseError.UnescapedEndingBackslash => "\\\\ at end of pattern",
        _ => error.ToString(),
    };
}
