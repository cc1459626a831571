namespace Harrier.Amqp.Tests;

/// <summary>basic.publish and basic.return: checks, properties, CC and BCC.</summary>
public class PublishingTests
{
    [Fact, Trait("Note", "56")]
    public async Task Note_56_permission_comes_before_existence()
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(".*", "^$", ".*"))]);
        WireScript client = await server.Open();
        await client.Publish("none", "k", "x");
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - write access to exchange 'none' in vhost '/' refused for user 'guest'", 60, 40);
    }

    [Fact, Trait("Note", "56")]
    public async Task Note_56_size_comes_before_permission()
    {
        await using var server = new TestServer(
            [TestUsers.Create("guest", "guest", TestUsers.May(".*", "^$", ".*"))], limits: new ConnectionLimits { MessageBytesMax = 10 });
        WireScript client = await server.Open();
        await client.Publish("none", "k", "12345678901");
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - message size 11 is larger than configured max size 10", 60, 40);
    }

    [Fact, Trait("Note", "56")]
    public async Task Note_56_internal_comes_before_expiration_and_expiration_before_user_id()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] both = new PropertyBytes().Text(BasicPropertyFlags.Expiration, "?").Text(BasicPropertyFlags.UserId, "other").Encode();
        await client.DeclareExchange("inside", "fanout", isInternal: true);
        await client.Publish("inside", "", "x", both);
        await client.ExpectChannelClose(403, "ACCESS_REFUSED - cannot publish to internal exchange 'inside' in vhost '/'", 60, 40);
        await client.Publish("", "q", "x", both);
        (await client.Expect(AmqpMethod.ChannelClose)).ToString().ShouldContain("406 PRECONDITION_FAILED - invalid expiration '?'");
    }

    [Fact, Trait("Note", "57")]
    public async Task Note_57_missing_exchange_closes_the_channel_and_later_messages_are_lost()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new Frames().Publish("", "q", "kept").Publish("none", "k", "x").Publish("", "q", "lost").Publish("", "q", "lost too"));
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'none' in vhost '/'", 60, 40);
        (await client.Drain("q")).ShouldBe(["kept"]);
    }

    [Theory, Trait("Note", "58")]
    [InlineData("^amq\\.default$", true)]
    [InlineData("default", true)] // anywhere in the name
    [InlineData("^$", false)]
    [InlineData("", false)] // as ^$: the default exchange has a name here
    public async Task Note_58_default_exchange_is_called_amq_default(string write, bool isAllowed)
    {
        await using var server = new TestServer([TestUsers.Create("guest", "guest", TestUsers.May(".*", write, ".*"))]);
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        const string Refused = "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'guest'";
        if (isAllowed) (await client.Drain("q")).ShouldBe(["x"]);
        else await client.ExpectChannelClose(403, Refused, 60, 40);
    }

    [Fact, Trait("Note", "59")]
    public async Task Note_59_without_topic_permissions_every_key_is_allowed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.topic", "any.key");
        await client.Publish("amq.topic", "any.key", "x");
        (await client.Drain("q")).ShouldBe(["x"]);
    }

    [Fact, Trait("Note", "60")]
    public async Task Note_60_too_large_a_message_is_refused_after_it_was_read()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] body = new byte[(16 << 20) + 1];
        Frames frames = new Frames().Publish("", "q", body);
        byte[] bytes = frames.Bytes;
        await client.SendBytes(bytes.AsMemory(0, bytes.Length - 9)); // all but the last octet and the end of its frame
        await client.SendBytes(bytes.AsMemory(bytes.Length - 9));
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - message size 16777217 is larger than configured max size 16777216", 60, 40);
    }

    [Fact, Trait("Note", "60")]
    public async Task Note_60_message_of_exactly_the_maximum_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(unreadBytesMax: 32 << 20);
        await client.DeclareQueue("q");
        byte[] body = new byte[16 << 20];
        new Random(1).NextBytes(body);
        await client.Send(new Frames().Publish("", "q", body));
        (await client.Get("q")).Body.AsSpan().SequenceEqual(body).ShouldBeTrue();
    }

    [Theory, Trait("Note", "60")]
    [InlineData(536_870_913ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    public async Task Note_60_announcing_more_than_512_MiB_is_a_frame_error(ulong size)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(size));
        await client.ExpectConnectionClose(501, $"FRAME_ERROR - content body size {size} exceeds maximum allowed size 536870912", 60, 40);
    }

    [Fact]
    public async Task Announcing_much_and_sending_little_costs_little()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        for (ushort channel = 2; channel < 200; channel++)
        {
            await client.OpenChannel(channel);
            await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }, channel).Header(16 << 20, channel: channel));
        }
        GC.GetTotalMemory(forceFullCollection: true).ShouldBeLessThan(1L << 30);
        await client.ExpectQuiet();
    }

    [Theory, Trait("Note", "61")]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("10s")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("315360000001")]
    public async Task Note_61_invalid_expiration(string value)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Publish("", "q", "x", new PropertyBytes().Text(BasicPropertyFlags.Expiration, value).Encode());
        (await client.Expect(AmqpMethod.ChannelClose)).ToString().ShouldContain($"406 PRECONDITION_FAILED - invalid expiration '{value}': ");
    }

    [Theory, Trait("Note", "61")]
    [InlineData("0")]
    [InlineData("60000")]
    [InlineData("315360000000")]
    public async Task Note_61_valid_expiration_is_taken(string value)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Publish("", "none", "x", new PropertyBytes().Text(BasicPropertyFlags.Expiration, value).Encode(), mandatory: true);
        (await client.ExpectReturn()).ReplyCode.ShouldBe(312);
    }

    [Fact, Trait("Note", "61")]
    public async Task Note_61_expiration_is_delivered_as_it_came()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.Expiration, "060000").Text(BasicPropertyFlags.MessageId, "1").Encode();
        await client.Publish("", "q", "x", properties);
        (await client.Get("q")).Properties.ShouldBe(properties);
    }

    [Fact, Trait("Note", "62")]
    public async Task Note_62_user_id_must_be_the_users_own()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "mine", new PropertyBytes().Text(BasicPropertyFlags.UserId, "guest").Encode());
        (await client.Drain("q")).ShouldBe(["mine"]);
        await client.Publish("", "q", "x", new PropertyBytes().Text(BasicPropertyFlags.UserId, "other").Encode());
        await client.ExpectChannelClose(
            406, "PRECONDITION_FAILED - user_id property set to 'other' but authenticated user was 'guest'", 60, 40);
        await client.Publish("", "q", "x", new PropertyBytes().Text(BasicPropertyFlags.UserId, "").Encode());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - user_id property set to '' but authenticated user was 'guest'", 60, 40);
    }

    [Fact, Trait("Note", "62")]
    public async Task Note_62_impersonator_may_be_anyone()
    {
        await using var server = new TestServer([TestUsers.Guest with { Tags = new HashSet<string> { "impersonator" } }]);
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x", new PropertyBytes().Text(BasicPropertyFlags.UserId, "other").Encode());
        (await client.Drain("q")).ShouldBe(["x"]);
    }

    [Fact, Trait("Note", "63")]
    public async Task Note_63_immediate_is_not_implemented()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8, Immediate = true }).Header(0));
        await client.ExpectConnectionClose(540, "NOT_IMPLEMENTED - immediate=true", 60, 40);
    }

    [Fact, Trait("Note", "64")]
    public async Task Note_64_return_carries_everything_and_comes_before_the_ack()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        byte[] properties = new PropertyBytes()
            .Text(BasicPropertyFlags.ContentType, "text/plain")
            .Headers(Fields.Table(("CC", Fields.Texts("other", "more")), ("a", 1)))
            .Encode();
        await client.Publish("amq.direct", "first", "body", properties, mandatory: true);
        WireContent returned = await client.ExpectReturn();
        (returned.ReplyCode, returned.ReplyText, returned.Exchange, returned.RoutingKey, returned.Text)
            .ShouldBe((312, "NO_ROUTE", "amq.direct", "first", "body"));
        returned.Properties.ShouldBe(properties);
        (await client.ExpectAck()).ShouldBe((1ul, false));
    }

    [Fact, Trait("Note", "64")]
    public async Task Note_64_returned_body_is_split_by_the_frame_size()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { FrameMax = 4096 });
        await client.Send(new Frames().Publish("", "none", new byte[5000], mandatory: true, frameMax: 4096));
        WireContent returned = await client.ExpectReturn();
        returned.BodyFrameSizes.ShouldBe([4096, 920]);
    }

    [Fact]
    public async Task Unroutable_message_that_is_not_mandatory_is_dropped()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Publish("", "none", "x");
        await client.Publish("amq.direct", "none", "x");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Mandatory_message_that_is_routed_is_not_returned()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x", mandatory: true);
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "47")]
    public async Task Note_47_CC_and_BCC_route_once_per_queue()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        foreach (string queue in (string[])["q", "cc", "bcc"]) await client.DeclareQueue(queue);
        byte[] properties = new PropertyBytes()
            .Headers(Fields.Table(("CC", Fields.Texts("cc", "q", "cc")), ("BCC", Fields.Texts("bcc", "cc"))))
            .Encode();
        await client.Publish("", "q", "x", properties);
        foreach (string queue in (string[])["q", "cc", "bcc"]) (await client.Drain(queue)).ShouldBe(["x"]);
    }

    [Fact, Trait("Note", "47")]
    public async Task Note_47_CC_works_for_other_exchanges_and_counts_as_routed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.topic", "a.*");
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("CC", Fields.Texts("a.b")))).Encode();
        await client.Publish("amq.topic", "none", "x", properties, mandatory: true);
        WireContent got = await client.Get("q");
        (got.Text, got.RoutingKey).ShouldBe(("x", "none"));
    }

    [Fact, Trait("Note", "47")]
    public async Task Note_47_message_without_CC_after_one_with_it_goes_only_where_it_should()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareQueue("cc");
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("CC", Fields.Texts("cc")))).Encode();
        await client.Send(new Frames().Publish("", "q", "a").Publish("", "q", "b", properties).Publish("", "q", "c"));
        (await client.Drain("q")).ShouldBe(["a", "b", "c"]);
        (await client.Drain("cc")).ShouldBe(["b"]);
    }

    [Fact, Trait("Note", "48"), Trait("Note", "75")]
    public async Task Note_48_BCC_is_removed_and_nothing_else_is_touched()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] before = Fields.Of(("z", "last letter first"), ("CC", Fields.Texts("k")));
        byte[] bcc = Fields.Of(("BCC", Fields.Texts("q")));
        byte[] after = Fields.Of(("a", 5L), ("void", null), ("a", "twice"), ("bytes", new byte[] { 0, 255 }), ("bcc", Fields.Texts("lower case")));
        await client.Publish("", "q", "x", Full([.. before, .. bcc, .. after]));
        (await client.Get("q")).Properties.ShouldBe(Full([.. before, .. after]));
    }

    [Theory, Trait("Note", "48")]
    [InlineData("cc")]
    [InlineData("Bcc")]
    public async Task Note_48_names_are_case_sensitive(string header)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareQueue("copy");
        await client.Publish("", "q", "x", new PropertyBytes().Headers(Fields.Table((header, Fields.Texts("copy")))).Encode());
        (await client.Drain("copy")).ShouldBeEmpty();
    }

    [Theory, Trait("Note", "48")]
    [InlineData("CC")]
    [InlineData("BCC")]
    public async Task Note_48_value_must_be_an_array_of_texts(string header)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Publish("", "q", "x", new PropertyBytes().Headers(Fields.Table((header, "text"))).Encode());
        (await client.Expect(AmqpMethod.ChannelClose)).ToString()
            .ShouldContain("406 PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,");
        await client.Send(new ChannelCloseOk());
        await client.OpenChannel(1);
        byte[] arrayOfBooleans = new FieldTableWriter().Add(header, FieldType.Array, [(byte)'t', 1]).Written.ToArray();
        await client.Publish("", "q", "x", new PropertyBytes().Headers(arrayOfBooleans).Encode());
        (await client.Expect(AmqpMethod.ChannelClose)).ToString()
            .ShouldContain("406 PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,");
    }

    [Fact, Trait("Note", "75"), Trait("Note", "76"), Trait("Note", "74")]
    public async Task Note_75_properties_pass_through_byte_for_byte()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true);
        byte[] properties = Full(Fields.Of(("z", 1), ("a", 2L), ("z", "again"), ("t", Fields.Table(("y", 1), ("b", null))), ("d", 1.5)));
        await client.Publish("", "q", "x", properties);
        await client.Publish("", "q", "y", PropertyBytes.None);
        (await client.Get("q")).Properties.ShouldBe(properties);
        (await client.Get("q")).Properties.ShouldBe(PropertyBytes.None); // an absent delivery-mode stays absent
    }

    [Fact, Trait("Note", "76")]
    public async Task Note_76_timestamp_has_64_bits_and_any_priority_is_taken()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        byte[] properties = new PropertyBytes().Timestamp(ulong.MaxValue).Octet(BasicPropertyFlags.Priority, 255).Encode();
        await client.Publish("", "q", "x", properties);
        (await client.Get("q")).Properties.ShouldBe(properties);
    }

    [Fact]
    public async Task Large_bodies_and_many_queues_share_one_message()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] body = new byte[300_000];
        new Random(3).NextBytes(body);
        for (int i = 0; i < 20; i++)
        {
            await client.DeclareQueue($"q{i}");
            await client.Bind($"q{i}", "amq.fanout", "");
        }
        await client.Send(new Frames().Publish("amq.fanout", "", body));
        for (int i = 0; i < 20; i++) (await client.Get($"q{i}")).Body.ShouldBe(body);
    }

    [Fact]
    public async Task Queue_that_is_deleted_and_declared_again_is_another_target()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "old");
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await client.Publish("", "q", "lost");
        await client.DeclareQueue("q");
        await client.Publish("", "q", "new");
        (await client.Drain("q")).ShouldBe(["new"]);
    }

    [Fact]
    public async Task Exchange_that_is_deleted_between_two_publications_is_not_found()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript other = await server.Open();
        await client.DeclareExchange("x", "fanout");
        await client.Publish("x", "k", "fine");
        await client.ExpectQuiet();
        await other.Call(new ExchangeDelete { Exchange = "x"u8 }, AmqpMethod.ExchangeDeleteOk);
        await client.Publish("x", "k", "not any more");
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'x' in vhost '/'", 60, 40);
    }

    private static byte[] Full(byte[] headers) => new PropertyBytes()
        .Text(BasicPropertyFlags.ContentType, "application/octet-stream")
        .Text(BasicPropertyFlags.ContentEncoding, "gzip")
        .Headers(headers)
        .Octet(BasicPropertyFlags.DeliveryMode, 2)
        .Octet(BasicPropertyFlags.Priority, 9)
        .Text(BasicPropertyFlags.CorrelationId, "correlation")
        .Text(BasicPropertyFlags.ReplyTo, "reply")
        .Text(BasicPropertyFlags.MessageId, "")
        .Timestamp(1_700_000_000)
        .Text(BasicPropertyFlags.Type, "type")
        .Text(BasicPropertyFlags.UserId, "guest")
        .Text(BasicPropertyFlags.AppId, "app")
        .Text(BasicPropertyFlags.ClusterId, "cluster")
        .Encode();
}
