using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>What becomes of a 1.0 message for 0-9-1 clients: the second table of docs/conversion.md.</summary>
[Trait("Note", "113")]
public class To091Tests
{
    [Fact]
    public void Note_113_every_property_has_its_place()
    {
        byte[] properties = Convert(new MessageModel10
        {
            Header = new Items(true, (byte)7, 60_000u, true, 3u),
            Annotations = Pairs.Annotated(("x-basic-type", "order")),
            Properties = new Items(
                "m", "me"u8.ToArray(), "/queues/lost", "lost", "/queues/my%20queue%2f%C3%BC", new Guid("550e8400-e29b-41d4-a716-446655440000"),
                new Symbol("text/plain"), new Symbol("gzip"), new Timestamp(1), new Timestamp(1_767_323_045_999), "shop", 1u, "lost"),
        });
        properties.ShouldBe(new PropertyBytes()
            .Text(BasicPropertyFlags.ContentType, "text/plain").Text(BasicPropertyFlags.ContentEncoding, "gzip")
            .Octet(BasicPropertyFlags.DeliveryMode, 2).Octet(BasicPropertyFlags.Priority, 7)
            .Text(BasicPropertyFlags.CorrelationId, "urn:uuid:550e8400-e29b-41d4-a716-446655440000").Text(BasicPropertyFlags.ReplyTo, "my queue/ü")
            .Text(BasicPropertyFlags.Expiration, "60000").Text(BasicPropertyFlags.MessageId, "m").Timestamp(1_767_323_045)
            .Text(BasicPropertyFlags.Type, "order").Text(BasicPropertyFlags.UserId, "me").Text(BasicPropertyFlags.AppId, "shop").Encode());
    }

    [Fact]
    public void Note_113_annotations_and_application_properties_become_headers()
    {
        Headers(new MessageModel10
        {
            Annotations = new Pairs(
                (new Symbol("x-a"), 1), (new Symbol("other"), "lost"), (7ul, "lost"), (new Symbol("x-cc"), new Items("c1", "c2")),
                (new Symbol("x-exchange"), "lost"), (new Symbol("x-routing-key"), "lost"), (new Symbol("x-basic-priority"), "lost"),
                (new Symbol("x-death"), "lost")),
            Application = Pairs.Named(("n", 2), ("x-b", 3)),
        }).ShouldBe(["x-a=I 1", "CC=A [S c1, S c2]", "n=I 2", "x-b=I 3"]);
    }

    [Theory]
    [InlineData("40", "V ")]
    [InlineData("41", "t 1")]
    [InlineData("42", "t 0")]
    [InlineData("5601", "t 1")]
    [InlineData("50FF", "B 255")]
    [InlineData("51FF", "b -1")]
    [InlineData("60FFFF", "u 65535")]
    [InlineData("61FFFE", "s -2")]
    [InlineData("43", "i 0")]
    [InlineData("52FF", "i 255")]
    [InlineData("70FFFFFFFF", "i 4294967295")]
    [InlineData("54FF", "I -1")]
    [InlineData("7180000000", "I -2147483648")]
    [InlineData("44", "l 0")]
    [InlineData("53FF", "l 255")]
    [InlineData("807FFFFFFFFFFFFFFF", "l 9223372036854775807")]
    [InlineData("808000000000000000", null)] // beyond what 0-9-1 can say
    [InlineData("55FF", "l -1")]
    [InlineData("818000000000000000", "l -9223372036854775808")]
    [InlineData("727FC00000", "f 7FC00000")]
    [InlineData("72FFBFFFFF", "f FFBFFFFF")]
    [InlineData("823FF8000000000000", "d 3FF8000000000000")]
    [InlineData("7300000061", null)] // a char
    [InlineData("7401020304", null)] // decimals
    [InlineData("840102030405060708", null)]
    [InlineData("9401020304050607080102030405060708", null)]
    [InlineData("8300000000000007CF", "T 1")]
    [InlineData("83FFFFFFFFFFFFFFFF", "T -1")]
    [InlineData("98550E8400E29B41D4A716446655440000", "S urn:uuid:550e8400-e29b-41d4-a716-446655440000")]
    [InlineData("A001FF", "S ÿ")]
    [InlineData("B00000000161", "S a")]
    [InlineData("A10161", "S a")]
    [InlineData("B100000000", "S ")]
    [InlineData("A30161", "S a")]
    [InlineData("B30000000161", "S a")]
    [InlineData("45", "A []")]
    [InlineData("C003024041", "A [V , t 1]")]
    [InlineData("C00403407300000061", null, "malformed")]
    [InlineData("C00702730000006140", "A [V ]")] // the char is left out
    [InlineData("C10604A1016140A1016241", "F {a=V , b=t 1}", "malformed")]
    [InlineData("C10904A1016140A3016241", "F {a=V , b=t 1}")]
    [InlineData("C1040254015440", "F {}", "malformed")]
    [InlineData("C105025401A10161", "F {}", "malformed")]
    [InlineData("C106025401A10161", "F {}")] // a key that is no text
    [InlineData("E00402500102", "A [B 1, B 2]")]
    [InlineData("E0020340", "A [V , V , V ]")]
    [InlineData("E00701C0030254015401", null, "malformed")]
    [InlineData("E00701C0040254015402", "A [A [I 1, I 2]]", "malformed")]
    [InlineData("005375A00161", null)] // described
    [InlineData("E00701005375A00161", "A []")]
    public void Every_type_of_value(string hex, string? expected, string? remark = null)
    {
        byte[] value = System.Convert.FromHexString(hex);
        var model = new MessageModel10 { Annotations = Pairs.Annotated(("x-n", new Raw(System.Convert.ToHexString(value)))) };
        if (remark == "malformed")
        {
            Should.Throw<DecodeException>(() => Convert(model));
            return;
        }
        if (expected is null) Headers(model).ShouldBeEmpty();
        else Headers(model).ShouldBe([$"x-n={expected}"]);
    }

