using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class HeadersTableTests
{
    private static readonly Queue Queue = new TestQueues().Create();

    private static readonly Gen<ArgumentValue> Values = Gen.Elements(
        Int(1), ArgumentValue.OfInteger(ArgumentKind.UnsignedByte, 1), Int(2), ArgumentValue.OfReal(ArgumentKind.Double, 1),
        ArgumentValue.OfReal(ArgumentKind.Float, 1), ArgumentValue.Of("1"), ArgumentValue.Of("x"), ArgumentValue.Of(true), Void);

    private static readonly Gen<Argument[]> Arguments =
        Gen.Elements("a", "b", "x-c", "x-d").Zip(Values, (name, value) => new Argument(name, value)).ArrayOf()
            .Select(all => all.DistinctBy(a => a.Name).ToArray());

    private static ArgumentValue Void => ArgumentValue.OfInteger(ArgumentKind.Void, 0);

    [Fact]
    public void It_matches_as_note_50_says() =>
        Properties.ForAll(Gen.Elements(null, "all", "any", "all-with-x", "any-with-x").Zip(Arguments.Zip(Arguments)), generated =>
        {
            var (match, (wanted, headers)) = generated;
            Argument[] arguments = match is null ? wanted : [.. wanted, new Argument("x-match", ArgumentValue.Of(match))];
            Matches(arguments, headers).ShouldBe(Expected(match ?? "all", wanted, headers));
        }, runs: 5_000, size: 6);

    [Theory]
    [InlineData("all", true)]
    [InlineData("any", false)]
    [InlineData("all-with-x", true)]
    [InlineData("any-with-x", false)]
    public void Without_arguments_all_matches_everything_and_any_nothing(string match, bool expected)
    {
        Argument[] arguments = [new("x-match", ArgumentValue.Of(match))];
        Matches(arguments, []).ShouldBe(expected);
        Matches(arguments, [new Argument("a", Int(1))]).ShouldBe(expected);
    }

    [Fact]
    public void A_whole_number_matches_in_any_width_and_a_float_is_none()
    {
        Argument[] wanted = [new("a", Int(5))];
        Matches(wanted, [new Argument("a", ArgumentValue.OfInteger(ArgumentKind.SignedShort, 5))]).ShouldBeTrue();
        Matches(wanted, [new Argument("a", ArgumentValue.OfReal(ArgumentKind.Double, 5))]).ShouldBeFalse();
        Matches(wanted, [new Argument("a", ArgumentValue.Of("5"))]).ShouldBeFalse();
    }

    [Fact]
    public void A_void_value_asks_for_presence_only()
    {
        Argument[] wanted = [new("a", Void)];
        Matches(wanted, [new Argument("a", ArgumentValue.Of("anything"))]).ShouldBeTrue();
        Matches(wanted, [new Argument("b", Int(1))]).ShouldBeFalse();
    }

    [Fact]
    public void Routes_through_headers_are_not_to_be_remembered_by_their_key()
    {
        var routes = new RouteSet(1);
        HeadersTable.Empty.Match("k", TestMessages.Create(), routes);
        routes.IsForThisMessageOnly.ShouldBeTrue();
        routes.Clear();
        routes.IsForThisMessageOnly.ShouldBeFalse();
    }

    [Fact]
    public void Unbinding_takes_away_the_binding_with_those_arguments_only()
    {
        Binding one = Bind([new("a", Int(1))]), two = Bind([new("a", Int(2))]);
        IBindingTable table = HeadersTable.Empty.With(one).With(two).Without(one);
        Route(table, [new Argument("a", Int(1))]).ShouldBeFalse();
        Route(table, [new Argument("a", Int(2))]).ShouldBeTrue();
    }

    private static ArgumentValue Int(long value) => ArgumentValue.OfInteger(ArgumentKind.SignedInt, value);

    private static Binding Bind(Argument[] arguments) => new("x", new Destination(Queue), "", new ArgumentTable(arguments));

    private static bool Matches(Argument[] arguments, Argument[] headers) => Route(HeadersTable.Empty.With(Bind(arguments)), headers);

    private static bool Route(IBindingTable table, Argument[] headers)
    {
        var routes = new RouteSet(1);
        table.Match("", TestMessages.Create(headers: headers), routes);
        return routes.Count == 1;
    }

    private static bool Expected(string match, Argument[] wanted, Argument[] headers)
    {
        IEnumerable<Argument> counted = wanted.Where(w => match.EndsWith("-with-x", StringComparison.Ordinal) || !w.Name.StartsWith("x-", StringComparison.Ordinal));
        bool Found(Argument w) => headers.Any(h => h.Name == w.Name && (w.Value.Kind == ArgumentKind.Void || Comparable(h.Value) == Comparable(w.Value)));
        return match.StartsWith("all", StringComparison.Ordinal) ? counted.All(Found) : counted.Any(Found);
    }

    private static string Comparable(ArgumentValue value) => value.Kind switch
    {
        ArgumentKind.Text => "text " + value.Text,
        ArgumentKind.Boolean => "boolean " + value.Integer,
        ArgumentKind.Void => "void",
        ArgumentKind.Float or ArgumentKind.Double => "real " + value.Real,
        _ => "whole " + value.Integer,
    };
}
