using System.Text;
using Harrier.Amqp.V091;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests;

/// <summary>What filters and exchanges see of a 0-9-1 message.</summary>
public class MessageFormatTests
{
    private const long Seconds = 1_753_365_622;

    private static readonly byte[] Section = new PropertyBytes()
        .Text(BasicPropertyFlags.ContentType, "application/json")
        .Text(BasicPropertyFlags.ContentEncoding, "gzip")
        .Text(BasicPropertyFlags.CorrelationId, "c")
        .Text(BasicPropertyFlags.ReplyTo, "r")
        .Text(BasicPropertyFlags.MessageId, "m")
        .Timestamp((ulong)Seconds)
        .Text(BasicPropertyFlags.Type, "t")
        .Text(BasicPropertyFlags.UserId, "u")
        .Text(BasicPropertyFlags.AppId, "app")
        .Encode();

    [Theory]
    [InlineData(MessageProperty.ContentType, "application/json")]
    [InlineData(MessageProperty.ContentEncoding, "gzip")]
    [InlineData(MessageProperty.CorrelationId, "c")]
    [InlineData(MessageProperty.ReplyTo, "r")]
    [InlineData(MessageProperty.MessageId, "m")]
    [InlineData(MessageProperty.Type, "t")]
    [InlineData(MessageProperty.UserId, "u")]
    [InlineData(MessageProperty.GroupId, "app")]
    public void Texts(MessageProperty property, string text)
    {
        MessageFormat091.Instance.TryFindProperty(Section, property, out HeaderValue value).ShouldBeTrue();
        Encoding.UTF8.GetString(value.Content).ShouldBe(text);
        MessageFormat091.Instance.TryFindProperty(PropertyBytes.None, property, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData(MessageProperty.To)]
    [InlineData(MessageProperty.Subject)]
    [InlineData(MessageProperty.AbsoluteExpiryTime)]
    [InlineData(MessageProperty.GroupSequence)]
    [InlineData(MessageProperty.ReplyToGroupId)]
    public void What_0_9_1_does_not_have_is_absent(MessageProperty property) =>
        MessageFormat091.Instance.TryFindProperty(Section, property, out _).ShouldBeFalse();

    [Fact]
    public void The_time_is_in_seconds_or_milliseconds()
    {
        TimeOf(Section, MessageProperty.Timestamp).ShouldBe(Seconds);
        TimeOf(Section, MessageProperty.CreationTime).ShouldBe(Seconds * 1000);
        TimeOf(new PropertyBytes().Timestamp(long.MaxValue).Encode(), MessageProperty.CreationTime).ShouldBe(long.MaxValue / 1000 * 1000);
    }

    [Fact]
    public void Filters_understand_it()
    {
        byte[] headers = Fields.Of(("color", "red"), ("urgent", true), ("price", 2.5), ("size", (short)10), ("nothing", null), ("list", Fields.Texts("x")));
        byte[] section = new PropertyBytes()
            .Headers(headers)
            .Text(BasicPropertyFlags.Type, "order")
            .Text(BasicPropertyFlags.UserId, "u")
            .Encode();
        Message message = Message.Rent(MessageFormat091.Instance, [], "k"u8, section, 0);
        message.Priority = 7;
        IMessageFilter filter = new FilterSet(
            new MessageSelector("JMSType = 'order' AND JMSPriority > 4"),
            new MessageSelector("color = 'red' AND urgent AND price * 4 = size AND nothing IS NULL AND list IS NOT NULL"),
            new SqlFilter("p.user_id = 'u' AND p.subject IS NULL AND color LIKE 'r%'"),
            new ApplicationPropertiesFilter([new Argument("color", ArgumentValue.Of("&s:d"))]));
        filter.Matches(message).ShouldBeTrue();

        // A collection meanwhile may count up to 8 KiB, an object per message more.
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) filter.Matches(message);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(24_000);
    }

    private static long TimeOf(byte[] section, MessageProperty property)
    {
        MessageFormat091.Instance.TryFindProperty(section, property, out HeaderValue value).ShouldBeTrue();
        return value.WholeNumber;
    }
}
