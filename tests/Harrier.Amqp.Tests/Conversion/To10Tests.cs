using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>What becomes of a 0-9-1 message for consumers with 1.0: the first table of docs/conversion.md.</summary>
[Trait("Note", "113")]
public class To10Tests
{
    private static readonly DateTime Sent = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    [Fact]
    public void Note_113_every_property_has_its_place()
    {
        byte[] properties = new PropertyBytes()
            .Text(BasicPropertyFlags.ContentType, "text/plain").Text(BasicPropertyFlags.ContentEncoding, "gzip")
            .Octet(BasicPropertyFlags.DeliveryMode, 2).Octet(BasicPropertyFlags.Priority, 7)
            .Text(BasicPropertyFlags.CorrelationId, "c").Text(BasicPropertyFlags.ReplyTo, "my queue/ü").Text(BasicPropertyFlags.Expiration, "60000")
            .Text(BasicPropertyFlags.MessageId, "urn:uuid:550e8400-e29b-41d4-a716-446655440000").Timestamp(1_767_323_045)
            .Text(BasicPropertyFlags.Type, "order").Text(BasicPropertyFlags.UserId, "me").Text(BasicPropertyFlags.AppId, "shop").Encode();
        Texts(properties).ShouldBe(
        [
            "70 [true, ubyte 7, uint 60000]",
            "72 {sym x-basic-type: str order}",
            "73 [uuid 550e8400-e29b-41d4-a716-446655440000, bin 6D65, null, null, str /queues/my%20queue%2F%C3%BC, str c, sym text/plain, sym gzip, null, "
            + $"time {new DateTimeOffset(Sent).ToUnixTimeMilliseconds()}, str shop]",
        ]);
    }

    [Fact]
    public void Note_113_headers_become_annotations_or_application_properties()
    {
        byte[] headers = Fields.Of(
            ("a", 1), ("x-a", 2), ("CC", Fields.Texts("c1", "c2")), ("list", Fields.Texts("lost")), ("x-list", Fields.Texts("kept")),
            ("table", Fields.Table(("lost", 1))), ("x-table", Fields.Table(("k", "v"))), ("CC2", "text"), ("x-ü", 1), ("ü", 1),
            ("x-exchange", "lost"), ("x-routing-key", "lost"), ("x-basic-type", "lost"));
        Texts(new PropertyBytes().Headers(headers).Encode()).ShouldBe(
        [
            "70 [false]",
            "72 {sym x-a: int 2, sym x-cc: [str c1, str c2], sym x-list: [str kept], sym x-table: {sym k: str v}}",
            "74 {str a: int 1, str CC2: str text, str ü: int 1}",
        ]);
    }

    [Theory]
    [InlineData("7401", "true")]
    [InlineData("62FF", "byte -1")]
    [InlineData("42FF", "ubyte 255")]
    [InlineData("73FFFE", "short -2")]
    [InlineData("75FFFF", "ushort 65535")]
    [InlineData("49FFFFFFFF", "int -1")]
    [InlineData("69FFFFFFFF", "uint 4294967295")]
    [InlineData("6C7FFFFFFFFFFFFFFF", "long 9223372036854775807")]
    [InlineData("4C8000000000000000", "long -9223372036854775808")]
    [InlineData("667FC00000", "float 7FC00000")]
    [InlineData("643FF8000000000000", "double 3FF8000000000000")]
    [InlineData("4402FFFFFFFF", null)] // a decimal
    [InlineData("530000000161", "str a")]
    [InlineData("5300000000", "str ")]
    [InlineData("5300000001FF", "bin FF")] // no UTF-8
    [InlineData("5300000003610062", "bin 610062")] // with a NUL
    [InlineData("540000000000000002", "time 2000")]
    [InlineData("547FFFFFFFFFFFFFFF", "time 9223372036854775000")]
    [InlineData("7800000001FF", "bin FF")]
    [InlineData("56", "null")]
    [InlineData("4100000003567401", "[null, true]")]
    [InlineData("410000000756440200000001", "[null]")] // the decimal is left out
    [InlineData("4600000003016156", "{sym a: null}")]
    [InlineData("460000000402C3BC56", "{str ü: null}")]
    [InlineData("460000000301FF56", "{}")] // the name is no UTF-8
    public void Every_type_of_value(string hex, string? expected)
    {
        byte[] value = Convert.FromHexString(hex);
        byte[] headers = [3, (byte)'x', (byte)'-', (byte)'n', .. value];
        string[] texts = Texts(new PropertyBytes().Headers(headers).Encode());
        if (expected is null) texts.ShouldBe(["70 [false]"]);
        else texts.ShouldBe(["70 [false]", $"72 {{sym x-n: {expected}}}"]);
    }

