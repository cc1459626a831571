using FsCheck.Fluent;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>What is no expression is refused, and nothing worse.</summary>
public class FilterRefusalTests
{
    private static readonly string[] Words =
    [
        "a", "color", "amqp.subject", "amqp.x", "p.subject", "p.x", "h.priority", "JMSPriority", "AND", "or", "NOT", "BETWEEN", "LIKE", "IN", "IS", "NULL",
        "ESCAPE", "TRUE", "false", "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "(", ")", ",", "'a%'", "''", "\"b\"", "[c]", "'!'", "1",
        "0x1F", "017", "2.5", ".5", "1e3", "1L", "9223372036854775808", "'", "\"", "[", "]", "!", "鷹", "\ud83e\udd85", "\0", "1e999", "UTC()", ".", "$x", "_",
    ];

    private const string Whole =
        "NOT ( color = 'a%' AND a NOT IN ( 1 , 2.5 , 'x' ) ) OR a + 1 * - 2 BETWEEN 0x1F AND 017 OR color NOT LIKE '!%' ESCAPE '!' AND a IS NOT NULL";

    [Theory]
    [InlineData("", "expected a name, a literal or ( at character 1, but found the end")]
    [InlineData("  ", "expected a name, a literal or ( at character 3, but found the end")]
    [InlineData("a =", "expected a name, a literal or ( at character 4, but found the end")]
    [InlineData("a = 1 b", "expected an operator or the end at character 7, but found 'b'")]
    [InlineData("a = b = c", "expected an operator or the end at character 7, but found '= c'")]
    [InlineData("(a = 1", "expected ) at character 7, but found the end")]
    [InlineData("a = 1)", "expected an operator or the end at character 6, but found ')'")]
    [InlineData("a = 'x", "expected something that ends with ' at character 5, but found ''x'")]
    [InlineData("a # 1", "expected a name, a literal or an operator at character 3, but found '# 1'")]
    [InlineData("1 + 2", "expected a condition at character 1, but found '1 + 2'")]
    [InlineData("a AND 'x'", "expected a condition at character 7, but found ''x''")]
    [InlineData("'x' AND a", "expected a condition at character 1, but found ''x' AND a'")]
    [InlineData("NOT 5", "expected a condition at character 5, but found '5'")]
    [InlineData("a NOT 5", "expected LIKE, IN or BETWEEN at character 7, but found '5'")]
    [InlineData("a IS 5", "expected NULL at character 6, but found '5'")]
    [InlineData("a = NULL", "expected a name, a literal or ( at character 5, but found 'NULL'")]
    [InlineData("a LIKE 5", "expected a text at character 8, but found '5'")]
    [InlineData("a LIKE b", "expected a text at character 8, but found 'b'")]
    [InlineData("a LIKE 'x' ESCAPE '!!'", "expected a text of one character at character 19, but found ''!!''")]
    [InlineData("a LIKE 'x!' ESCAPE '!'", "expected a pattern in which every escape escapes something at character 8, but found ''x!' ESCAPE '!''")]
    [InlineData("a IN ()", "expected a name, a literal or ( at character 7, but found ')'")]
    [InlineData("a IN 1", "expected ( at character 6, but found '1'")]
    [InlineData("a IN (1 2)", "expected , or ) at character 9, but found '2)'")]
    [InlineData("a IN (1", "expected , or ) at character 8, but found the end")]
    [InlineData("a = 12b", "expected a number at character 5, but found '12b'")]
    [InlineData("a = 1.2.3", "expected a number at character 5, but found '1.2.3'")]
    [InlineData("a = 1e999", "expected a number that fits 64 bits at character 5, but found '1e999'")]
    [InlineData("f(1)", "expected an operator, for there are no functions, at character 2, but found '(1)'")]
    public void Both_languages_say_where_and_why(string expression, string text)
    {
        Should.Throw<FilterException>(() => new MessageSelector(expression)).Message.ShouldBe(text);
        Should.Throw<FilterException>(() => new SqlFilter(expression)).Message.ShouldBe(text);
    }

    [Theory]
    [InlineData("amqp.color = 1", "expected a field that messages have at character 1, but found 'amqp.color = 1'")]
    [InlineData("a = 08", "expected an octal number that fits 64 bits at character 5, but found '08'")]
    [InlineData("a = 0x", "expected a hexadecimal number that fits 64 bits at character 5, but found '0x'")]
    [InlineData("a = 0xFFFFFFFFFFFFFFFF", "expected a hexadecimal number that fits 64 bits at character 5, but found '0xFFFFFFFFFFFFFFFF'")]
    [InlineData("a BETWEEN 1 OR 2", "expected AND at character 13, but found 'OR 2'")]
    [InlineData("[a] = 1", "expected a name, a literal or an operator at character 1, but found '[a] = 1'")]
    [InlineData("\"\" = 1", "expected a name at character 1, but found '\"\" = 1'")]
    public void A_selector_says_where_and_why(string selector, string text) =>
        Should.Throw<FilterException>(() => new MessageSelector(selector)).Message.ShouldBe(text);

