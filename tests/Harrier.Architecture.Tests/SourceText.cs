using System.Text;

namespace Harrier.Architecture.Tests;

/// <summary>A block of C# in braces.</summary>
/// <param name="Head">What stands before the brace: a declaration, a statement.</param>
/// <param name="ParentHead">The head of the block around it.</param>
/// <param name="Line">The line of the opening brace.</param>
/// <param name="LineCount">Lines from the opening to the closing brace.</param>
internal sealed record Block(string Head, string ParentHead, int Line, int LineCount)
{
    private static readonly string[] TypeWords = ["class", "struct", "interface", "record", "enum"];

    /// <summary>Whether it is the body of a method, property or constructor rather than of a type, a statement or an initializer.</summary>
    public bool IsMember => IsType(ParentHead) && !IsType(Head) && !IsInitializer;

    // Default values of parameters stand in parentheses.
    // A default value of a parameter stands in parentheses, the name of an operator after its keyword.
    private bool IsInitializer => !Head.Contains("=>") && !Head.Contains("operator ") && Head.Split('(')[0].Contains('=');

    private static bool IsType(string head) =>
        head.Split(['(', ':', '<'], 2)[0].Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Intersect(TypeWords).Any();
}

/// <summary>Just enough of a reader of C# to find the blocks.</summary>
internal static class SourceText
{
    public static List<Block> Blocks(string source)
    {
        string code = Blank(source);
        var blocks = new List<Block>();
        var open = new Stack<(string Head, int Line)>();
        int line = 1, headStart = 0, parentheses = 0;
        for (int i = 0; i < code.Length; i++)
        {
            switch (code[i])
            {
                case '\n': line++; break;
                case '(': parentheses++; break;
                case ')': parentheses--; break;
                case ';' when parentheses == 0: headStart = i + 1; break;
                case '{':
                    open.Push((code[headStart..i].Trim(), line));
                    headStart = i + 1;
                    break;
                case '}':
                    (string head, int start) = open.Pop();
                    blocks.Add(new Block(head, open.TryPeek(out var parent) ? parent.Head : "", start, line - start + 1));
                    headStart = i + 1;
                    break;
            }
        }
        return blocks;
    }

    /// <summary>The source with comments and the contents of strings and characters blanked, line ends kept.</summary>
    public static string Blank(string source)
    {
        var result = new StringBuilder(source.Length);
        for (int i = 0; i < source.Length;)
        {
            int length = LengthOfNoCode(source, i);
            if (length == 0) result.Append(source[i++]);
            for (; length > 0; length--, i++) result.Append(source[i] == '\n' ? '\n' : ' ');
        }
        return result.ToString();
    }

    private static int LengthOfNoCode(string source, int at)
    {
        ReadOnlySpan<char> rest = source.AsSpan(at);
        if (rest.StartsWith("//")) return Until(rest, "\n", 2) - 1;
        if (rest.StartsWith("/*")) return Until(rest, "*/", 2);
        if (rest.StartsWith("\"\"\"")) return Until(rest, "\"\"\"", 3);
        if (rest.StartsWith("@\"") || rest.StartsWith("$@\"")) return VerbatimLength(rest);
        return rest[0] is '"' or '\'' ? QuotedLength(rest, rest[0]) : 0;
    }

    private static int Until(ReadOnlySpan<char> text, string end, int from)
    {
        int at = text[from..].IndexOf(end, StringComparison.Ordinal);
        return at < 0 ? text.Length : from + at + end.Length;
    }

    private static int VerbatimLength(ReadOnlySpan<char> text)
    {
        int at = text.IndexOf('"') + 1;
        while (at < text.Length && (text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'))) at += text[at] == '"' ? 2 : 1;
        return Math.Min(at + 1, text.Length);
    }

    // Holes of interpolated strings are blanked with their string, nested quotes in them included by counting braces.
    private static int QuotedLength(ReadOnlySpan<char> text, char quote)
    {
        int holes = 0;
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '{') holes++;
            else if (text[i] == '}') holes = Math.Max(0, holes - 1);
            else if (text[i] == '\n') return i;
            else if (text[i] == quote && (holes == 0 || !text[i..].Slice(0, Until(text[i..], "\n", 0)).Contains('}'))) return i + 1;
        }
        return text.Length;
    }
}
