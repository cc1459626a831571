using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>What only selectors of JMS have.</summary>
public class MessageSelectorTests
{
    private static readonly Message Sample = SampleMessage.Create();

    [Theory]
    [InlineData("JMSMessageID = 'm-1'", 1)]
    [InlineData("JMSTimestamp = 1753365622460", 1)]
    [InlineData("JMSDeliveryMode = 'PERSISTENT'", 1)]
    [InlineData("JMSDeliveryMode = 'NON_PERSISTENT'", -1)]
    [InlineData("JMSPriority = 4", 1)]
    [InlineData("JMSCorrelationID = 77", 1)]
    [InlineData("JMSType LIKE 'Order.%'", 1)]
    [InlineData("JMSDestination = '/queues/q'", 1)]
    [InlineData("JMSReplyTo IS NULL", 1)]
    [InlineData("JMSExpiration = 5000", 1)]
    [InlineData("JMSRedelivered", 0)]
    [InlineData("JMSRedelivered = FALSE", 0)]
    [InlineData("JMSXDeliveryCount IS NULL", 1)]
    [InlineData("JMSXGroupID = 'Group A' AND JMSXGroupSeq = 9", 1)]
    [InlineData("JMSXUserID = 'Bob'", 1)]
    [InlineData("jmspriority = 4", 0)]
    [InlineData("amqp.subject = 'Order.Created'", 1)]
    [InlineData("amqp.durable", 1)]
    [InlineData("amqp.priority = 4", 1)]
    [InlineData("amqp.redelivered IS NULL", 1)]
    [InlineData("\"amqp.creation_time\" > 1753365622459", 1)]
    [InlineData("\"amqp.creation-time\" > 1753365622459", 1)]
    [InlineData("\"order-status\" = 'new'", 1)]
    [InlineData("\"color\" = 'red'", 1)]
    [InlineData("properties.subject IS NULL", 1)]
    public void Names(string selector, int truth) => Check(selector, truth);

    [Theory]
    [InlineData("0x1F = 31", 1)]
    [InlineData("0XfF = 255L", 1)]
    [InlineData("017 = 15", 1)]
    [InlineData("0 = 00", 1)]
    [InlineData("7. = 7 AND .5 = 0.5", 1)]
    [InlineData("7E3 = 7000 AND 57.9e-1 = 5.79", 1)]
    [InlineData("1.5f = 1.5d AND 2d = 2.0", 1)]
    [InlineData("09.5 = 9.5", 1)]
    [InlineData("7 / 2 = 3", 1)]
    [InlineData("-7 / 2 = -3", 1)]
    public void Numbers_are_Java_s(string selector, int truth) => Check(selector, truth);

    [Theory]
    [InlineData("size BETWEEN 10 AND 20", 1)]
    [InlineData("size between 1 and 10 and t", 1)]
    [InlineData("size BETWEEN 11 AND 20", -1)]
    [InlineData("size NOT BETWEEN 11 AND 20", 1)]
    [InlineData("size BETWEEN missing AND 20", 0)]
    [InlineData("size BETWEEN missing AND 9", -1)]
    [InlineData("size BETWEEN 11 AND missing", -1)]
    [InlineData("size BETWEEN 10 AND missing", 0)]
    [InlineData("missing BETWEEN 1 AND 2", 0)]
    [InlineData("color BETWEEN 'r' AND 's'", 1)]
    [InlineData("color BETWEEN 1 AND 2", -1)]
    public void Between(string selector, int truth) => Check(selector, truth);

    [Fact]
    public void The_type_of_a_message_without_subject_is_that_of_0_9_1()
    {
        Message message = SampleMessage.Create([], (MessageProperty.Type, ArgumentValue.Of("invoice")));
        new MessageSelector("JMSType = 'invoice'").Matches(message).ShouldBeTrue();
        new MessageSelector("amqp.subject IS NULL").Matches(message).ShouldBeTrue();
    }

    [Fact]
    public void What_stands_in_the_header_is_asked_of_the_message()
    {
        Message message = SampleMessage.Create([]);
        message.Priority = 9;
        new MessageSelector("JMSPriority = 9 AND JMSDeliveryMode = 'NON_PERSISTENT' AND NOT amqp.durable AND JMSExpiration = 0")
            .Matches(message).ShouldBeTrue();
    }

    [Fact]
    public void It_shows_its_text() => new MessageSelector(" a = 1 ").Text.ShouldBe(" a = 1 ");

    private static void Check(string selector, int truth) =>
        SampleMessage.Ask(text => new MessageSelector(text), selector, Sample).ShouldBe((Truth)(truth + 1), selector);
}
