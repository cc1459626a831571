using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>What selectors and SQL filters have in common.</summary>
public class ExpressionTests
{
    private static readonly Message Sample = SampleMessage.Create();

    [Theory]
    [InlineData("TRUE", 1)]
    [InlineData("false", -1)]
    [InlineData("t", 1)]
    [InlineData("f", -1)]
    [InlineData("missing", 0)]
    [InlineData("color", 0)]
    [InlineData("color = 'red'", 1)]
    [InlineData("color = 'Red'", -1)]
    [InlineData("color <> 'red'", -1)]
    [InlineData("color != 'blue'", 1)]
    [InlineData("'red' = color", 1)]
    [InlineData("color < 'ree'", 1)]
    [InlineData("color >= 'red'", 1)]
    [InlineData("empty = ''", 1)]
    [InlineData("empty IS NULL", -1)]
    [InlineData("'it''s' = 'it''s'", 1)]
    [InlineData("'it''s' LIKE '____'", 1)]
    [InlineData("size = 10", 1)]
    [InlineData("size = 10.0", 1)]
    [InlineData("size <> 10", -1)]
    [InlineData("size < 11 AND size > 9 AND size <= 10 AND size >= 10", 1)]
    [InlineData("price > 2", 1)]
    [InlineData("price = 2.5", 1)]
    [InlineData("price = 25E-1", 1)]
    [InlineData("at = 1700000000460", 1)]
    [InlineData("t = TRUE", 1)]
    [InlineData("t <> f", 1)]
    public void Comparisons(string expression, int truth) => Check(expression, truth);

    // "If the comparison of non-like type values is attempted, the value of the operation is false"; its opposite is true, as in RabbitMQ and ActiveMQ.
    [Theory]
    [InlineData("color = 1", -1)]
    [InlineData("color <> 1", 1)]
    [InlineData("color < 1", -1)]
    [InlineData("color > 1", -1)]
    [InlineData("t = 1", -1)]
    [InlineData("t > f", -1)]
    [InlineData("list = 1", -1)]
    [InlineData("list = list", -1)]
    [InlineData("list IS NOT NULL", 1)]
    [InlineData("nan = nan", -1)]
    [InlineData("nan <> nan", 1)]
    [InlineData("nan < 1", -1)]
    [InlineData("nan >= 1", -1)]
    public void Values_that_cannot_be_compared(string expression, int truth) => Check(expression, truth);

    [Theory]
    [InlineData("missing = 1", 0)]
    [InlineData("missing <> 1", 0)]
    [InlineData("missing = missing", 0)]
    [InlineData("nothing = 1", 0)]
    [InlineData("nothing IS NULL", 1)]
    [InlineData("missing IS NULL", 1)]
    [InlineData("missing is not null", -1)]
    [InlineData("color IS NULL", -1)]
    [InlineData("missing + 1 IS NULL", 1)]
    [InlineData("missing LIKE '%'", 0)]
    [InlineData("missing NOT LIKE '%'", 0)]
    [InlineData("missing IN ('a')", 0)]
    [InlineData("missing NOT IN ('a')", 0)]
    [InlineData("missing * 2 < 3", 0)]
    [InlineData("-missing < 3", 0)]
    public void The_unknown(string expression, int truth) => Check(expression, truth);

    [Theory]
    [InlineData("color IN ('blue', 'red')", 1)]
    [InlineData("color IN ('blue')", -1)]
    [InlineData("color NOT IN ('blue')", 1)]
    [InlineData("size IN (1, 5 + 5)", 1)]
    [InlineData("size IN ('10')", -1)]
    [InlineData("color IN (missing, 'red')", 1)]
    [InlineData("color IN (missing)", -1)]
    [InlineData("color in('red')", 1)]
    public void Lists(string expression, int truth) => Check(expression, truth);

    [Theory]
    [InlineData("1 + 2 * 3 = 7", 1)]
    [InlineData("(1 + 2) * 3 = 9", 1)]
    [InlineData("10 - 2 - 3 = 5", 1)]
    [InlineData("2 * 3 % 4 = 2", 1)]
    [InlineData("7 % 0 = 1", 0)]
    [InlineData("7 % 1.5 = 1", 0)]
    [InlineData("-7 % 4 = -3", 1)]
    [InlineData("least % -1 = 0", 1)]
    [InlineData("1 / 0 = 1", 0)]
    [InlineData("1.0 / 0 = 1", 0)]
    [InlineData("1 / 0.0 > 1", 0)]
    [InlineData("7.0 / 2 = 3.5", 1)]
    [InlineData("6 / 2 = 3", 1)]
    [InlineData("least / -1 > 0", 1)]
    [InlineData("big + 1 >= big", 1)]
    [InlineData("big + 1 = 9223372036854775808", 1)]
    [InlineData("least - 1 < 0", 1)]
    [InlineData("big * big > big", 1)]
    [InlineData("-least > 0", 1)]
    [InlineData("least = -9223372036854775808", 1)]
    [InlineData("big = 9223372036854775807", 1)]
    [InlineData("--size = 10", 1)]
    [InlineData("- + -size = +10", 1)]
    [InlineData("size-1=9", 1)]
    [InlineData("color + 1 = 2", 0)]
    [InlineData("-color = 1", 0)]
    [InlineData("t + 1 = 2", 0)]
    [InlineData("size + price = 12.5", 1)]
    [InlineData("size * price = 25", 1)]
    public void Arithmetic(string expression, int truth) => Check(expression, truth);

    [Theory]
    [InlineData("t OR f AND f", 1)]
    [InlineData("(t OR f) AND f", -1)]
    [InlineData("NOT f AND t", 1)]
    [InlineData("NOT t OR t", 1)]
    [InlineData("NOT (t OR t)", -1)]
    [InlineData("NOT size = 11", 1)]
    [InlineData("NOT NOT t", 1)]
    [InlineData("not color in ('red') or size=10", 1)]
    [InlineData("size + 1 > 10 and color = 'red'", 1)]
    [InlineData("((((t))))", 1)]
    [InlineData(" \t\r\n\fsize\n=\n10 ", 1)]
    public void Precedence(string expression, int truth) => Check(expression, truth);

    [Fact]
    public void Logic_has_three_values()
    {
        (string Text, Truth Truth)[] values =
            [("t", Truth.True), ("f", Truth.False), ("missing", Truth.Unknown), ("color", Truth.Unknown), ("missing = 1", Truth.Unknown)];
        foreach ((string left, Truth l) in values)
        {
            Check($"NOT {left}", -ToInteger(l));
            foreach ((string right, Truth r) in values)
            {
                Check($"{left} AND {right}", Math.Min(ToInteger(l), ToInteger(r)));
                Check($"{left} OR {right}", Math.Max(ToInteger(l), ToInteger(r)));
                Check($"{left} AND {right} AND t", Math.Min(ToInteger(l), ToInteger(r)));
                Check($"{left} OR {right} OR f", Math.Max(ToInteger(l), ToInteger(r)));
            }
        }
    }

    private static void Check(string expression, int truth)
    {
        SampleMessage.Ask(text => new MessageSelector(text), expression, Sample).ShouldBe((Truth)(truth + 1), $"selector {expression}");
        SampleMessage.Ask(text => new SqlFilter(text), expression, Sample).ShouldBe((Truth)(truth + 1), $"SQL {expression}");
    }

    private static int ToInteger(Truth truth) => (int)truth - 1;
}
