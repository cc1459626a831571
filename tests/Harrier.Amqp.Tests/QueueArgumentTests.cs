namespace Harrier.Amqp.Tests;

/// <summary>The arguments of queue.declare: types, what is valid, what is not built yet.</summary>
public class QueueArgumentTests
{
    [Theory]
    [InlineData(false, false, false, "non-durable")]
    [InlineData(true, true, false, "auto-delete")]
    [InlineData(true, false, true, "exclusive-owner")]
    public async Task Quorum_queue_is_durable_shared_and_stays(bool durable, bool autoDelete, bool exclusive, string property)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare
        {
            Queue = "q"u8,
            Durable = durable,
            AutoDelete = autoDelete,
            Exclusive = exclusive,
            Arguments = Fields.Of(("x-queue-type", "quorum")),
        });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - invalid property '{property}' for queue 'q' in vhost '/'", 50, 10);
    }

    [Fact]
    public async Task Quorum_queue_is_accepted()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] arguments = Fields.Of(("x-queue-type", "quorum"), ("x-quorum-initial-group-size", 3));
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        await client.Publish("", "q", "x");
        (await client.Get("q")).Text.ShouldBe("x");
    }

    public static TheoryData<string, string> NotBuilt => new()
    {
        { "x-message-ttl", "classic" },
        { "x-expires", "classic" },
        { "x-dead-letter-exchange", "classic" },
        { "x-max-length", "classic" },
        { "x-max-length-bytes", "classic" },
        { "x-overflow", "classic" },
        { "x-max-priority", "classic" },
        { "x-single-active-consumer", "classic" },
        { "x-message-deduplication", "classic" },
        { "x-delivery-limit", "quorum" },
        { "x-dead-letter-strategy", "quorum" },
        { "x-consumer-timeout", "quorum" },
    };

    [Theory, MemberData(nameof(NotBuilt)), Trait("Note", "53"), Trait("Note", "54"), Trait("Note", "94"), Trait("Note", "95"), Trait("Note", "98")]
    public async Task Arguments_that_are_not_built_yet_are_refused_by_name(string argument, string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        object value = argument switch
        {
            "x-dead-letter-exchange" => "dlx",
            "x-overflow" => "reject-publish",
            "x-dead-letter-strategy" => "at-least-once",
            "x-single-active-consumer" or "x-message-deduplication" => true,
            _ => 5,
        };
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = true, Arguments = Fields.Of(("x-queue-type", type), (argument, value)) });
        await client.ExpectChannelClose(
            406, $"PRECONDITION_FAILED - arg '{argument}' for queue 'q' in vhost '/' is valid, but this version of Harrier does not implement it yet",
            50, 10);
    }

    [Theory, Trait("Note", "54")]
    [InlineData("x-expires", "{value_zero,0}")]
    [InlineData("x-message-ttl", null)]
    public async Task Note_54_zero_is_no_lease_but_a_time_to_live(string argument, string? detail)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = Fields.Of((argument, 0)) });
        string text = detail is null
            ? $"arg '{argument}' for queue 'q' in vhost '/' is valid, but this version of Harrier does not implement it yet"
            : $"invalid arg '{argument}' for queue 'q' in vhost '/': {detail}";
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - " + text, 50, 10);
    }

    [Fact, Trait("Note", "54")]
    public async Task Note_54_no_priorities_are_no_priorities()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-max-priority", 0), ("x-single-active-consumer", false)));
    }

    [Theory]
    [InlineData("x-message-ttl", -1, "{value_negative,-1}")]
    [InlineData("x-max-length", -5, "{value_negative,-5}")]
    [InlineData("x-max-priority", 256, "{max_value_exceeded,256}")]
    public async Task Arguments_out_of_range_are_invalid(string argument, int value, string detail)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = Fields.Of((argument, value)) });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - invalid arg '{argument}' for queue 'q' in vhost '/': {detail}", 50, 10);
    }

    [Fact]
    public async Task Argument_of_a_wrong_type_is_invalid()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Arguments = Fields.Of(("x-message-ttl", "60000")) });
        await client.ExpectChannelClose(
            406, "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'q' in vhost '/': {unacceptable_type,longstr}", 50, 10);
    }

    [Fact]
    public async Task Stream_queue_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = true, Arguments = Fields.Of(("x-queue-type", "stream")) });
        WireFrame close = await client.Expect(AmqpMethod.ChannelClose);
        close.ToString().ShouldContain("406 PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q' in vhost '/'");
    }

    [Fact]
    public async Task Unknown_arguments_are_ignored()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", arguments: Fields.Of(("x-unheard-of", 1)));
        await client.DeclareQueue("q", arguments: Fields.Of(("x-unheard-of", 2)));
    }
}
