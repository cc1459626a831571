using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What no peer may send: it costs the connection that it came on, and no other (1.0 part 2, sections 2.3 and 2.8.15).</summary>
public class BadInputTests
{
    [Theory, MemberData(nameof(NoFrames))]
    public async Task What_is_no_frame_closes_the_connection_at_once(string _, byte[] bytes)
    {
        foreach (bool isByteByByte in (bool[])[false, true])
        {
            await using var server = new TestServer();
            WireScript10 other = await server.Open10();
            WireScript10 client = await server.Open10();
            client.SendsByteByByte = isByteByByte;
            await client.SendBytes(bytes);
            (await client.Expect<WireClose>(0)).Error!.Condition.ShouldBe("amqp:connection:framing-error");
            await client.ExpectEndOfStream(); // where the next frame begins cannot be known
            await other.ExpectQuiet();
        }
    }

    public static TheoryData<string, byte[]> NoFrames => new()
    {
        { "size 0", [0, 0, 0, 0, 2, 0, 0, 1] },
        { "size 7", [0, 0, 0, 7, 2, 0, 0, 1] },
        { "size above the maximum", [0, 2, 0, 1, 2, 0, 0, 1] },
        { "size of everything", [0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 1] },
        { "negative size", [0x80, 0, 0, 0, 2, 0, 0, 1] },
        { "data offset 0", [0, 0, 0, 8, 0, 0, 0, 1] },
        { "data offset 1", [0, 0, 0, 8, 1, 0, 0, 1] },
        { "data offset beyond the frame", [0, 0, 0, 8, 3, 0, 0, 1] },
        { "largest data offset", [0, 0, 0, 12, 255, 0, 0, 1] },
        { "unknown type", [0, 0, 0, 8, 2, 2, 0, 1] },
        { "another unknown type", [0, 0, 0, 8, 2, 255, 0, 1] },
        { "text", "GET / HTTP/1.1\r\n"u8.ToArray() },
    };

