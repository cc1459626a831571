using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Harrier.Architecture.Tests;

/// <summary>What documents promise is there.</summary>
public partial class DocumentationTests
{
    [Fact]
    public void Links_in_documents_lead_somewhere()
    {
        IEnumerable<string> documents = Repository.Files("docs", "*.md");
        string readme = Path.Combine(Repository.Root, "README.md");
        if (File.Exists(readme)) documents = documents.Append(readme);
        documents.SelectMany(BrokenLinks).ShouldBeEmpty();
    }

    [Fact]
    public void Every_limit_is_documented()
    {
        string limits = File.ReadAllText(Path.Combine(Repository.Root, "src/Harrier.Amqp/ConnectionLimits.cs"));
        string[] names = [.. PublicProperty().Matches(limits).Select(m => m.Groups["name"].Value)];
        names.ShouldContain("FrameBytesMax", "the test must see them");

        string path = Path.Combine(Repository.Root, "docs/configuration.md");
        File.Exists(path).ShouldBeTrue("docs/configuration.md says what can be configured");
        string document = File.ReadAllText(path);
        names.Where(name => !Regex.IsMatch(document, $@"\b{name}\b", RegexOptions.IgnoreCase)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_fuzz_target_is_documented()
    {
        string[] names = [.. Directory.GetDirectories(Path.Combine(Repository.Root, "tests/Harrier.Fuzz/corpus")).Select(folder => Path.GetFileName(folder))];
        names.ShouldContain("frame-reader", "the test must see them");
        string document = File.ReadAllText(Path.Combine(Repository.Root, "docs/testing.md"));
        names.Where(name => !document.Contains($"`{name}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>What a document says is tested by somebody.</summary>
    [Fact]
    public void Tests_that_documents_name_exist()
    {
        string[] named = [.. Repository.Files("docs", "*.md").SelectMany(d => TestName().Matches(File.ReadAllText(d))).Select(m => m.Groups["name"].Value).Distinct()];
        named.ShouldContain("KillNineTests", "the test must see them");
        string sources = string.Concat(Repository.Sources("tests").Select(File.ReadAllText));
        named.Where(name => !sources.Contains($"class {name}", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>Code that a document gives after the name of a test stands in that test, line by line.</summary>
    [Fact]
    public void Examples_in_documents_are_tests()
    {
        Match[] examples = [.. Repository.Files("docs", "*.md").SelectMany(d => Example().Matches(File.ReadAllText(d)))];
        examples.ShouldNotBeEmpty("the test must see them");
        foreach (Match example in examples)
        {
            string name = example.Groups["name"].Value;
            string source = Repository.Sources("tests").Select(File.ReadAllText).Single(s => s.Contains($"class {name}", StringComparison.Ordinal));
            Unindented(source).ShouldContain(Unindented(example.Groups["code"].Value), Case.Sensitive, name);
        }
    }

    private static string Unindented(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim()));

    private static IEnumerable<string> BrokenLinks(string document)
    {
        string text = Fenced().Replace(File.ReadAllText(document), "");
        string folder = Path.GetDirectoryName(document)!;
        foreach (Match match in Link().Matches(text))
        {
            string target = match.Groups["target"].Value;
            if (target.Contains("://") || target.StartsWith("mailto:", StringComparison.Ordinal)) continue;
            string[] parts = target.Split('#', 2);
            string path = parts[0].Length == 0 ? document : Path.GetFullPath(Path.Combine(folder, Uri.UnescapeDataString(parts[0])));
            if (!File.Exists(path) && !Directory.Exists(path)) yield return $"{Repository.Relative(document)}: {target}";
            else if (parts.Length == 2 && path.EndsWith(".md", StringComparison.Ordinal) && !Anchors(path).Contains(parts[1]))
                yield return $"{Repository.Relative(document)}: {target} (no such heading)";
        }
    }

    /// <summary>The anchors that the usual renderers give to headings.</summary>
    private static HashSet<string> Anchors(string document) =>
        [.. Heading().Matches(Fenced().Replace(File.ReadAllText(document), ""))
            .Select(m => NoAnchorCharacter().Replace(m.Groups["text"].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"`(?<name>\w+Tests)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"`(?<name>\w+Tests)`:\s*```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^\s*```.*?^\s*```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)(\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}\- _]")]
    private static partial Regex NoAnchorCharacter();

    [GeneratedRegex(@"^\s*public (required )?[\w<>\[\]?]+ (?<name>\w+) \{ get;", RegexOptions.Multiline)]
    private static partial Regex PublicProperty();
}
