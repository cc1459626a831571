using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Messages;

public class ArgumentTests
{
    private static readonly ArgumentKind[] Integers =
    [
        ArgumentKind.SignedByte, ArgumentKind.UnsignedByte, ArgumentKind.SignedShort, ArgumentKind.UnsignedShort, ArgumentKind.SignedInt,
        ArgumentKind.UnsignedInt, ArgumentKind.SignedLong,
    ];

    private static readonly Gen<ArgumentValue> Simple = Gen.OneOf(
        Gen.Elements(Integers).Zip(Gen.Choose(-1, 1), (kind, value) => ArgumentValue.OfInteger(kind, value)),
        Gen.Elements(ArgumentKind.Float, ArgumentKind.Double).Zip(Gen.Elements(0.0, 1.0, 1.5, double.NaN), ArgumentValue.OfReal),
        Gen.Elements("", "0", "1", "a").Select(ArgumentValue.Of),
        Gen.Elements(ArgumentKind.Boolean, ArgumentKind.Timestamp).Zip(Gen.Choose(0, 1), (kind, value) => ArgumentValue.OfInteger(kind, value)),
        Gen.Elements(ArgumentKind.Bytes, ArgumentKind.Decimal).Select(kind => ArgumentValue.OfBytes(kind, "0"u8)),
        Gen.Constant(ArgumentValue.OfInteger(ArgumentKind.Void, 0)));

    private static readonly Gen<ArgumentValue> Values = Gen.OneOf(
        Simple, Simple.ArrayOf().Select(ArgumentValue.Of), Simple.ArrayOf().Select(v => ArgumentValue.Of(new ArgumentTable([.. v.Select((x, i) => new Argument($"{i}", x))]))));

    [Fact]
    public void Equal_values_have_equal_hashes_and_equality_goes_both_ways() => Properties.ForAll(Values.Zip(Values), pair =>
    {
        var (a, b) = pair;
        a.Equals(b).ShouldBe(b.Equals(a));
        a.Equals(a).ShouldBeTrue();
        if (a.Equals(b)) a.GetHashCode().ShouldBe(b.GetHashCode());
    }, runs: 5_000, size: 2);

    [Fact]
    public void Zeros_of_both_signs_are_one_value_with_one_hash()
    {
        ArgumentValue plus = ArgumentValue.OfReal(ArgumentKind.Double, 0.0), minus = ArgumentValue.OfReal(ArgumentKind.Double, -0.0);
        if (plus == minus) plus.GetHashCode().ShouldBe(minus.GetHashCode());
    }

    [Fact]
    public void Whole_numbers_are_equal_whatever_their_width()
    {
        foreach (ArgumentKind kind in Integers) ArgumentValue.OfInteger(kind, 7).ShouldBe(ArgumentValue.Of(7L));
        ArgumentValue.OfReal(ArgumentKind.Double, 7).ShouldNotBe(ArgumentValue.Of(7L));
        ArgumentValue.OfReal(ArgumentKind.Double, 1.5).ShouldBe(ArgumentValue.OfReal(ArgumentKind.Float, 1.5));
        ArgumentValue.Of("7").ShouldNotBe(ArgumentValue.Of(7L));
        ArgumentValue.Of(true).ShouldNotBe(ArgumentValue.Of(1L));
    }

    [Fact]
    public void Tables_are_equal_in_any_order()
    {
        Argument a = new("a", ArgumentValue.Of(1L)), b = new("b", ArgumentValue.Of("x"));
        ArgumentTable one = new(a, b), other = new(b, a);
        one.Equals(other).ShouldBeTrue();
        one.GetHashCode().ShouldBe(other.GetHashCode());
        new ArgumentTable(a).Equals(one).ShouldBeFalse();
        new ArgumentTable(a, new Argument("b", ArgumentValue.Of("y"))).Equals(one).ShouldBeFalse();
    }

    [Fact]
    public void The_first_of_two_arguments_of_a_name_counts()
    {
        var table = new ArgumentTable(new Argument("a", ArgumentValue.Of(1L)), new Argument("a", ArgumentValue.Of(2L)));
        table.TryGet("a", out ArgumentValue value).ShouldBeTrue();
        value.Integer.ShouldBe(1);
        table.TryGet("A", out _).ShouldBeFalse("names are case-sensitive");
        table.TryGetText("a", out string? text).ShouldBeFalse("it is no text");
        text.ShouldBeNull();
    }

    [Theory]
    [InlineData(ArgumentKind.SignedInt, "signedint")]
    [InlineData(ArgumentKind.SignedLong, "long")]
    [InlineData(ArgumentKind.SignedByte, "byte")]
    [InlineData(ArgumentKind.UnsignedByte, "unsignedbyte")]
    [InlineData(ArgumentKind.SignedShort, "short")]
    [InlineData(ArgumentKind.UnsignedShort, "unsignedshort")]
    [InlineData(ArgumentKind.UnsignedInt, "unsignedint")]
    [InlineData(ArgumentKind.Boolean, "bool")]
    [InlineData(ArgumentKind.Timestamp, "timestamp")]
    [InlineData(ArgumentKind.Void, "void")]
    public void Types_have_the_names_that_RabbitMQ_shows(ArgumentKind kind, string name) => ArgumentValue.OfInteger(kind, 0).TypeName.ShouldBe(name);
}
