using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests;

/// <summary>What filters and exchanges see of a message of either protocol.</summary>
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
    public void The_time_is_understood_in_milliseconds()
    {
        TimeOf(Section, MessageProperty.Timestamp).ShouldBe(Seconds * 1000);
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
        var filter = new FilterSet(
            new MessageSelector("JMSType = 'order' AND JMSPriority > 4"),
            new MessageSelector("color = 'red' AND urgent AND price * 4 = size AND nothing IS NULL AND list IS NOT NULL"),
            new SqlFilter("p.user_id = 'u' AND p.subject IS NULL AND color LIKE 'r%'"),
            new ApplicationPropertiesFilter([new Argument("color", ArgumentValue.Of("&s:d"))]));
        filter.Matches(message).ShouldBeTrue();

        AllocatedBytes(filter, message).ShouldBeLessThan(24_000);
    }

    [Theory]
    [InlineData("p.message_id = 0x000102030405060708090A0B0C0D0E0F")]
    [InlineData("p.user_id = 'u' AND p.to = 'to' AND p.subject = 's' AND p.reply_to = 'r' AND p.correlation_id = 77")]
    [InlineData("p.content_type = 'ct' AND p.content_encoding = 'ce' AND p.group_id = 'g' AND p.reply_to_group_id = 'rg'")]
    [InlineData("p.absolute_expiry_time = 1753365622460 AND p.creation_time = -1 AND p.group_sequence = 4000000000")]
    [InlineData("a.color = 'red' AND a.at = 1753365622001 AND a.price = 2.5 AND urgent AND nothing IS NULL AND [x-note] = 1")]
    public void Filters_understand_messages_of_1_0(string expression)
    {
        Message message = Message.Rent(MessageFormat10.Instance, [], "k"u8, Sections(), 0);
        var filter = new SqlFilter(expression);
        filter.Matches(message).ShouldBeTrue();
        AllocatedBytes(filter, message).ShouldBeLessThan(24_000);
        new MessageSelector("JMSType = 's' AND JMSTimestamp < 0 AND JMSXGroupSeq > 1").Matches(message).ShouldBeTrue();
        MessageFormat10.Instance.TryFindProperty(Sections(), MessageProperty.Type, out _).ShouldBeFalse();
        Message bare = Message.Rent(MessageFormat10.Instance, [], "k"u8, [], 0);
        filter.Matches(bare).ShouldBeFalse();
    }

    // An object for each of a thousand messages would be 24,000 bytes; a collection meanwhile may count up to 8 KiB.
    private static long AllocatedBytes(IMessageFilter filter, Message message)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) filter.Matches(message);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    // Every field of the properties, and a few application properties (1.0 part 3, sections 3.2.4 and 3.2.5).
    private static byte[] Sections()
    {
        var writer = new ValueWriter(new byte[512]);
        writer.WriteDescriptor(0x73);
        int list = writer.BeginList();
        writer.WriteUuid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        writer.WriteBinary("u"u8);
        writer.WriteString("to"u8);
        writer.WriteString("s"u8);
        writer.WriteString("r"u8);
        writer.WriteULong(77);
        writer.WriteSymbol("ct"u8);
        writer.WriteSymbol("ce"u8);
        writer.WriteTimestamp(1_753_365_622_460);
        writer.WriteTimestamp(-1);
        writer.WriteString("g"u8);
        writer.WriteUInt(4_000_000_000);
        writer.WriteString("rg"u8);
        writer.End(list, 13);
        writer.WriteDescriptor(0x74);
        int map = writer.BeginMap();
        writer.WriteString("color"u8);
        writer.WriteString("red"u8);
        writer.WriteString("at"u8);
        writer.WriteTimestamp(1_753_365_622_001);
        writer.WriteString("price"u8);
        writer.WriteFloat(2.5f);
        writer.WriteString("urgent"u8);
        writer.WriteBoolean(true);
        writer.WriteString("nothing"u8);
        writer.WriteNull();
        writer.WriteString("x-note"u8);
        writer.WriteUByte(1);
        writer.End(map, 12);
        return writer.Written.ToArray();
    }

    private static long? TimeOf(byte[] section, MessageProperty property)
    {
        MessageFormat091.Instance.TryFindProperty(section, property, out HeaderValue value).ShouldBeTrue();
        return value.TimeMs;
    }
}
