namespace Harrier.Amqp.Tests;

/// <summary>Frames as bytes: sizes, ends, cuts, order of method, header and body.</summary>
public class FrameTests
{
    private const int FrameMax = 8192;

    [Theory, Trait("Note", "12")]
    [InlineData(FrameMax - 8)]
    [InlineData(FrameMax)] // 8 octets more than fit: quite a few clients get it wrong
    public async Task Note_12_body_frame_up_to_eight_octets_too_large_is_tolerated(int payload)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { FrameMax = FrameMax });
        await client.DeclareQueue("q");
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header((ulong)payload).Body(new byte[payload]));
        (await client.Get("q")).Body.Length.ShouldBe(payload);
    }

    [Fact, Trait("Note", "12")]
    public async Task Note_12_larger_frame_is_refused_as_soon_as_its_size_is_there()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open(new OpenOptions { FrameMax = FrameMax });
        await client.SendBytes(new byte[] { 3, 0, 1, 0, 0, 0x20, 1 });
        await client.ExpectConnectionClose(501, "FRAME_ERROR - type 3: {frame_too_large,8193,8192}", 0, 0);
    }

    [Theory, Trait("Note", "12")]
    [InlineData(0x7FFFFFFF)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public async Task Note_12_huge_and_negative_sizes_are_refused(int size)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.SendBytes(new byte[] { 1, 0, 1, (byte)(size >> 24), (byte)(size >> 16), (byte)(size >> 8), (byte)size });
        await client.ExpectConnectionCloseLike(501, "frame_too_large");
    }

    [Fact, Trait("Note", "12")]
    public async Task Note_12_wrong_end_octet()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] frame = new Frames().Method(new ChannelFlow { Active = true }).Bytes;
        frame[^1] = 0xCD;
        await client.SendBytes(frame);
        await client.ExpectConnectionCloseLike(501, "FRAME_ERROR - ");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(255)]
    public async Task Unknown_frame_type(byte type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.SendBytes(new byte[] { type, 0, 1, 0, 0, 0, 0, 0xCE });
        await client.ExpectConnectionCloseLike(501, "FRAME_ERROR - ");
    }

    [Fact]
    public async Task Garbage_after_the_close_ends_the_connection()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.SendBytes(new byte[64]);
        await client.Expect(AmqpMethod.ConnectionClose, 0);
        await client.SendBytes(new byte[64]);
        await client.ExpectEnd();
    }

    [Fact]
    public async Task Frame_that_never_ends_is_an_abrupt_end()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.SendBytes(new byte[] { 1, 0, 1, 0, 0 });
        client.EndInput();
        await client.ExpectEnd();
    }

    [Theory]
    [InlineData("")] // no method id
    [InlineData("0032")] // half of one
    [InlineData("0032000A")] // queue.declare without arguments
    [InlineData("0032000A0000FF71")] // a name that ends beyond the frame
    [InlineData("0032000A0000017100FFFFFFFF")] // arguments of 4 GiB
    [InlineData("0032000A000001710000000010")] // arguments that end beyond the frame
    public async Task Truncated_method_is_a_frame_error(string payload)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Frame(FrameType.Method, 1, Convert.FromHexString(payload)));
        await client.ExpectConnectionCloseLike(501, "FRAME_ERROR - ");
    }

    [Fact, Trait("Note", "12")]
    public async Task Note_12_frame_error_blames_no_method_that_has_nothing_to_do_with_it()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.SendBytes(new byte[] { 9, 0, 1, 0, 0, 0, 0, 0xCE });
        WireFrame close = await client.Expect(AmqpMethod.ConnectionClose, 0);
        BlamedBy(close).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Malformed_arguments_blame_the_method_that_has_them_or_none()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = [1, 0x61, (byte)'?', 0] });
        WireFrame close = await client.Expect(AmqpMethod.ConnectionClose, 0);
        BlamedBy(close).ShouldBeOneOf((50, 10), (0, 0));
    }

    [Fact]
    public async Task Unknown_field_type_is_a_syntax_error()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = [1, 0x61, (byte)'?', 0] });
        await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(10_000, false)]
    public async Task Tables_nest_only_so_deep(int depth, bool isAccepted)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = Nested(depth) });
        if (isAccepted) await client.Expect(AmqpMethod.QueueDeclareOk);
        else await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Fact]
    public async Task Headers_nest_only_so_deep()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x", new PropertyBytes().Headers(Nested(10_000)).Encode());
        await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Fact]
    public async Task Every_field_type_is_read()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] fields = Convert.FromHexString(
            "01" + "61" + "7401" + // t
            "01" + "62" + "62FF" + "01" + "63" + "42FF" + // b B
            "01" + "64" + "73FFFF" + "01" + "65" + "75FFFF" + // s u
            "01" + "66" + "49FFFFFFFF" + "01" + "67" + "69FFFFFFFF" + // I i
            "01" + "68" + "6CFFFFFFFFFFFFFFFF" + "01" + "69" + "4CFFFFFFFFFFFFFFFF" + // l L
            "01" + "6A" + "663F800000" + "01" + "6B" + "643FF0000000000000" + // f d
            "01" + "6C" + "4402000000FF" + "01" + "6D" + "54000000005F000000" + // D T
            "01" + "6E" + "5300000001FF" + "01" + "6F" + "7800000001FF" + // S x
            "01" + "70" + "41000000027401" + // A of t
            "01" + "71" + "4600000000" + "01" + "72" + "56"); // F V
        await client.DeclareQueue("q", arguments: fields);
        await client.Publish("", "q", "x", new PropertyBytes().Headers(fields).Encode());
        (await client.Get("q")).Properties.ShouldBe(new PropertyBytes().Headers(fields).Encode());
    }

    [Fact, Trait("Note", "13")]
    public async Task Note_13_content_frame_on_channel_0()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Header(1, channel: 0));
        await client.ExpectConnectionCloseLike(505, "UNEXPECTED_FRAME - ");
    }

    [Theory, Trait("Note", "14")]
    [InlineData(FrameType.Header)]
    [InlineData(FrameType.Body)]
    public async Task Note_14_content_without_a_method(FrameType type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(type == FrameType.Header ? new Frames().Header(1) : new Frames().Body([1]));
        await client.ExpectConnectionClose(505, "UNEXPECTED_FRAME - expected method frame, got non method frame instead", 0, 0);
    }

    [Fact, Trait("Note", "14")]
    public async Task Note_14_header_of_another_class()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(1, classId: 50));
        await client.ExpectConnectionClose(505, "UNEXPECTED_FRAME - expected content header for class 60, got one for class 50 instead", 60, 40);
    }

    [Fact, Trait("Note", "14")]
    public async Task Note_14_body_without_a_header()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Body([1]));
        await client.ExpectConnectionClose(
            505, "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead", 60, 40);
    }

    [Fact, Trait("Note", "14")]
    public async Task Note_14_method_where_a_header_is_due()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Method(new BasicPublish { RoutingKey = "q"u8 }));
        await client.ExpectConnectionCloseLike(505, "expected content header for class 60, got non content header frame instead");
    }

    [Theory, Trait("Note", "14")]
    [InlineData(FrameType.Method)]
    [InlineData(FrameType.Header)]
    public async Task Note_14_other_frame_where_a_body_is_due(FrameType type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        Frames frames = new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(5);
        await client.Send(type == FrameType.Header ? frames.Header(5) : frames.Method(new BasicGet { Queue = "q"u8 }));
        await client.ExpectConnectionCloseLike(505, "expected content body, got non content body frame instead");
    }

    [Fact, Trait("Note", "14")]
    public async Task Note_14_body_longer_than_announced()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(3).Body([1, 2]).Body([3, 4]));
        await client.ExpectConnectionClose(501, "FRAME_ERROR - content body frame exceeds remaining content size", 60, 40);
    }

    [Fact, Trait("Note", "14")]
    public async Task Note_14_empty_body_has_no_frame_in_either_direction()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "");
        WireContent got = await client.Get("q");
        got.Body.ShouldBeEmpty();
        got.BodyFrameSizes.ShouldBeEmpty();
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Empty_body_frames_in_the_middle_are_harmless()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(2).Body([]).Body([1]).Body([]).Body([2]));
        (await client.Get("q")).Body.ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData("003C00000000000000000001")] // ends before the flags
    [InlineData("003C000000000000000000018000")] // a content-type that is not there
    [InlineData("003C00000000000000000001800005616263")] // a content-type that ends beyond the header
    [InlineData("003C000000000000000000010001")] // a flag word that is to go on
    [InlineData("003C0000000000000000000100000000")] // octets after the last property
    public async Task Malformed_content_header_is_a_frame_error(string payload)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(
            new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Frame(FrameType.Header, 1, Convert.FromHexString(payload)).Body([1]));
        await client.ExpectConnectionCloseLike(501, "FRAME_ERROR - ");
    }

    [Fact]
    public async Task Frames_of_other_channels_may_stand_between_those_of_a_message()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.OpenChannel(2);
        await client.DeclareQueue("q");
        await client.Send(new Frames()
            .Method(new BasicPublish { RoutingKey = "q"u8 }).Method(new BasicPublish { RoutingKey = "q"u8 }, 2)
            .Header(1).Heartbeat().Header(1, channel: 2).Body([2], 2).Body([1]));
        (await client.Get("q")).Body.ShouldBe([2]);
        (await client.Get("q")).Body.ShouldBe([1]);
    }

    [Theory]
    [InlineData(4096, 4088, new[] { 4096 })]
    [InlineData(4096, 4089, new[] { 4096, 9 })]
    [InlineData(4096, 10_000, new[] { 4096, 4096, 1832 })]
    [InlineData(8192, 8184, new[] { 8192 })]
    [InlineData(8192, 20_000, new[] { 8192, 8192, 3640 })]
    [InlineData(131_072, 131_064, new[] { 131_072 })]
    [InlineData(131_072, 131_065, new[] { 131_072, 9 })]
    public async Task Bodies_are_split_by_the_negotiated_frame_size(uint frameMax, int size, int[] frames)
    {
        await using var server = new TestServer();
        WireScript publisher = await server.Open();
        WireScript client = await server.Open(new OpenOptions { FrameMax = frameMax });
        await client.DeclareQueue("q");
        byte[] body = new byte[size];
        new Random(size).NextBytes(body);
        await publisher.Send(new Frames().Publish("", "q", body));
        await publisher.ExpectQuiet();
        await client.Consume("q", "c");
        WireContent delivery = await client.ExpectDelivery();
        delivery.Body.ShouldBe(body);
        delivery.BodyFrameSizes.ShouldBe(frames);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        (await client.ExpectDelivery()).BodyFrameSizes.ShouldBe(frames);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(100)]
    public async Task Conversation_in_small_segments_gives_the_same_output(int segmentBytes)
    {
        byte[] expected = await Converse(segmentBytes: 0, cut: null, byteByByte: false);
        (await Converse(segmentBytes, cut: null, byteByByte: false)).ShouldBe(expected);
    }

    [Fact]
    public async Task Conversation_byte_by_byte_gives_the_same_output()
    {
        byte[] expected = await Converse(segmentBytes: 0, cut: null, byteByByte: false);
        (await Converse(segmentBytes: 0, cut: null, byteByByte: true)).ShouldBe(expected);
        (await Converse(segmentBytes: 1, cut: null, byteByByte: true)).ShouldBe(expected);
    }

    [Fact]
    public async Task Conversation_cut_at_every_byte_gives_the_same_output()
    {
        byte[] expected = await Converse(segmentBytes: 0, cut: null, byteByByte: false);
        for (int cut = 1; cut < Conversation().Length; cut++)
            (await Converse(segmentBytes: 0, cut, byteByByte: false)).ShouldBe(expected, $"cut at byte {cut}");
    }

    private static async Task<byte[]> Converse(int segmentBytes, int? cut, bool byteByByte)
    {
        await using var server = new TestServer();
        WireScript client = server.Connect(segmentBytes: segmentBytes);
        client.SendsByteByByte = byteByByte;
        byte[] input = Conversation();
        await client.SendBytes(input.AsMemory(0, cut ?? 0));
        await client.SendBytes(input.AsMemory(cut ?? 0));
        return await client.ReceiveAllBytes();
    }

    // A client that knows all answers in advance. Confirms come in batches, so there is one, and nothing between it and the end.
    private static byte[] Conversation() =>
    [
        .. WireScript.ProtocolHeader,
        .. new Frames()
            .Method(
                new ConnectionStartOk { ClientProperties = Fields.Of(("product", "x")), Mechanism = "PLAIN"u8, Response = "\0guest\0guest"u8 },
                0)
            .Method(new ConnectionTuneOk { ChannelMax = 10, FrameMax = 4096 }, 0)
            .Method(new ConnectionOpen { VirtualHost = "/"u8 }, 0)
            .Method(new ChannelOpen())
            .Method(new QueueDeclare { Queue = "q"u8, Arguments = Fields.Of(("x-note", "some text")) })
            .Publish("", "q", "hello", new PropertyBytes().Text(BasicPropertyFlags.AppId, "app").Headers(Fields.Table(("a", 1))).Encode())
            .Publish("", "q", "")
            .Heartbeat()
            .Publish("", "nowhere", "returned", mandatory: true)
            .Method(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8 })
            .Method(new BasicQos { PrefetchCount = 5 })
            .Method(new BasicAck { DeliveryTag = 2, Multiple = true })
            .Method(new ConfirmSelect())
            .Publish("", "q", "confirmed")
            .Method(new ChannelClose { ReplyCode = 200, ReplyText = "done"u8 })
            .Method(new ConnectionClose { ReplyCode = 200, ReplyText = "done"u8 }, 0)
            .Bytes,
    ];

    private static byte[] Nested(int depth)
    {
        byte[] fields = [];
        for (int i = 1; i < depth; i++) fields = new FieldTableWriter().Add("t", FieldType.Table, fields).Written.ToArray();
        return fields;
    }

    private static (int, int) BlamedBy(WireFrame frame)
    {
        ConnectionClose close = ConnectionClose.Decode(frame.Arguments);
        return (close.ClassId, close.MethodId);
    }
}