    [Fact]
    public async Task Frame_of_the_largest_size_is_taken()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] transfer = Encoded10.Composite(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8 });
        byte[] message = new Message10().Data(new byte[131_072 - Frame10.HeaderSize - transfer.Length - 8]).Bytes;
        byte[] frame = new Frames10().Frame([.. transfer, .. message]).Bytes;
        frame.Length.ShouldBe(131_072);
        await client.SendBytes(frame);
        await client.ExpectDisposition("accepted", 0);
    }

    [Fact]
    public async Task Extended_header_is_passed_over()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        byte[] begin = Encoded10.Composite(new Begin { IncomingWindow = 1, OutgoingWindow = 1 });
        await client.SendBytes((byte[])[0, 0, 0, (byte)(16 + begin.Length), 4, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, .. begin]);
        await client.Expect<WireBegin>(7);
    }

    [Fact]
    public async Task Sasl_frame_after_sasl_closes_the_connection()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 }));
        await client.ExpectClose("amqp:connection:framing-error");
    }

    [Theory, MemberData(nameof(NoPerformatives))]
    public async Task What_is_no_performative_closes_the_connection(string _, byte[] body)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 other = await server.Open10();
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Send(new Frames10().Frame(body));
        await client.ExpectClose("amqp:decode-error");
        await other.ExpectQuiet();
    }

    public static TheoryData<string, byte[]> NoPerformatives => new()
    {
        { "null", [0x40] },
        { "a number", [0x52, 1] },
        { "a list", [0x45] },
        { "half a descriptor", [0x00] },
        { "a descriptor only", [0x00, 0x53, 0x13] },
        { "a descriptor of a wrong type", [0x00, 0x50, 0x13, 0x45] },
        { "a descriptor of a descriptor", [0x00, 0x00, 0x53, 0x13, 0x45] },
        { "descriptors without an end", [.. Enumerable.Repeat((byte)0, 1000)] },
        { "a map", [0x00, 0x53, 0x13, 0xC1, 1, 0] },
        { "an array", [0x00, 0x53, 0x13, 0xE0, 2, 0, 0x40] },
        { "an unknown constructor", [0x00, 0x53, 0x13, 0x3F] },
        { "a list beyond its frame", [0x00, 0x53, 0x13, 0xC0, 100, 1, 0x40] },
        { "a list of 4 G", [0x00, 0x53, 0x13, 0xD0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1] },
        { "a list of 4 G items", [0x00, 0x53, 0x13, 0xD0, 0, 0, 0, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0x40] },
        { "a list of more items than bytes", [0x00, 0x53, 0x13, 0xC0, 2, 9, 0x40] },
        { "a list of fewer items than bytes", [0x00, 0x53, 0x13, 0xC0, 6, 4, 0x43, 0x43, 0x43, 0x43, 0x43] },
        { "a flow without what it needs", [0x00, 0x53, 0x13, 0x45] },
        { "a flow of strings", [0x00, 0x53, 0x13, 0xC0, 11, 4, 0xA1, 1, 0x31, 0xA1, 1, 0x31, 0x43, 0x43, 0x43] },
        { "a flow of ulongs", [0x00, 0x53, 0x13, 0xC0, 5, 4, 0x44, 0x44, 0x44, 0x44] },
        { "a flow of too many fields", [0x00, 0x53, 0x13, 0xC0, 13, 12, 0x40, 0x43, 0x43, 0x43, .. Enumerable.Repeat((byte)0x40, 8)] },
        { "a boolean that is 2", [0x00, 0x53, 0x13, 0xC0, 12, 10, 0x40, 0x43, 0x43, 0x43, 0x40, 0x40, 0x40, 0x40, 0x40, 0x56, 2] },
        { "properties that are deep", Flow([0x40, 0x43, 0x43, 0x43, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, .. Enumerable.Repeat((byte)0, 200)], 11) },
        { "properties that are no map", Flow([0x40, 0x43, 0x43, 0x43, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x45], 11) },
        { "a transfer without a handle", [0x00, 0x53, 0x14, 0x45] },
        { "a transfer with a tag that is text", [0x00, 0x53, 0x14, 0xC0, 6, 3, 0x43, 0x43, 0xA1, 1, 0x74] },
        { "a transfer with a settle mode that there is not", [0x00, 0x53, 0x14, 0xC0, 9, 7, 0x43, 0x43, 0x40, 0x40, 0x40, 0x40, 0x50, 2] },
        { "a disposition without a role", [0x00, 0x53, 0x15, 0xC0, 3, 2, 0x40, 0x43] },
        { "a disposition with a state that is no state", [0x00, 0x53, 0x15, 0xC0, 6, 5, 0x41, 0x43, 0x40, 0x41, 0x45] },
        { "a disposition with an unknown state", [0x00, 0x53, 0x15, 0xC0, 9, 5, 0x41, 0x43, 0x40, 0x41, 0x00, 0x53, 0x7F, 0x45] },
        { "an attach without a name", [0x00, 0x53, 0x12, 0xC0, 4, 3, 0x40, 0x43, 0x41] },
        { "an attach with a role that is a number", [0x00, 0x53, 0x12, 0xC0, 6, 3, 0xA1, 1, 0x6E, 0x43, 0x43] },
        { "an attach with a settle mode that there is not", [0x00, 0x53, 0x12, 0xC0, 8, 4, 0xA1, 1, 0x6E, 0x44 - 1, 0x41, 0x50, 3] },
        { "a detach without a handle", [0x00, 0x53, 0x16, 0x45] },
        { "capabilities of nothing, many times", AttachWithCapabilities([0xF0, 0, 0, 0, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0x40]) },
        { "capabilities that are numbers", AttachWithCapabilities([0xE0, 4, 2, 0x50, 1, 2]) },
        { "capabilities beyond their size", AttachWithCapabilities([0xE0, 4, 1, 0xA3, 200, 1]) },
    };

    [Theory]
    [InlineData(0x00UL)]
    [InlineData(0x19UL)]
    [InlineData(0x28UL)]
    [InlineData(0x70UL)]
    [InlineData(ulong.MaxValue)]
    public async Task Unknown_performative_closes_the_connection(ulong descriptor)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Frame(Encoded10.Described(descriptor, [0x45])));
        WireClose close = await client.Expect<WireClose>(0);
        close.Error!.Condition.ShouldBeOneOf("amqp:illegal-state", "amqp:decode-error", "amqp:not-implemented");
    }

    [Fact]
    public async Task Descriptor_may_be_a_symbol()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Frame([0x00, 0xA3, 13, .. "amqp:end:list"u8, 0x45]));
        await client.Expect<WireEnd>();
    }

    [Fact]
    public async Task Capabilities_may_be_an_array_of_nothing()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Frame(AttachWithCapabilities([0xE0, 2, 0, 0xA3])));
        await client.Expect<WireAttach>();
    }

    [Theory, MemberData(nameof(BeforeOpen))]
    public async Task Nothing_but_open_comes_first(string _, byte[] body, string condition)
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.Login();
        client.FrameBytesMax = 1024; // it has not heard of ours
        await client.Send(new Frames10().Frame(body, 0));
        await client.Expect<WireOpen>(0);
        await client.ExpectClose(condition);
    }

    public static TheoryData<string, byte[], string> BeforeOpen => new()
    {
        { "begin", Encoded10.Composite(new Begin()), "amqp:illegal-state" },
        { "unknown", Encoded10.Described(99, [0x45]), "amqp:illegal-state" },
        { "no performative", [0x40], "amqp:decode-error" },
        { "open without a container-id", Encoded10.Described(Open.Code, [0x45]), "amqp:decode-error" },
        { "open with a container-id that is a number", Encoded10.Described(Open.Code, [0xC0, 2, 1, 0x43]), "amqp:decode-error" },
        { "open with a channel-max that is a uint", Encoded10.Described(Open.Code, [0xC0, 7, 4, 0xA1, 1, 0x63, 0x40, 0x40, 0x43]), "amqp:decode-error" },
    };

    [Fact]
    public async Task Close_before_open_ends_the_connection()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.Login();
        await client.Send(new Close(), 0);
        await client.Served.WaitAsync(TestServer.SafetyNet);
        server.ConnectionCount.ShouldBe(0);
    }

    [Theory, MemberData(nameof(WithinSasl))]
    public async Task Anything_else_within_sasl_ends_the_connection_without_a_performative(string _, byte[] bytes)
    {
        await using var server = new TestServer();
        WireScript10 other = await server.Open10();
        WireScript10 client = server.Connect10();
        await client.BeginSasl();
        await client.SendBytes(bytes);
        WireFrame10? last = await client.Receive();
        if (last is not null) last.Performative.ShouldBeOfType<WireOutcome>().Code.ShouldNotBe(SaslCode.Ok);
        await client.ExpectEndOfStream();
        await other.ExpectQuiet();
    }

    public static TheoryData<string, byte[]> WithinSasl => new()
    {
        { "open", new Frames10().Add(new Open { ContainerId = "c"u8 }, 0).Bytes },
        { "close", new Frames10().Add(new Close(), 0).Bytes },
        { "an empty frame", new Frames10().Frame([], 0, FrameType10.Sasl).Bytes },
        { "a response before the beginning", new Frames10().Sasl(new SaslResponse { Response = "x"u8 }).Bytes },
        { "an outcome", new Frames10().Sasl(new SaslOutcome { SaslCode = SaslCode.Ok }).Bytes },
        { "an init without a mechanism", new Frames10().Frame(Encoded10.Described(SaslInit.Code, [0x45]), 0, FrameType10.Sasl).Bytes },
        { "an init twice", new Frames10().Sasl(new SaslInit { Mechanism = "SCRAM-SHA-256"u8 }).Sasl(new SaslInit { Mechanism = "PLAIN"u8 }).Bytes },
        { "a number", new Frames10().Frame([0x52, 1], 0, FrameType10.Sasl).Bytes },
        { "a frame that is too large", [0x7F, 0xFF, 0xFF, 0xFF, 2, 1, 0, 0] },
        { "no frame", "0123456789abcdef"u8.ToArray() },
        { "the header of AMQP", WireScript10.ProtocolHeader },
    };

    [Fact]
    public async Task Empty_frame_within_sasl_may_be_a_sign_of_life()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.Login();
        await client.Send(new Frames10().Empty()); // after SASL it is
        await client.SendOpen(new OpenOptions10());
        await client.Expect<WireOpen>(0);
    }

    [Fact]
    public async Task Empty_frames_may_come_on_any_channel()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10().Empty().Empty(1).Empty(ushort.MaxValue));
        await client.ExpectQuiet();
    }

    private static byte[] Flow(byte[] fields, byte count) =>
        [0x00, 0x53, 0x13, 0xD0, 0, 0, (byte)((fields.Length + 4) >> 8), (byte)(fields.Length + 4), 0, 0, 0, count, .. fields];

    private static byte[] AttachWithCapabilities(byte[] capabilities)
    {
        byte[] fields = [0xA1, 1, 0x6E, 0x52, 3, 0x41, .. Enumerable.Repeat((byte)0x40, 8), .. capabilities];
        return [0x00, 0x53, 0x12, 0xC0, (byte)(fields.Length + 1), 12, .. fields];
    }
}
