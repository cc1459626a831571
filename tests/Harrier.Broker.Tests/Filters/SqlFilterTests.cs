using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>What only SQL filters have.</summary>
public class SqlFilterTests
{
    private static readonly Message Sample = SampleMessage.Create();

    [Theory]
    [InlineData("header.priority = 4", 1)]
    [InlineData("h.priority > 4", -1)]
    [InlineData("h.durable", 1)]
    [InlineData("properties.message_id = 'm-1'", 1)]
    [InlineData("p.user_id = 0x426F62", 1)]
    [InlineData("p.user_id = 'Bob'", 1)]
    [InlineData("p.to = '/queues/q'", 1)]
    [InlineData("p.subject LIKE 'Order%'", 1)]
    [InlineData("p.reply_to IS NULL", 1)]
    [InlineData("p.correlation_id = 77", 1)]
    [InlineData("p.content_type = 'application/json'", 1)]
    [InlineData("p.content_encoding IN ('gzip', 'zstd')", 0)]
    [InlineData("p.absolute_expiry_time > 1", 0)]
    [InlineData("p.creation_time < 1753365622461", 1)]
    [InlineData("p.group_id = 'Group A' AND p.group_sequence % 3 = 0", 1)]
    [InlineData("p.reply_to_group_id = 'Group B'", 0)]
    [InlineData("application_properties.color = 'red' AND a.color = 'red' AND color = 'red'", 1)]
    [InlineData("[color] = 'red'", 1)]
    [InlineData("[order-status] = 'new'", 1)]
    [InlineData("[p.subject] IS NULL", 1)]
    [InlineData("[AND] IS NULL", 1)]
    [InlineData("between IS NULL", 1)]
    [InlineData("JMSPriority IS NULL", 1)]
    public void Names(string expression, int truth) => Check(expression, truth);

    [Theory]
    [InlineData("octets = 0x000AFF", 1)]
    [InlineData("color = 0x726564", 1)]
    [InlineData("octets = 0x000A", -1)]
    [InlineData("color = \"red\"", 1)]
    [InlineData("\"say \"\"hi\"\"\" = 'say \"hi\"'", 1)]
    [InlineData("010 = 10", 1)]
    [InlineData("7 / 2 = 3.5", 1)]
    [InlineData("1.23E6 = 1230000", 1)]
    public void Literals(string expression, int truth) => Check(expression, truth);

    [Fact]
    public void Doubled_brackets_stand_for_themselves()
    {
        Message message = SampleMessage.Create([("a[1]", ArgumentValue.Of(1))]);
        new SqlFilter("[a[[1]]] = 1").Matches(message).ShouldBeTrue();
    }

    [Theory]
    [InlineData("p.absolute_expiry_time > UTC()")]
    [InlineData("utc > 1")]
    [InlineData("LOWER(color) = 'red'")]
    [InlineData("color(1) = 1")]
    [InlineData("EXISTS(color)")]
    [InlineData("header.ttl > 1")]
    [InlineData("p.color = 'red'")]
    [InlineData("m.color = 'red'")]
    [InlineData("message_annotations.color = 'red'")]
    [InlineData("a. = 1")]
    [InlineData("size BETWEEN 1 AND 2")]
    [InlineData("octets = 0x0")]
    [InlineData("octets = 0x")]
    [InlineData("[] = 1")]
    [InlineData("[a = 1")]
    [InlineData("1L = 1")]
    public void What_it_does_not_know_is_refused(string expression) => Should.Throw<FilterException>(() => new SqlFilter(expression));

    [Fact]
    public void It_shows_its_text() => new SqlFilter("a = 1").Text.ShouldBe("a = 1");

    private static void Check(string expression, int truth) =>
        SampleMessage.Ask(text => new SqlFilter(text), expression, Sample).ShouldBe((Truth)(truth + 1), expression);
}