    [Fact]
    public void Ids_are_texts_or_headers()
    {
        string longest = new('i', 255);
        Id("text").ShouldBe("7: 0474657874");
        Id(18_446_744_073_709_551_615ul).ShouldBe($"7: 14{System.Convert.ToHexString("18446744073709551615"u8)}");
        Id(longest).ShouldStartWith("7: FF69");
        Id(null).ShouldBeNull();
        Id(5).ShouldBeNull();
        Headers(new MessageModel10 { Properties = new Items(new byte[] { 1, 2 }, null, null, null, null, longest + "i") })
            .ShouldBe(["x-message-id=x 0102", $"x-correlation-id=S {longest}i"]);

        static string? Id(object? id) =>
            PropertySection.Read(Convert(new MessageModel10 { Properties = new Items(id) })).Others.SingleOrDefault(p => p.Split(':')[0] == "7");
    }

    [Theory]
    [InlineData("/queues/q", "q")]
    [InlineData("/queues/%2F%c3%bc", "/ü")]
    [InlineData("/queues/", "")]
    [InlineData("/queues/a/b", "/queues/a/b")]
    [InlineData("/queues/%2", "/queues/%2")]
    [InlineData("/queues/%zz", "/queues/%zz")]
    [InlineData("/exchanges/x/k", "/exchanges/x/k")]
    public void Reply_to_is_the_name_of_a_queue_or_an_address_as_it_is(string address, string expected) =>
        Convert(new MessageModel10 { Properties = new Items(null, null, null, null, address) })
            .ShouldBe(new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 1).Text(BasicPropertyFlags.ReplyTo, expected).Encode());

    [Fact]
    public void Texts_that_0_9_1_cannot_have_are_left_out()
    {
        string tooLong = new('x', 256);
        Convert(new MessageModel10
        {
            Annotations = Pairs.Annotated(("x-basic-type", tooLong), ("x-" + tooLong, 1), ("x-map", Pairs.Named((tooLong, 1)))),
            Properties = new Items(null, new byte[] { 0xFF }, null, null, "/exchanges/" + tooLong, null,
                new Symbol(tooLong), new Symbol(tooLong), null, null, tooLong),
            Application = Pairs.Named((tooLong, 1)),
        }).ShouldBe(new PropertyBytes().Headers(Fields.Table(("x-map", Fields.Table()))).Octet(BasicPropertyFlags.DeliveryMode, 1).Encode());
        foreach (byte[] userId in (byte[][])[[0], new byte[256]])
            PropertySection.Read(Convert(new MessageModel10 { Properties = new Items(null, userId) })).Others.ShouldBe(["12: 01"]);
    }

    [Fact]
    public void Data_is_put_together_and_anything_else_stays_encoded()
    {
        Body((0x75, "bo"u8.ToArray()), (0x75, "dy"u8.ToArray()), (0x78, Pairs.Annotated(("f", 1)))).ShouldBe(("626F6479", null));
        Body((0x75, Array.Empty<byte>())).ShouldBe(("", null));
        (ulong Code, object? Value)[][] bodies = [[(0x77, "text")], [(0x76, new Items(1)), (0x76, new Items())], [(0x77, null), (0x78, new Pairs())]];
        foreach ((ulong Code, object? Value)[] sections in bodies)
            Body(sections).ShouldBe((System.Convert.ToHexString(new MessageModel10 { Body = sections }.EncodeBody()), "5: 08616D71702D312E30"));

        static (string Body, string? Type) Body(params (ulong Code, object? Value)[] sections)
        {
            Message converted = To091.Convert(new MessageModel10 { Body = sections }.ToMessage());
            converted.BodySize.ShouldBe(converted.Body.Length);
            string? type = PropertySection.Read(converted.Properties).Others.SingleOrDefault(p => p.Split(':')[0] == "5");
            return (System.Convert.ToHexString(converted.Body), type);
        }
    }

    [Fact]
    public void What_the_broker_noted_of_it_is_kept()
    {
        Message message = new MessageModel10().ToMessage();
        (message.IsPersistent, message.HasDeaths, message.ArrivedAtMs, message.ExpiresAtMs, message.DueAtMs, message.Priority) = (true, true, 1, 2, 3, 4);
        message.ExtraRoutingKeys = ["c"];
        Message converted = To091.Convert(message);
        (converted.IsPersistent, converted.HasDeaths, converted.ArrivedAtMs, converted.ExpiresAtMs, converted.DueAtMs, converted.Priority)
            .ShouldBe((true, true, 1, 2, 3, (byte)4));
        (converted.Exchange, converted.RoutingKey, converted.Format.Id).ShouldBe(("x", "k", (byte)1));
        converted.ExtraRoutingKeys.ShouldBe(["c"]);
    }

    [Fact]
    public void Deaths_are_told_as_0_9_1_tells_them()
    {
        Message message = new MessageModel10 { Header = new Items(true, null, 500u), Annotations = Pairs.Annotated(("x-cc", new Items("c"))) }.ToMessage();
        byte[] properties = message.Format.WithDeath(message, new Death("q", DeathReason.Expired, 1_700_000_000_999), keepsCarbonCopies: false);
        Message dead = message.Copy("dlx"u8, "k"u8, properties);
        dead.HasDeaths = true;
        PropertySection section = PropertySection.Read(To091.Convert(dead).Properties);
        section.HasExpiration.ShouldBeFalse();
        section.HeaderTexts.ShouldBe(
        [
            "x-first-death-reason=S expired", "x-first-death-queue=S q", "x-first-death-exchange=S x",
            "x-death=A [F {original-expiration=S 500, count=l 1, reason=S expired, queue=S q, time=T 1700000000, exchange=S x, routing-keys=A [S k, S c]}]",
            "x-last-death-reason=S expired", "x-last-death-queue=S q", "x-last-death-exchange=S x",
        ]);
        MessageFormat091.Instance.FindLastDeath(To091.Convert(dead)).ShouldBe(new DeathPlace("q", "x", "k"));
        Headers(new MessageModel10 { Annotations = Pairs.Annotated(("x-opt-deaths", "made up"), ("x-b", 1)) }).ShouldBe(["x-b=I 1"]);
    }

    [Fact]
    public void Headers_end_where_a_frame_would_not_hold_them()
    {
        (string, object?)[] many = [.. Enumerable.Range(0, 1000).Select(i => ($"n{i:d4}", (object?)new string('v', 100)))];
        string[] kept = Headers(new MessageModel10 { Application = Pairs.Named(many) });
        kept.Length.ShouldBe(To091.HeadersSizeMax / 111);
        kept[^1].ShouldStartWith($"n{kept.Length - 1:d4}=");
    }

    [Theory]
    [InlineData("40")]
    [InlineData("43")]
    [InlineData("44")]
    [InlineData("45")]
    [InlineData("41")]
    public void Values_without_bytes_do_not_grow_without_bound(string code)
    {
        string array = $"f000000005{ValueReader.EmptyItemsMax:x8}{code}"; // very many of them in 10 bytes
        (string, object?)[] many = [.. Enumerable.Range(0, 5000).Select(i => ($"x-{i}", (object?)new Raw(array)))];
        Message converted = To091.Convert(new MessageModel10 { Annotations = Pairs.Annotated(many) }.ToMessage());
        converted.Properties.Length.ShouldBeLessThan(To091.HeadersSizeMax + 100);
    }

    [Fact]
    public void What_is_nested_as_deep_as_may_be_is_valid_for_0_9_1()
    {
        object value = 1;
        for (int i = 0; i < ValueReader.DepthMax - 2; i++) value = new Items(value);
        byte[] properties = Convert(new MessageModel10 { Annotations = Pairs.Annotated(("x-n", value)) });
        PublishProperties.Read(properties);
        PropertySection.Read(properties).Find("x-n").ShouldHaveSingleItem().ShouldContain("A [I 1]");
    }

    private static string[] Headers(MessageModel10 model) => PropertySection.Read(Convert(model)).HeaderTexts;

    private static byte[] Convert(MessageModel10 model) => To091.Convert(model.ToMessage()).Properties.ToArray();
}
