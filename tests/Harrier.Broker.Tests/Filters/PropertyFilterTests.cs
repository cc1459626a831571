using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

public class PropertyFilterTests
{
    private static readonly Message Sample = SampleMessage.Create();

    [Theory]
    [InlineData("message-id", "m-1", true)]
    [InlineData("message-id", "m-2", false)]
    [InlineData("message-id", "&p:m", true)]
    [InlineData("user-id", "Bob", true)]
    [InlineData("to", "&s:/q", true)]
    [InlineData("subject", "Order.Created", true)]
    [InlineData("subject", "order.created", false)]
    [InlineData("subject", "&p:Order", true)]
    [InlineData("subject", "&p:", true)]
    [InlineData("subject", "&p:Created", false)]
    [InlineData("subject", "&s:Created", true)]
    [InlineData("subject", "&s:The Order.Created", false)]
    [InlineData("subject", "&&p:Order", false)]
    [InlineData("subject", "$p:Order", false)]
    [InlineData("reply-to", "&p:", false)]
    [InlineData("content-type", "application/json", true)]
    [InlineData("content-encoding", "gzip", false)]
    [InlineData("correlation-id", "77", false)]
    [InlineData("group-id", "Group A", true)]
    [InlineData("reply-to-group-id", "Group A", false)]
    public void Texts_of_properties(string name, string expected, bool matches) =>
        new PropertiesFilter([new Argument(name, ArgumentValue.Of(expected))]).Matches(Sample).ShouldBe(matches);

    [Fact]
    public void Other_values_of_properties()
    {
        (string Name, ArgumentValue Expected, bool Matches)[] cases =
        [
            ("correlation-id", ArgumentValue.Of(77), true),
            ("correlation-id", ArgumentValue.OfInteger(ArgumentKind.UnsignedByte, 77), true),
            ("correlation-id", ArgumentValue.OfReal(ArgumentKind.Float, 77), true),
            ("correlation-id", ArgumentValue.Of(78), false),
            ("group-sequence", ArgumentValue.OfInteger(ArgumentKind.UnsignedInt, 9), true),
            ("creation-time", ArgumentValue.Of(1_753_365_622_460), true),
            ("creation-time", ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1_753_365_622), false),
            ("absolute-expiry-time", ArgumentValue.OfInteger(ArgumentKind.Timestamp, 0), false),
            ("user-id", ArgumentValue.OfBytes(ArgumentKind.Bytes, "Bob"u8), true),
            ("user-id", ArgumentValue.OfBytes(ArgumentKind.Bytes, "&p:B"u8), false),
            ("subject", ArgumentValue.Of(1), false),
            ("subject", default, true),
            ("reply-to", default, true),
        ];
        foreach ((string name, ArgumentValue expected, bool matches) in cases)
            new PropertiesFilter([new Argument(name, expected)]).Matches(Sample).ShouldBe(matches, $"{name} {expected.Kind} {expected.Text}");
    }

    [Fact]
    public void Values_of_application_properties()
    {
        (string Name, ArgumentValue Expected, bool Matches)[] cases =
        [
            ("color", ArgumentValue.Of("red"), true),
            ("color", ArgumentValue.Of("&p:r"), true),
            ("color", ArgumentValue.Of("&s:d"), true),
            ("color", ArgumentValue.Of("&s:r"), false),
            ("color", default, true),
            ("nothing", default, true),
            ("nothing", ArgumentValue.Of(1), false),
            ("missing", default, false),
            ("missing", ArgumentValue.Of("&p:"), false),
            ("size", ArgumentValue.Of(10), true),
            ("size", ArgumentValue.OfReal(ArgumentKind.Double, 10), true),
            ("size", ArgumentValue.Of("10"), false),
            ("price", ArgumentValue.OfReal(ArgumentKind.Float, 2.5), true),
            ("price", ArgumentValue.Of(2), false),
            ("t", ArgumentValue.Of(true), true),
            ("t", ArgumentValue.Of(1), false),
            ("list", ArgumentValue.Of("&p:"), false),
            ("at", ArgumentValue.Of(1_700_000_000_460), true),
            ("at", ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1_700_000_000), false),
        ];
        foreach ((string name, ArgumentValue expected, bool matches) in cases)
            new ApplicationPropertiesFilter([new Argument(name, expected)]).Matches(Sample).ShouldBe(matches, $"{name} {expected.Kind} {expected.Text}");
    }

    [Fact]
    public void An_ampersand_in_front_is_doubled()
    {
        var filter = new ApplicationPropertiesFilter([new Argument("a", ArgumentValue.Of("&&p:x"))]);
        filter.Matches(SampleMessage.Create([("a", ArgumentValue.Of("&p:x"))])).ShouldBeTrue();
        filter.Matches(SampleMessage.Create([("a", ArgumentValue.Of("x"))])).ShouldBeFalse();
    }

    [Fact]
    public void All_fields_must_match()
    {
        var filter = new PropertiesFilter([new Argument("subject", ArgumentValue.Of("&p:Order")), new Argument("to", ArgumentValue.Of("/queues/q"))]);
        filter.Matches(Sample).ShouldBeTrue();
        filter.Text.ShouldBe("properties: subject = &p:Order, to = /queues/q");
        new PropertiesFilter([new Argument("subject", ArgumentValue.Of("&p:Order")), new Argument("to", ArgumentValue.Of("/"))])
            .Matches(Sample).ShouldBeFalse();
    }

    [Fact]
    public void What_no_field_can_be_is_refused()
    {
        Should.Throw<FilterException>(() => new PropertiesFilter([])).Message.ShouldBe("a property filter has 1 to 16 fields, and not 0");
        Should.Throw<FilterException>(() => new ApplicationPropertiesFilter(Fields(17))).Message.ShouldBe("a property filter has 1 to 16 fields, and not 17");
        Should.NotThrow(() => new ApplicationPropertiesFilter(Fields(16)));
        Should.Throw<FilterException>(() => new PropertiesFilter([new Argument("colour", default)])).Message.ShouldBe("there is no property 'colour'");
        Should.Throw<FilterException>(() => new PropertiesFilter([new Argument("message_id", default)]));
        Should.Throw<FilterException>(() => new PropertiesFilter([new Argument("subject", ArgumentValue.Of("&x"))]));
        Should.Throw<FilterException>(() => new ApplicationPropertiesFilter([new Argument("a", ArgumentValue.Of("&"))]));
        Should.Throw<FilterException>(() => new ApplicationPropertiesFilter([new Argument("a", ArgumentValue.Of(Array.Empty<ArgumentValue>()))]));
        Should.Throw<FilterException>(() => new ApplicationPropertiesFilter([new Argument("a", ArgumentValue.Of(ArgumentTable.Empty))]));
    }

    [Fact]
    public void Of_several_filters_all_must_match()
    {
        IMessageFilter yes = new MessageSelector("TRUE"), no = new SqlFilter("color = 'blue'");
        new FilterSet().Matches(Sample).ShouldBeTrue();
        new FilterSet(yes).Matches(Sample).ShouldBeTrue();
        new FilterSet(yes, no).Matches(Sample).ShouldBeFalse();
        new FilterSet(yes, no).Text.ShouldBe("TRUE; color = 'blue'");
        Should.Throw<FilterException>(() => new FilterSet([.. Enumerable.Repeat(yes, FilterLimits.FiltersMax + 1)]));
    }

    private static Argument[] Fields(int count) => [.. Enumerable.Range(0, count).Select(i => new Argument($"f{i}", ArgumentValue.Of(i)))];
}
