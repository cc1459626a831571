using System.Buffers;
using System.IO.Pipelines;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests;

/// <summary>Headers that the broker itself changes or adds: the delay that is over, and the counts of deliveries. All else keeps its bytes and order.</summary>
public class HeaderRewritingTests
{
    public static TheoryData<FieldType, byte[], string> Delays => new()
    {
        { FieldType.SignedByte, [100], "b -100" },
        { FieldType.SignedShort, [0x03, 0xE8], "s -1000" },
        { FieldType.SignedInt, [0, 0, 0x13, 0x88], "I -5000" },
        { FieldType.SignedLong, [0, 0, 0, 1, 0, 0, 0, 0], "l -4294967296" },
        { FieldType.SignedLongL, [0, 0, 0, 0, 0, 0, 0, 5], "L -5" },
        { FieldType.UnsignedByte, [200], "l -200" },
        { FieldType.UnsignedShort, [0xFF, 0xFF], "l -65535" },
        { FieldType.UnsignedInt, [0xFF, 0xFF, 0xFF, 0xFF], "l -4294967295" },
        { FieldType.LongString, "5000"u8.ToArray(), "l -5000" },
        { FieldType.Double, [0x40, 0x8F, 0x40, 0, 0, 0, 0, 0], "l -1000" },
        { FieldType.Float, [0x7F, 0x80, 0, 0], "l -9223372036854775807" }, // for ever
        { FieldType.SignedInt, [0, 0, 0, 0], "I 0" },
        { FieldType.SignedInt, [0xFF, 0xFF, 0xFF, 0xFE], "I -2" },
        { FieldType.SignedByte, [0x80], "b -128" },
        { FieldType.LongString, "5s"u8.ToArray(), "S 5s" },
        { FieldType.Double, [0x7F, 0xF8, 0, 0, 0, 0, 0, 0], "d 7FF8000000000000" }, // not a number
        { FieldType.Boolean, [1], "t 1" },
        { FieldType.Void, [], "V " },
    };

    [Theory, MemberData(nameof(Delays))]
    public void A_delay_that_is_over_is_negative(FieldType type, byte[] bytes, string expected)
    {
        FieldTableWriter headers = Fields.Table(("a", 1)).Add("x-delay", type, bytes).Add("x-delay", 7).Add("z", "after");
        byte[] rewritten = MessageFormat091.Instance.AfterDelay(new PropertyBytes().Headers(headers).Timestamp(1).Encode());
        PropertySection.Read(rewritten).HeaderTexts.ShouldBe(["a=I 1", $"x-delay={expected}", "x-delay=I 7", "z=S after"]);
        MessageFormat091.Instance.AfterDelay(rewritten).ShouldBe(rewritten);
    }

    [Fact]
    public void A_message_without_a_delay_stays_as_it_is() =>
        MessageFormat091.Instance.AfterDelay(PropertyBytes.None).ShouldBe(PropertyBytes.None);

    [Fact, Trait("Note", "75")]
    public void Note_75_whatever_the_properties_only_the_delay_changes() => PropertySectionGen.ForAll(properties =>
    {
        byte[] rewritten = MessageFormat091.Instance.AfterDelay(properties);
        AssertSameBut(properties, rewritten, "x-delay");
        PropertySection.Read(rewritten).Find("x-delay").Length.ShouldBe(PropertySection.Read(properties).Find("x-delay").Length);
        MessageFormat091.Instance.AfterDelay(rewritten).ShouldBe(rewritten);
    });