    [Fact]
    public void A_message_without_properties_has_a_header_and_a_body()
    {
        Message message = Message(PropertyBytes.None, "body"u8);
        Message converted = To10.Convert(message);
        MessageModel10.Texts(converted.Properties).ShouldBe(["70 [false]"]);
        MessageModel10.Texts(converted.Body).ShouldBe(["75 bin 626F6479"]);
        MessageModel10.Texts(To10.Convert(Message(PropertyBytes.None, default)).Body).ShouldBe(["75 bin "]);
        MessageModel10.Texts(To10.Convert(Message(PropertyBytes.None, new byte[300])).Body).ShouldBe([$"75 bin {new string('0', 600)}"]);
        message.Body.SequenceEqual("body"u8).ShouldBeTrue();
    }

    [Fact]
    public void What_the_broker_noted_of_it_is_kept()
    {
        Message message = Message(PropertyBytes.None, "body"u8);
        (message.IsPersistent, message.HasDeaths, message.ArrivedAtMs, message.ExpiresAtMs, message.DueAtMs, message.Priority) = (true, true, 1, 2, 3, 4);
        message.ExtraRoutingKeys = ["c"];
        Message converted = To10.Convert(message);
        (converted.IsPersistent, converted.HasDeaths, converted.ArrivedAtMs, converted.ExpiresAtMs, converted.DueAtMs, converted.Priority)
            .ShouldBe((true, true, 1, 2, 3, (byte)4));
        (converted.Exchange, converted.RoutingKey, converted.Format.Id).ShouldBe(("x", "k", (byte)2));
        converted.ExtraRoutingKeys.ShouldBe(["c"]);
        To091.Convert(converted).ExtraRoutingKeys.ShouldBe(["c"]);
    }

