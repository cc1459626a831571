using System.Text.RegularExpressions;
using System.Xml.Linq;
using Shouldly;
using Xunit;

namespace Harrier.Architecture.Tests;

/// <summary>Who may refer to whom.</summary>
public partial class ProjectReferenceTests
{
    private static readonly string[] Everything =
        ["Harrier.Protocol", "Harrier.Storage", "Harrier.Broker", "Harrier.Amqp", "Harrier.Management", "Harrier.Client", "Harrier.Links", "Harrier.Cluster"];

    /// <summary>The table of the architecture's plan of the house: a project, and those that it may refer to.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Harrier.Protocol"] = [],
        ["Harrier.Storage"] = [],
        ["Harrier.Broker"] = ["Harrier.Storage"],
        ["Harrier.Amqp"] = ["Harrier.Broker", "Harrier.Protocol"],
        ["Harrier.Management"] = ["Harrier.Broker"],
        ["Harrier.Client"] = ["Harrier.Protocol"],
        ["Harrier.Links"] = ["Harrier.Broker", "Harrier.Client"],
        ["Harrier.Cluster"] = ["Harrier.Broker", "Harrier.Storage"],
        ["Harrier.Server"] = Everything,
        ["Harrier.Testing"] = ["Harrier.Server"],
        ["Harrier"] = ["Harrier.Server"],
    };

    [Fact]
    public void Every_project_refers_only_to_those_it_may()
    {
        List<string> violations = [];
        foreach (string file in Repository.Files("src", "*.csproj"))
        {
            string project = Path.GetFileNameWithoutExtension(file);
            if (!Allowed.TryGetValue(project, out string[]? allowed)) violations.Add($"{project} is not in the table");
            else violations.AddRange(References(file).Except(allowed).Select(r => $"{project} must not refer to {r}"));
        }
        violations.ShouldBeEmpty();
    }

    [Fact]
    public void The_test_sees_the_projects() => Repository.Files("src", "*.csproj").Select(Path.GetFileNameWithoutExtension).ShouldContain("Harrier.Broker");

    [Fact]
    public void Nothing_in_src_refers_to_tests_or_tools() =>
        Repository.Files("src", "*.csproj").SelectMany(References).ShouldAllBe(reference => Allowed.ContainsKey(reference));

    /// <summary>A project reference is transitive: what comes with an allowed one must not be used either.</summary>
    [Fact]
    public void Code_names_only_the_namespaces_of_what_its_project_may_refer_to()
    {
        List<string> violations = [];
        foreach (string file in Repository.Sources("src"))
        {
            string project = Repository.Relative(file).Split('/')[1];
            // The executable's own namespace is the root of all others.
            string[] allowed = [project, .. Allowed.GetValueOrDefault(project, [])];
            foreach (Match match in NamespaceUse().Matches(SourceText.Blank(File.ReadAllText(file))))
            {
                string used = match.Groups[1].Value;
                if (Allowed.ContainsKey(used) && !allowed.Contains(used)) violations.Add($"{Repository.Relative(file)} uses {used}");
            }
        }
        violations.ShouldBeEmpty();
    }

    [Fact]
    public void The_two_protocols_do_not_know_each_other()
    {
        List<string> violations = [];
        foreach (string file in Repository.Sources("src/Harrier.Amqp", "src/Harrier.Protocol"))
        {
            string code = SourceText.Blank(File.ReadAllText(file));
            string[] folders = Repository.Relative(file).Split('/');
            if (folders.Contains("Conversion")) continue; // it is there to know both
            bool is091 = folders.Contains("V091") || folders.Contains("Amqp091"), is10 = folders.Contains("V10") || folders.Contains("Amqp10");
            if (is091 && Uses10().IsMatch(code)) violations.Add($"{Repository.Relative(file)} uses AMQP 1.0");
            if (is10 && Uses091().IsMatch(code)) violations.Add($"{Repository.Relative(file)} uses AMQP 0-9-1");
        }
        violations.ShouldBeEmpty();
    }

    [Fact]
    public void Namespaces_are_those_of_the_folders()
    {
        List<string> violations = [];
        foreach (string file in Repository.Sources("src"))
        {
            string[] parts = Repository.Relative(file).Split('/')[1..^1];
            Match declared = NamespaceDeclaration().Match(File.ReadAllText(file));
            if (declared.Success && declared.Groups[1].Value != string.Join('.', parts))
                violations.Add($"{Repository.Relative(file)} is in {declared.Groups[1].Value}");
        }
        violations.ShouldBeEmpty();
    }

    private static IEnumerable<string> References(string projectFile) =>
        XDocument.Load(projectFile).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(((string)r.Attribute("Include")!).Replace('\\', '/')));

    [GeneratedRegex(@"\b(Harrier\.[A-Z][A-Za-z]*)\b")]
    private static partial Regex NamespaceUse();

    [GeneratedRegex(@"\b(V10|Amqp10)\b")]
    private static partial Regex Uses10();

    [GeneratedRegex(@"\b(V091|Amqp091)\b")]
    private static partial Regex Uses091();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();
}
