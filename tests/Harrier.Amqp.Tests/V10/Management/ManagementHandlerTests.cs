using Harrier.Amqp.V10;
using Harrier.Amqp.V10.Management;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;
using static Harrier.Amqp.Tests.V10.Management.Any10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>What requests to the management node may say, and how it answers, whatever they are about.</summary>
[Trait("Note", "114")]
public class ManagementHandlerTests
{
    private readonly ManagementClient _client = ManagementClient.Create();

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/queues")]
    [InlineData("GET", "/queues/q/bindings")]
    [InlineData("GET", "/queues/q/messages/")]
    [InlineData("PUT", "/exchanges/x/y")]
    [InlineData("GET", "//queues/q")]
    [InlineData("PUT", "/auth")]
    public void A_path_that_is_none_is_not_found(string method, string path) => _client.Send(method, path, Map()).ShouldBe((404, $"\"there is no '{path}'\""));

    [Theory]
    [InlineData("POST", "/queues/q")]
    [InlineData("get", "/queues/q")]
    [InlineData("GET", "/queues/q/messages")]
    [InlineData("GET", "/exchanges/x")]
    [InlineData("DELETE", "/bindings")]
    [InlineData("GET", "/bindings/src=x;dstq=q;key=;args=")]
    [InlineData("POST", "/auth/tokens")]
    [InlineData("PUT ", "/queues/q")]
    public void A_method_that_a_path_does_not_have_is_not_allowed(string method, string path) =>
        _client.Send(method, path, Map()).ShouldBe((405, $"\"there is no {method} of '{path}'\""));

    [Theory]
    [InlineData("👎")]
    [InlineData("queues/q")]
    [InlineData("/queues/a b")]
    [InlineData("/queues/q#fragment")]
    [InlineData("/queues/\"q\"")]
    public void What_is_no_uri_is_refused(string uri) => _client.Send("GET", uri).ShouldBe((400, $"\"failed to normalize URI '{uri}': invalid_uri \"{uri}\"\""));

    [Fact]
    public void A_uri_has_its_longest_size()
    {
        _client.Status("GET", "/" + new string('a', 4095)).ShouldBe(404);
        _client.Status("GET", "/" + new string('a', 4096)).ShouldBe(400);
    }

    [Fact]
    public void The_password_that_a_client_has_is_taken_as_its_new_token()
    {
        _client.Send("PUT", "/auth/tokens", "guest"u8.ToArray()).ShouldBe((204, "null"));
        _client.Send("PUT", "/auth/tokens", "other"u8.ToArray()).ShouldBe((401, "\"New secret was refused by one of the backends\""));
        _client.Send("PUT", "/auth/tokens", "guest").ShouldBe((400, "\"the body of this request is a binary with the token\""));
    }

