using Harrier.Broker.Security;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Security;

public class PermissionPatternTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "q", false)]
    [InlineData(".*", "", true)]
    [InlineData(".*", "anything at all", true)]
    [InlineData("q", "a queue", true)]
    [InlineData("^q", "a queue", false)]
    [InlineData("^q$", "q", true)]
    [InlineData("^amq\\.", "amq.direct", true)]
    [InlineData("^amq\\.", "amqxdirect", false)]
    [InlineData("^(a|b)-\\d+$", "b-17", true)]
    [InlineData("Q", "q", false)]
    [InlineData("^(?!amq\\.).*$", "amq.direct", false)]
    [InlineData("^(?!amq\\.).*$", "mine", true)]
    [InlineData("^(a+)\\1$", "aaaa", true)]
    public void Note_58_a_pattern_may_match_anywhere_and_an_empty_one_only_nothing(string pattern, string name, bool expected) =>
        new PermissionPattern(pattern).Matches(name).ShouldBe(expected);

    [Theory]
    [InlineData("(")]
    [InlineData("[z-a]")]
    public void What_is_no_regular_expression_is_refused(string pattern) => Should.Throw<ArgumentException>(() => new PermissionPattern(pattern));

    [Theory]
    [InlineData("^(a+)+$")]
    [InlineData("^(?=(a+)+$)(a+)+$")]
    [InlineData("^(([a-z])+.)+[A-Z]([a-z])+$")]
    [InlineData("^(a+)+\\1b$")]
    public void A_pattern_that_would_run_for_ever_does_not_match(string pattern)
    {
        string name = new string('a', 200) + "!";
        long start = TimeProvider.System.GetTimestamp();
        new PermissionPattern(pattern).Matches(name).ShouldBeFalse();
        TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5), "it is bounded, however slow the machine");
    }

    [Fact]
    public void Each_permission_has_its_own_pattern()
    {
        var permissions = new Permissions(new PermissionPattern("^c"), new PermissionPattern("^w"), new PermissionPattern("^r"));
        foreach ((Permission permission, string name) in new[] { (Permission.Configure, "c"), (Permission.Write, "w"), (Permission.Read, "r") })
        {
            foreach (string other in new[] { "c", "w", "r" }) permissions.Allows(permission, other).ShouldBe(other == name);
        }
    }
}
