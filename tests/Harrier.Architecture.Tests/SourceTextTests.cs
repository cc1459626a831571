using Shouldly;
using Xunit;

namespace Harrier.Architecture.Tests;

/// <summary>A rule is worth what its reader sees.</summary>
public class SourceTextTests
{
    private const string Source = """
        namespace A;

        public sealed record R(int X)
        {
            private static readonly Dictionary<string, int> Map = new()
            {
                ["{"] = 1, // }
            };

            public int P { get; init; }

            public R(string text) : this(text.Length)
            {
                if (text is "}")
                {
                    throw new E($"x{(text.Length > 0 ? "}" : "{{")}");
                }
            }

            public int M() => Run(() =>
            {
                return '{';
            });

            private static class Nested
            {
                private const string Verbatim = @"{""{";

                public static void N(string a = "{")
                {
                    for (int i = 0; i < 3; i++)
                    {
                    }
                }
            }
        }
        """;

    [Fact]
    public void Members_are_told_from_types_statements_and_initializers()
    {
        Block[] members = [.. SourceText.Blocks(Source).Where(b => b.IsMember)];
        members.Select(m => m.LineCount).ShouldBe([1, 6, 3, 5]);
        members[1].Head.ShouldStartWith("public R(string text)");
        members[2].Head.ShouldContain("M()");
    }

    [Fact]
    public void Comments_and_texts_are_blanked_and_lines_stay()
    {
        string blanked = SourceText.Blank("a // b\n\"c\" /* d\n */ 'e' \"\"\"f\"\"\" $\"{g}\" h");
        blanked.Split('\n').Length.ShouldBe(3);
        string.Concat(blanked.Where(char.IsLetter)).ShouldBe("ah");
    }

    [Fact]
    public void Braces_balance_in_every_file_of_the_repository()
    {
        foreach (string file in Repository.Sources("src"))
        {
            string code = SourceText.Blank(File.ReadAllText(file));
            code.Count(c => c == '{').ShouldBe(code.Count(c => c == '}'), Repository.Relative(file));
        }
    }
}
