using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>What the broker reads of a 1.0 message: headers, properties, delays, and what publishing heeds.</summary>
public class MessageFormat10Tests
{
    private static readonly MessageFormat10 Format = MessageFormat10.Instance;

    [Fact]
    public void Headers_are_application_properties_and_annotations_win_where_names_begin_with_x()
    {
        byte[] properties = new MessageModel10
        {
            Annotations = Pairs.Annotated(("x-a", "annotation"), ("n", "annotation")),
            Application = Pairs.Named(("x-a", "property"), ("x-b", "property"), ("n", "property")),
        }.EncodePrefix();
        Text(properties, "x-a").ShouldBe("annotation");
        Text(properties, "x-b").ShouldBe("property");
        Text(properties, "n").ShouldBe("property");
        Text(properties, "absent").ShouldBeNull();
        Text([], "n").ShouldBeNull();
    }

    [Fact]
    public void Values_have_the_kinds_that_bindings_of_0_9_1_compare_with()
    {
        (object? Value, ArgumentKind Kind)[] values =
        [
            (null, ArgumentKind.Void), (true, ArgumentKind.Boolean), ((sbyte)-1, ArgumentKind.SignedByte), ((byte)1, ArgumentKind.UnsignedByte),
            ((short)-1, ArgumentKind.SignedShort), ((ushort)1, ArgumentKind.UnsignedShort), (-1, ArgumentKind.SignedInt), (1u, ArgumentKind.UnsignedInt),
            (-1L, ArgumentKind.SignedLong), (1ul, ArgumentKind.SignedLong), (ulong.MaxValue, ArgumentKind.Decimal), (1f, ArgumentKind.Float),
            (1d, ArgumentKind.Double), ('c', ArgumentKind.Decimal), (new Raw("7401020304"), ArgumentKind.Decimal),
            (new Timestamp(1), ArgumentKind.Timestamp), (Guid.Empty, ArgumentKind.Bytes), (new byte[3], ArgumentKind.Bytes),
            ("t", ArgumentKind.Text), (new Symbol("s"), ArgumentKind.Text), (new Items(1), ArgumentKind.Array),
            (new Pairs(), ArgumentKind.Table), (new Same(0x71, 1), ArgumentKind.Array), (new Described(1ul, 1), ArgumentKind.Decimal),
        ];
        foreach ((object? value, ArgumentKind kind) in values)
        {
            byte[] properties = new MessageModel10 { Application = Pairs.Named(("n", value)) }.EncodePrefix();
            Format.TryFindHeader(properties, "n"u8, out HeaderValue found).ShouldBeTrue();
            found.Kind.ShouldBe(kind);
            found.Matches(default).ShouldBeTrue("presence");
        }
        Matches(-5L, ArgumentValue.OfInteger(ArgumentKind.SignedByte, -5)).ShouldBeTrue();
        Matches(new Timestamp(-1), ArgumentValue.OfInteger(ArgumentKind.Timestamp, -1)).ShouldBeTrue();
        Matches(new Timestamp(1999), ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1)).ShouldBeTrue();
        Matches(new Symbol("s"), ArgumentValue.Of("s")).ShouldBeTrue();
        Matches(1.5f, ArgumentValue.OfReal(ArgumentKind.Double, 1.5)).ShouldBeTrue();
        Matches(true, ArgumentValue.Of(1)).ShouldBeFalse();
    }

    [Fact]
    public void Properties_that_exchanges_look_at()
    {
        var fields = new Items(7ul, null, null, null, null, "c", null, null, null, new Timestamp(1999));
        byte[] properties = new MessageModel10 { Properties = fields }.EncodePrefix();
        Format.TryFindProperty(properties, MessageProperty.MessageId, out HeaderValue id).ShouldBeTrue();
        id.Integer.ShouldBe(7);
        Format.TryFindProperty(properties, MessageProperty.CorrelationId, out HeaderValue correlation).ShouldBeTrue();
        correlation.Content.SequenceEqual("c"u8).ShouldBeTrue();
        Format.TryFindProperty(properties, MessageProperty.Timestamp, out HeaderValue time).ShouldBeTrue();
        time.Matches(ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1)).ShouldBeTrue();
        foreach (MessageProperty property in Enum.GetValues<MessageProperty>())
            Format.TryFindProperty(new MessageModel10 { Properties = new Items() }.EncodePrefix(), property, out _).ShouldBeFalse();
    }

    [Fact]
    public void Finding_headers_allocates_nothing()
    {
        byte[] properties = new MessageModel10
        {
            Annotations = Pairs.Annotated(("x-a", new Items(1, 2))), Application = Pairs.Named(("m", 1), ("n", "value")), Properties = new Items("id"),
        }.EncodePrefix();
        Find();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Find();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Find()
        {
            Format.TryFindHeader(properties, "n"u8, out _);
            Format.TryFindHeader(properties, "x-a"u8, out _);
            Format.TryFindProperty(properties, MessageProperty.MessageId, out _);
        }
    }

    [Theory]
    [InlineData(5, "long -5")]
    [InlineData("5000", "long -5000")]
    [InlineData(-5, "int -5")]
    [InlineData("soon", "str soon")]
    public void A_delay_that_is_over_is_negative(object delay, string negated)
    {
        Pairs annotations = Pairs.Annotated(("x-delay", delay), ("x-b", 1));
        byte[] properties = new MessageModel10 { Header = new Items(true), Annotations = annotations, Properties = new Items("id") }.EncodePrefix();
        byte[] over = Format.AfterDelay(properties);
        MessageModel10.Texts(over).ShouldBe(["70 [true]", delay is int and > 0 or "5000"
            ? $"72 {{sym x-b: int 1, sym x-delay: {negated}}}" : $"72 {{sym x-delay: {negated}, sym x-b: int 1}}", "73 [str id]"]);
        Format.AfterDelay(over).ShouldBe(over);
    }

    [Fact]
    public void A_delay_among_the_application_properties_stays_and_an_annotation_wins_over_it()
    {
        byte[] properties = new MessageModel10 { Application = Pairs.Named(("x-delay", 7u)) }.EncodePrefix();
        byte[] over = Format.AfterDelay(properties);
        MessageModel10.Texts(over).ShouldBe(["72 {sym x-delay: long -7}", "74 {str x-delay: uint 7}"]);
        Format.AfterDelay(over).ShouldBe(over);
        Format.AfterDelay([]).ShouldBeEmpty();
    }

    [Fact, Trait("Note", "113")]
    public void Note_113_a_message_that_does_not_say_so_is_not_durable()
    {
        Publish(new MessageModel10()).IsDurable.ShouldBeFalse();
        Publish(new MessageModel10 { Header = new Items() }).IsDurable.ShouldBeFalse();
        Publish(new MessageModel10 { Header = new Items(true) }).IsDurable.ShouldBeTrue();
        Pairs annotated = Pairs.Annotated(("x-basic-delivery-mode", (byte)2));
        Publish(new MessageModel10 { Annotations = annotated }).IsDurable.ShouldBeTrue();
        Publish(new MessageModel10 { Header = new Items(false), Annotations = annotated }).IsDurable.ShouldBeFalse();
    }

    [Fact]
    public void What_publishing_heeds()
    {
        PublishSections10 read = Publish(new MessageModel10
        {
            Header = new Items(null, (byte)200, 0u), Properties = new Items(null, "me"u8.ToArray(), "/queues/q", "subject"),
        });
        (read.Priority, read.TimeToLiveMs).ShouldBe(((byte?)200, 0u));
        read.To.SequenceEqual("/queues/q"u8).ShouldBeTrue();
        read.UserId.SequenceEqual("me"u8).ShouldBeTrue();
        read.Subject.SequenceEqual("subject"u8).ShouldBeTrue();
        read = Publish(new MessageModel10());
        (read.Priority, read.TimeToLiveMs, read.To.IsNull, read.UserId.IsNull).ShouldBe((null, null, true, true));
    }

    [Fact]
    public void Further_routing_keys_are_those_of_x_cc()
    {
        string longest = new('k', 255);
        Keys(new Items("a", new Symbol("b"), "a", 1, null, longest, longest + "k")).ShouldBe(["a", "b", longest]);
        Keys(new Items()).ShouldBeNull();
        Keys("a").ShouldBeNull();
        Keys(null).ShouldBeNull();
        string[] many = [.. Enumerable.Range(0, PublishSections10.CarbonCopiesSizeMax / 11).Select(i => $"{i:d6}")];
        Keys(new Items([.. many.Take(10_000)]))!.Length.ShouldBe(10_000);
        Should.Throw<DecodeException>(() => Keys(new Items([.. many, "one more"])));
    }

    private static string[]? Keys(object? copies) =>
        Publish(new MessageModel10 { Annotations = Pairs.Annotated(("x-cc", copies)) }).ExtraRoutingKeys()?.Select(k => k.ToString()).ToArray();

    private static PublishSections10 Publish(MessageModel10 model) => PublishSections10.Read(model.EncodePrefix());

    private static bool Matches(object value, ArgumentValue wanted)
    {
        byte[] properties = new MessageModel10 { Application = Pairs.Named(("n", value)) }.EncodePrefix();
        return Format.TryFindHeader(properties, "n"u8, out HeaderValue found) && found.Matches(wanted);
    }

    private static string? Text(byte[] properties, string name) =>
        Format.TryFindHeader(properties, Encoding.UTF8.GetBytes(name), out HeaderValue found) ? Encoding.UTF8.GetString(found.Content) : null;
}
