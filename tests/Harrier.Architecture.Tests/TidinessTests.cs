using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Harrier.Architecture.Tests;

/// <summary>Budgets and small rules that keep the code readable.</summary>
public partial class TidinessTests
{
    private const int FileLinesMax = 400;
    private const int MethodLinesMax = 60;

    /// <summary>Files that may be longer, each with its reason. None so far.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    [Fact]
    public void A_file_can_be_read_in_one_sitting() =>
        Repository.Sources("src")
            .Select(file => (Name: Repository.Relative(file), Lines: File.ReadLines(file).Count()))
            .Where(f => f.Lines > FileLinesMax && !LongFiles.ContainsKey(f.Name))
            .Select(f => $"{f.Name}: {f.Lines} lines, {FileLinesMax} are enough")
            .ShouldBeEmpty();

    [Fact]
    public void Only_files_that_are_too_long_are_excused() =>
        LongFiles.Keys.Where(name => File.ReadLines(Path.Combine(Repository.Root, name)).Count() <= FileLinesMax).ShouldBeEmpty();

    [Fact]
    public void A_method_fits_a_screen() =>
        Repository.Sources("src")
            .SelectMany(file => SourceText.Blocks(File.ReadAllText(file))
                .Where(block => block.IsMember && block.LineCount > MethodLinesMax)
                .Select(block => $"{Repository.Relative(file)}({block.Line}): {block.LineCount} lines, {MethodLinesMax} are enough"))
            .ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_for_later_in_a_comment() =>
        Repository.Sources("src", "tests", "tools", "bench", "examples")
            .SelectMany(file => File.ReadLines(file).Index()
                .Where(line => Postponed().IsMatch(line.Item))
                .Select(line => $"{Repository.Relative(file)}({line.Index + 1}): {line.Item.Trim()}"))
            .ShouldBeEmpty();

    [Fact]
    public void Every_log_message_has_a_number_of_its_own()
    {
        List<(string Id, string File)> messages = [.. Repository.Sources("src").SelectMany(file =>
            LogMessage().Matches(File.ReadAllText(file)).Select(m => (m.Groups["id"].Value, Repository.Relative(file))))];
        messages.ShouldNotBeEmpty("the test must see them");
        messages.ShouldAllBe(m => m.Id.Length > 0);
        messages.GroupBy(m => m.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key} in {string.Join(" and ", g.Select(m => m.File))}").ShouldBeEmpty();
    }

    [Fact]
    public void Namespaces_need_no_braces() =>
        Repository.Sources("src", "tests", "tools", "bench", "examples")
            .Where(file => BracedNamespace().IsMatch(SourceText.Blank(File.ReadAllText(file))))
            .Select(Repository.Relative)
            .ShouldBeEmpty();

    // In two parts, for this file is looked at as well.
    [GeneratedRegex("\\b(TO" + "DO|FIX" + "ME|HA" + "CK|X" + "XX)\\b")]
    private static partial Regex Postponed();

    [GeneratedRegex(@"\[LoggerMessage\((EventId\s*=\s*)?(?<id>\d*)")]
    private static partial Regex LogMessage();

    [GeneratedRegex(@"^namespace [\w.]+\s*\{", RegexOptions.Multiline)]
    private static partial Regex BracedNamespace();
}