    [Fact]
    public void Only_so_many_characters()
    {
        string longest = "a = '" + new string('x', FilterLimits.ExpressionLengthMax - 6) + "'";
        new MessageSelector(longest).Text.ShouldBe(longest);
        Should.Throw<FilterException>(() => new MessageSelector(longest + " "));
    }

    [Fact]
    public void Only_so_many_words()
    {
        string longest = "a" + Repeat(" or a", FilterLimits.TokensMax / 2 - 1);
        new SqlFilter(longest).Matches(SampleMessage.Create([("a", ArgumentValue.Of(true))])).ShouldBeTrue();
        Should.Throw<FilterException>(() => new SqlFilter(longest + " or a")).Message.ShouldStartWith($"expected at most {FilterLimits.TokensMax} words");
    }

    [Fact]
    public void Only_so_deep()
    {
        (Func<int, string> Build, int LevelsMax)[] nested =
        [
            (levels => Repeat("(", levels) + "a" + Repeat(")", levels), FilterLimits.DepthMax),
            (levels => Repeat("NOT ", levels) + "a", FilterLimits.DepthMax - 1),
            (levels => Repeat("-", levels) + "1 = 1", FilterLimits.DepthMax - 2),
            (levels => "1" + Repeat("+1", levels) + " = 1", FilterLimits.DepthMax - 2),
            (levels => "1" + Repeat("*1", levels) + " = 1", FilterLimits.DepthMax - 2),
            (levels => Repeat("NOT (-(", levels / 4) + "a" + Repeat(") = 1)", levels / 4), FilterLimits.DepthMax),
        ];
        Message message = SampleMessage.Create();
        foreach ((Func<int, string> build, int levelsMax) in nested)
        {
            new MessageSelector(build(levelsMax)).Matches(message);
            foreach (int levels in new[] { levelsMax + 4, 1_500 })
            {
                Should.Throw<FilterException>(() => new MessageSelector(build(levels)))
                    .Message.ShouldStartWith($"expected at most {FilterLimits.DepthMax} operators");
            }
        }
    }

    [Fact]
    public void Only_so_many_values_in_a_list()
    {
        string List(int count) => $"a IN ({string.Join(',', Enumerable.Range(0, count))})";
        new MessageSelector(List(FilterLimits.ListItemsMax)).Matches(SampleMessage.Create([("a", ArgumentValue.Of(1023))])).ShouldBeTrue();
        Should.Throw<FilterException>(() => new MessageSelector(List(FilterLimits.ListItemsMax + 1)));
    }

    [Fact]
    public void Only_so_long_patterns()
    {
        string Patterns(int size) => $"a LIKE '{new string('x', size / 2)}' OR b NOT LIKE '{new string('é', size / 4)}'";
        new SqlFilter(Patterns(FilterLimits.PatternsSizeMax)).Matches(SampleMessage.Create()).ShouldBeFalse();
        Should.Throw<FilterException>(() => new SqlFilter(Patterns(FilterLimits.PatternsSizeMax + 4)))
            .Message.ShouldStartWith($"expected patterns of at most {FilterLimits.PatternsSizeMax} octets");
    }

    [Fact]
    public void Any_words_are_an_expression_or_refused() =>
        Properties.ForAll(Gen.Elements(Words).ArrayOf().Select(words => string.Join(' ', words)), TryBoth, runs: 20_000, size: 14);

    [Fact]
    public void Any_characters_are_an_expression_or_refused() =>
        Properties.ForAll(
            Gen.Choose(0, 0x2FF).Select(c => (char)(c > 0x27F ? 0xD780 + c : c)).ArrayOf().Select(text => new string(text)), TryBoth, runs: 5_000, size: 40);

    /// <summary>An expression with a word taken out or put in is most often broken in one place only.</summary>
    [Fact]
    public void Broken_expressions_are_refused_or_understood()
    {
        string[] whole = Whole.Split(' ');
        Properties.ForAll(Gen.Choose(0, whole.Length - 1).Zip(Gen.Elements(Words).Zip(Gen.Choose(0, 2))), change =>
        {
            (int at, (string word, int how)) = change;
            string[] broken = how switch
            {
                0 => [.. whole[..at], .. whole[(at + 1)..]],
                1 => [.. whole[..at], word, .. whole[at..]],
                _ => [.. whole[..at], word, .. whole[(at + 1)..]],
            };
            TryBoth(string.Join(' ', broken));
        }, runs: 5_000);
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static void TryBoth(string text)
    {
        foreach (Func<string, IMessageFilter> create in (Func<string, IMessageFilter>[])[t => new MessageSelector(t), t => new SqlFilter(t)])
        {
            try
            {
                create(text).Matches(SampleMessage.Create());
            }
            catch (FilterException)
            {
                // What else it may do.
            }
        }
    }
}