    [Fact]
    public void Arguments_keep_their_types()
    {
        Dictionary<string, object?> arguments = Map(
            ("null", null), ("boolean", true), ("text", "é"), ("symbol", new Symbol("s")), ("binary", new byte[] { 1 }), ("byte", (sbyte)-1), ("ubyte", (byte)255),
            ("short", (short)-300), ("ushort", (ushort)65535), ("int", -70_000), ("uint", 3_000_000_000u), ("long", -5_000_000_000L), ("ulong", 5_000_000_000UL),
            ("float", 0.5f), ("double", 0.1), ("time", DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000)), ("list", new object?[] { 1, "a" }),
            ("array", new Encoded(0xe0, 4, 2, (byte)FormatCode.UByte, 7, 8)), ("map", Map(("inner", 1u))));
        (int status, string body) = _client.Send("PUT", "/queues/q", Map(("arguments", arguments)));
        status.ShouldBe(201);
        body.ShouldContain(
            """
            "arguments": {"null": null, "boolean": true, "text": "é", "symbol": "s", "binary": <01>, "byte": -1 byte, "ubyte": 255 ubyte, "short": -300 short, "ushort": 65535 ushort,
            """.TrimEnd() +
            """
             "int": -70000 int, "uint": 3000000000 uint, "long": -5000000000 long, "ulong": 5000000000 long, "float": 0.5 float, "double": 0.1 double, "time": 1700000000000 ms,
            """.TrimEnd() +
            """
             "list": [1 int, "a"], "array": [7 ubyte, 8 ubyte], "map": {"inner": 1 uint}}
            """.TrimEnd());
        ArgumentTable made = _client.Topology.Queues["q"].Definition.Arguments;
        made.Find("time")!.Value.Integer.ShouldBe(1_700_000_000); // seconds, as in 0-9-1
        made.Find("symbol")!.Value.Kind.ShouldBe(ArgumentKind.Text);
    }

    [Fact]
    public void Values_that_have_no_place_among_arguments_are_refused()
    {
        object?[] values =
        [
            ulong.MaxValue, Guid.Empty, new Encoded((byte)FormatCode.Char, 0, 0, 0, 65), new Encoded((byte)FormatCode.Decimal32, 0, 0, 0, 1),
            new Encoded(0, (byte)FormatCode.SmallULong, 5, (byte)FormatCode.True), new object?[] { ulong.MaxValue },
            new Encoded(0xe0, 6, 1, 0, (byte)FormatCode.SmallULong, 5, (byte)FormatCode.UByte, 1),
        ];
        foreach (object? value in values)
        {
            (int status, string body) = _client.Send("PUT", "/queues/q", Map(("arguments", Map(("a", value)))));
            status.ShouldBe(400);
            body.ShouldStartWith("\"unsupported argument {{utf8,<<\"a\">>},");
        }
        _client.Status("PUT", "/queues/q", Map(("arguments", new Encoded((byte)FormatCode.Map8, 3, 2, (byte)FormatCode.UInt0, (byte)FormatCode.Null)))).ShouldBe(400);
        _client.Status("PUT", "/queues/q", Map(("arguments", Map((new string('n', 256), 1))))).ShouldBe(400);
        _client.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public void Arguments_are_no_more_than_a_request_may_have()
    {
        object?[] many = [.. Enumerable.Repeat((object?)null, Arguments10.CountMax - 1)];
        _client.Status("PUT", "/queues/q", Map(("arguments", Map(("a", many))))).ShouldBe(201);
        _client.Send("PUT", "/queues/q", Map(("arguments", Map(("a", many), ("b", 1))))).ShouldBe((400, "\"more than 4096 arguments\""));
        var nothings = new Encoded(0xf0, 0, 0, 0, 5, 0, 0, 0, 255, (byte)FormatCode.Null); // 255 nulls in no bytes
        object?[] more = [.. Enumerable.Repeat((object?)nothings, 17)];
        _client.Send("PUT", "/queues/q", Map(("arguments", Map(("a", more))))).ShouldBe((400, "\"more than 4096 arguments\""));
    }

    [Fact]
    public void Values_that_nest_too_deep_are_no_request()
    {
        object? nested = 1;
        for (int i = 0; i < ValueReader.DepthMax; i++) nested = new[] { nested };
        Should.Throw<DecodeException>(() => _client.Send("PUT", "/queues/q", Map(("arguments", Map(("a", nested))))));
    }

    [Theory]
    [InlineData(null, "/queues/q", "$me")]
    [InlineData("GET", null, "$me")]
    [InlineData("GET", "/queues/q", null)]
    [InlineData("GET", "/queues/q", "/queues/replies")]
    public void A_message_that_is_no_request_is_refused_as_such(string? method, string? uri, string? replyTo) =>
        Should.Throw<AmqpException>(() => ManagementRequest.Read(ManagementClient.Message(method, uri, null, replyTo: replyTo)))
            .Condition.ShouldBe("amqp:invalid-field");

    [Fact]
    public void A_request_needs_no_body()
    {
        byte[] message = ManagementClient.Message("GET", "/queues/q", null);
        ManagementRequest request = ManagementRequest.Read(message.AsSpan(..^4));
        (request.Method, request.Body.IsNull).ShouldBe(("GET", true));
        Should.Throw<DecodeException>(() => ManagementRequest.Read(message.AsSpan(..^5)));
    }

    [Fact]
    public void A_body_of_data_is_no_value()
    {
        byte[] message = ManagementClient.Message("PUT", "/queues/q", null);
        byte[] data = [.. message[..^4], 0, (byte)FormatCode.SmallULong, (byte)Descriptors.Data, (byte)FormatCode.Binary8, 0];
        ManagementRequest.Read(data).Body.IsNull.ShouldBeTrue();
    }

    [Theory]
    [InlineData("an id")]
    [InlineData(7ul)]
    [InlineData(null)]
    public void A_reply_says_what_it_is_a_reply_to(object? id)
    {
        byte[] reply = ManagementReply.NoContent().ToMessage(id is null ? default : Any10.Encode(id));
        var reader = new ValueReader(reply);
        reader.ReadDescriptor().ShouldBe(MessageProperties.Code);
        MessageProperties properties = MessageProperties.Decode(ref reader);
        Any10.Text(properties.CorrelationId.IsEmpty ? Any10.Encode(null) : properties.CorrelationId).ShouldBe(Any10.Text(Any10.Encode(id)));
        properties.Subject.SequenceEqual("204"u8).ShouldBeTrue();
        reader.ReadDescriptor().ShouldBe(Descriptors.ApplicationProperties);
        Any10.Text(reader.ReadValue()).ShouldBe("""{"http:response": "1.1"}""");
        reader.ReadDescriptor().ShouldBe(Descriptors.AmqpValue);
        Any10.Text(reader.ReadValue()).ShouldBe("null");
        reader.IsAtEnd.ShouldBeTrue();
    }
}