    [Theory, Trait("Note", "88")]
    [InlineData(0, 0, "x-delivery-count=S mine")]
    [InlineData(0, 3, "x-delivery-count=S mine", "x-acquired-count=l 3")]
    [InlineData(2, 3, "x-delivery-count=l 2", "x-acquired-count=l 3")]
    [InlineData(int.MaxValue, int.MaxValue, "x-delivery-count=l 2147483647", "x-acquired-count=l 2147483647")]
    public void Note_88_counts_that_are_not_0_are_told(int deliveryCount, int acquiredCount, params string[] expected)
    {
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("a", 1), ("x-delivery-count", "mine"), ("z", 2))).Encode();
        PropertySection written = PropertySection.Read(DeliveryCounts.Write(properties, deliveryCount, acquiredCount));
        written.HeaderTexts.Where(h => h is not ("a=I 1" or "z=I 2")).ShouldBe(expected);
        written.HeaderTexts.Where(h => h is "a=I 1" or "z=I 2").ShouldBe(["a=I 1", "z=I 2"]);
    }

    [Fact, Trait("Note", "88")]
    public void Note_88_a_message_without_headers_gets_them() =>
        DeliveryCounts.Write(new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Encode(), 1, 2)
            .ShouldBe(new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Headers(Fields.Table(("x-delivery-count", 1L), ("x-acquired-count", 2L))).Encode());

    [Fact, Trait("Note", "75")]
    public void Note_75_whatever_the_properties_only_the_counts_change() => PropertySectionGen.ForAll(properties =>
    {
        byte[] written = DeliveryCounts.Write(properties, 5, 6);
        AssertSameBut(properties, written, "x-delivery-count", "x-acquired-count");
        PropertySection section = PropertySection.Read(written);
        section.Find("x-delivery-count").ShouldBe(["l 5"]);
        section.Find("x-acquired-count").ShouldBe(["l 6"]);
        DeliveryCounts.Write(written, 5, 6).ShouldBe(written);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(50_000)] // in several frames
    public async Task Content_is_written_with_other_properties(int bodySize)
    {
        byte[] body = new byte[bodySize], other = new PropertyBytes().Headers(Fields.Table(("x-acquired-count", 1L))).Encode();
        new Random(bodySize).NextBytes(body);
        Message message = Message.Rent(MessageFormat091.Instance, "x"u8, "k"u8, PropertyBytes.None, bodySize);
        message.AppendBody(body, bodySize);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var output = new FrameOutput(pipe.Writer, PipeScheduler.Inline);
        lock (output.Gate)
        {
            ContentWriter.Write(output, 1, new BasicDeliver { DeliveryTag = 1 }, message, other, frameBytesMax: 4096);
            ContentWriter.Write(output, 1, new BasicDeliver { DeliveryTag = 2 }, message, frameBytesMax: 4096);
        }
        output.Flush();
        await output.WhenFlushedAsync();
        pipe.Reader.TryRead(out ReadResult read).ShouldBeTrue();
        ReadContents(read.Buffer.ToArray()).ShouldBe([(Hex(other), Hex(body)), (Hex(PropertyBytes.None), Hex(body))]);
        message.Release();
    }

    [Theory, Trait("Note", "76"), Trait("Note", "61")]
    [InlineData(null, null)]
    [InlineData(0, "0")]
    [InlineData(255, "315360000000")]
    public void Note_76_priority_and_expiration_are_read(int? priority, string? expiration)
    {
        var section = new PropertyBytes();
        if (priority is { } octet) section.Octet(BasicPropertyFlags.Priority, (byte)octet);
        if (expiration is not null) section.Text(BasicPropertyFlags.Expiration, expiration);
        PublishProperties properties = PublishProperties.Read(section.Encode());
        ((int?)properties.Priority).ShouldBe(priority);
        properties.ExpirationMs.ShouldBe(expiration is null ? null : long.Parse(expiration));
    }

    private static void AssertSameBut(byte[] properties, byte[] rewritten, params string[] changed)
    {
        PropertySection before = PropertySection.Read(properties), after = PropertySection.Read(rewritten);
        after.Others.ShouldBe(before.Others);
        after.HasExpiration.ShouldBe(before.HasExpiration);
        Kept(after).ShouldBe(Kept(before));

        IEnumerable<string> Kept(PropertySection section) =>
            (section.Headers ?? []).Where(h => !changed.Contains(h.Name)).Select(h => Convert.ToHexString(h.Bytes));
    }

    private static List<(string Properties, string Body)> ReadContents(ReadOnlySpan<byte> frames)
    {
        var contents = new List<(string Properties, string Body)>();
        while (FrameReader.TryRead(ref frames, 4096, out Frame frame))
        {
            if (frame.Type == FrameType.Header) contents.Add((Hex(ContentHeader.Read(frame.Payload).Properties), ""));
            else if (frame.Type == FrameType.Body) contents[^1] = contents[^1] with { Body = contents[^1].Body + Hex(frame.Payload) };
        }
        frames.IsEmpty.ShouldBeTrue();
        return contents;
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
}
