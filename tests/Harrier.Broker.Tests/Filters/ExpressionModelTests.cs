using FsCheck.Fluent;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>Any expression over any headers says what the plainest evaluation says.</summary>
public class ExpressionModelTests
{
    [Fact]
    public void A_selector_says_what_the_reference_says() => Compare(text => new MessageSelector(text), dividesExactly: false);

    [Fact]
    public void An_SQL_filter_says_what_the_reference_says() => Compare(text => new SqlFilter(text), dividesExactly: true);

    private static void Compare(Func<string, IMessageFilter> create, bool dividesExactly) =>
        Properties.ForAll(ReferenceExpression.Conditions(dividesExactly, 3).Zip(ReferenceExpression.Headers), sample =>
        {
            (ReferenceExpression expression, (string Name, ArgumentValue Value)[] headers) = sample;
            Truth truth = expression.Evaluate(headers.ToDictionary(h => h.Name, h => AsObject(h.Value))) switch
            {
                true => Truth.True,
                false => Truth.False,
                _ => Truth.Unknown,
            };
            SampleMessage.Ask(create, expression.Text, SampleMessage.Create(headers))
                .ShouldBe(truth, $"{expression.Text} of {string.Join(", ", headers.Select(h => $"{h.Name} = {h.Value.Text}"))}");
        }, runs: 10_000);

    private static object? AsObject(ArgumentValue value) => value.Kind switch
    {
        ArgumentKind.SignedLong => value.Integer,
        ArgumentKind.Double => value.Real,
        ArgumentKind.Text => value.Text,
        ArgumentKind.Boolean => value.Integer != 0,
        _ => null,
    };
}
