using System.Reflection;

namespace Harrier.Amqp.Tests;

/// <summary>
/// Every behaviour note from 1 to 116 has a test with its number as trait, or stands here with the reason why not.
/// </summary>
public class NoteCoverage
{
    private const int Last = 116;

    private static readonly Dictionary<int, string> WithoutTest = new()
    {
        [52] = "Limits on the number of queues and exchanges are not built yet: nothing can set one.",
    };

    [Fact]
    public void Every_note_has_a_test_or_a_reason()
    {
        HashSet<int> tested = TestedNotes();
        int[] missing = [.. Enumerable.Range(1, Last).Where(n => !tested.Contains(n) && !WithoutTest.ContainsKey(n))];
        missing.ShouldBeEmpty();
    }

    [Fact]
    public void No_note_has_both()
    {
        WithoutTest.Keys.Intersect(TestedNotes()).ShouldBeEmpty();
    }

    private static HashSet<int> TestedNotes() =>
    [
        .. typeof(NoteCoverage).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().SelectMany(method => Traits(method).Concat(Traits(type))))
            .Select(int.Parse),
    ];

    private static IEnumerable<string> Traits(MemberInfo member) => member.GetCustomAttributesData()
        .Where(a => a.AttributeType == typeof(TraitAttribute) && Equals(a.ConstructorArguments[0].Value, "Note"))
        .Select(a => (string)a.ConstructorArguments[1].Value!);
}
