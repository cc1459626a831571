using System.Text;
using System.Text.RegularExpressions;
using FsCheck.Fluent;
using Harrier.Broker.Filters;
using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

public class LikeTests
{
    private static readonly Message Sample = SampleMessage.Create();

    [Theory]
    [InlineData("color LIKE 'red'", true)]
    [InlineData("color LIKE 're'", false)]
    [InlineData("color LIKE 'r%'", true)]
    [InlineData("color LIKE '%d'", true)]
    [InlineData("color LIKE '%e%'", true)]
    [InlineData("color LIKE 'r_d'", true)]
    [InlineData("color LIKE 'r__d'", false)]
    [InlineData("color LIKE '%%%'", true)]
    [InlineData("color LIKE '%re_'", true)]
    [InlineData("color NOT LIKE 'b%'", true)]
    [InlineData("empty LIKE ''", true)]
    [InlineData("empty LIKE '%'", true)]
    [InlineData("empty LIKE '_'", false)]
    [InlineData("name LIKE 'Zo_ ____ _'", true)]
    [InlineData("name LIKE '%__________'", true)]
    [InlineData("name LIKE '%___________'", false)]
    [InlineData("name LIKE '%100!% %' ESCAPE '!'", true)]
    [InlineData("name LIKE '%10!%%' ESCAPE '!'", false)]
    [InlineData("'_foo' LIKE '\\_%' ESCAPE '\\'", true)]
    [InlineData("'bar' LIKE '\\_%' ESCAPE '\\'", false)]
    [InlineData("'a!b' LIKE 'a!!b' ESCAPE '!'", true)]
    [InlineData("'ab' LIKE 'a%b' ESCAPE '%'", true)]
    [InlineData("'axb' LIKE 'a%b' ESCAPE '%'", false)]
    [InlineData("'%' LIKE '鷹%' ESCAPE '鷹'", true)]
    [InlineData("'a\nb' LIKE 'a_b'", true)]
    [InlineData("'.*' LIKE '.*'", true)]
    [InlineData("'abc' LIKE '.*'", false)]
    public void Examples(string expression, bool matches)
    {
        new MessageSelector(expression).Matches(Sample).ShouldBe(matches);
        new SqlFilter(expression).Matches(Sample).ShouldBe(matches);
    }

    [Fact]
    public void It_matches_as_a_regular_expression_would()
    {
        var words = Gen.Elements("a", "b", "ab", "é", "鷹", "%", "_", "!%", "!_", "!!").ArrayOf().Select(string.Concat);
        var texts = Gen.Elements("a", "b", "é", "鷹", "%", "_", "!").ArrayOf().Select(string.Concat);
        Properties.ForAll(words.Zip(texts), pair =>
        {
            (string pattern, string text) = pair;
            string regex = Regex.Replace(pattern, "!(.)|%|_|.", m => m.Groups[1].Success ? Regex.Escape(m.Groups[1].Value) : m.Value switch
            {
                "%" => ".*",
                "_" => ".",
                _ => Regex.Escape(m.Value),
            });
            LikePattern.Create(pattern, new Rune('!')).ShouldNotBeNull().Matches(Encoding.UTF8.GetBytes(text))
                .ShouldBe(Regex.IsMatch(text, $@"\A(?:{regex})\z"), $"'{text}' LIKE '{pattern}'");
        }, runs: 5_000, size: 12);
    }

    [Fact]
    public void What_is_no_UTF_8_can_be_asked_about() => Properties.ForAll(Gen.Choose(0, 255).ArrayOf(), octets =>
    {
        byte[] text = [.. octets.Select(o => (byte)o)];
        LikePattern.Create("%_%a%", null).ShouldNotBeNull().Matches(text);
        LikePattern.Create("%", null).ShouldNotBeNull().Matches(text).ShouldBeTrue();
    });

    [Fact]
    public void The_worst_pattern_ends()
    {
        string pattern = string.Concat(Enumerable.Repeat("%a", 300)) + "%" + new string('a', 400) + "b";
        LikePattern.Create(pattern, null).ShouldNotBeNull().Matches(Encoding.UTF8.GetBytes(new string('a', 65_536))).ShouldBeFalse();
    }
}