    [Theory]
    [InlineData("/queues/q", "/queues/q")]
    [InlineData("/exchanges/x/k", "/exchanges/x/k")]
    [InlineData("/other", "/queues/%2Fother")]
    [InlineData("amq.rabbitmq.reply-to.g1~_", "/queues/amq.rabbitmq.reply-to.g1~_")]
    [InlineData("", "/queues/")]
    public void Reply_to_is_the_address_of_a_queue_unless_it_is_an_address_already(string replyTo, string expected) =>
        Texts(new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, replyTo).Encode())[1].ShouldBe($"73 [null, null, null, null, str {expected}]");

    [Fact]
    public void Texts_that_1_0_cannot_have_are_left_out_or_become_bytes()
    {
        byte[] properties = Latin(
            BasicPropertyFlags.ContentType, BasicPropertyFlags.MessageId, BasicPropertyFlags.ReplyTo, BasicPropertyFlags.Type, BasicPropertyFlags.AppId);
        Texts(properties).ShouldBe(["70 [false]", "72 {sym x-basic-type: bin FC}", "73 [bin FC, null, null, null, str /queues/%FC]"]);
        Texts(new PropertyBytes().Text(BasicPropertyFlags.ContentType, "ü").Encode()).ShouldBe(["70 [false]"]);
    }

    [Theory]
    [InlineData("0", "uint 0")]
    [InlineData("4294967295", "uint 4294967295")]
    [InlineData("315360000000", "uint 4294967295")]
    public void The_time_to_live_ends_where_1_0_ends(string expiration, string expected) =>
        Texts(new PropertyBytes().Text(BasicPropertyFlags.Expiration, expiration).Encode()).ShouldBe([$"70 [false, null, {expected}]"]);

    [Fact]
    public void Deaths_are_told_as_1_0_tells_them()
    {
        Message message = Message(new PropertyBytes().Text(BasicPropertyFlags.Expiration, "500").Encode(), default);
        message = Buried(message, new Death("q", DeathReason.Expired, 1_700_000_000_999));
        string annotations = MessageModel10.Texts(To10.Convert(message).Properties)[1];
        annotations.ShouldContain("sym x-first-death-reason: str expired");
        annotations.ShouldContain(
            "sym x-opt-deaths: <{sym ttl: uint 500, sym queue: str q, sym reason: sym expired, sym count: ulong 1, sym first-time: time 1700000000000, "
            + "sym last-time: time 1700000000000, sym exchange: str x, sym routing-keys: <str k>}>");
        MessageFormat10.Instance.FindLastDeath(To10.Convert(message)).ShouldBe(new DeathPlace("q", "x", "k"));
        message.HasDeaths = false;
        MessageModel10.Texts(To10.Convert(message).Properties)[1].ShouldContain("sym x-death: [{sym original-expiration: str 500, ");
    }

    [Fact]
    public void A_body_of_encoded_sections_is_one_again()
    {
        byte[] type = new PropertyBytes().Text(BasicPropertyFlags.Type, "amqp-1.0").Encode();
        byte[] body = new MessageModel10 { Body = [(0x77, "text"), (0x78, Pairs.Annotated(("f", 1)))] }.EncodeBody();
        Message converted = To10.Convert(Message(type, body));
        MessageModel10.Texts(converted.Properties).ShouldBe(["70 [false]"]);
        converted.Body.ToArray().ShouldBe(body);
        converted = To10.Convert(Message(type, "no sections"u8));
        MessageModel10.Texts(converted.Properties).ShouldBe(["70 [false]", "72 {sym x-basic-type: str amqp-1.0}"]);
        MessageModel10.Texts(converted.Body).ShouldBe([$"75 bin {Convert.ToHexString("no sections"u8)}"]);
    }

    [Fact]
    public void What_is_nested_too_deep_is_left_out()
    {
        FieldTableWriter table = Fields.Table(("n", 1));
        for (int i = 1; i < FieldTableReader.DepthMax - 1; i++) table = Fields.Table(("t", table));
        Message converted = To10.Convert(Message(new PropertyBytes().Headers(Fields.Table(("x-t", table))).Encode(), default));
        PublishSections10.Read(converted.Properties);
        MessageModel10.Texts(converted.Properties)[1].ShouldContain("sym t: {}}}}");
    }

    private static Message Buried(Message message, Death death)
    {
        byte[] properties = message.Format.WithDeath(message, in death, keepsCarbonCopies: true);
        Message dead = message.Copy("x"u8, "k"u8, properties);
        dead.HasDeaths = true;
        return dead;
    }

    private static byte[] Latin(params BasicPropertyFlags[] properties)
    {
        BasicPropertyFlags flags = properties.Aggregate(BasicPropertyFlags.None, (all, one) => all | one);
        return [(byte)((int)flags >> 8), (byte)flags, .. properties.SelectMany(_ => (byte[])[1, 0xFC])];
    }

    private static string[] Texts(byte[] properties) => MessageModel10.Texts(To10.Convert(Message(properties, "body"u8)).Properties);

    private static Message Message(byte[] properties, ReadOnlySpan<byte> body)
    {
        PublishProperties.Read(properties);
        Message message = Harrier.Broker.Messages.Message.Rent(MessageFormat091.Instance, "x"u8, "k"u8, properties, body.Length);
        message.AppendBody(body, body.Length);
        return message;
    }
}
