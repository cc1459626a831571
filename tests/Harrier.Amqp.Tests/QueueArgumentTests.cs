namespace Harrier.Amqp.Tests;

/// <summary>The arguments of queue.declare on the wire: a row for every one of behaviour section 1.3, with every error that it has, to the letter.</summary>
public class QueueArgumentTests
{
    private const long TimeMsMax = 315_360_000_000;
    private const string Long256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    public static TheoryData<string, string, object> Accepted
    {
        get
        {
            var rows = new TheoryData<string, string, object>();
            foreach (string type in (string[])["classic", "quorum"])
            {
                rows.Add(type, "x-expires", 1);
                rows.Add(type, "x-expires", TimeMsMax);
                rows.Add(type, "x-message-ttl", 0);
                rows.Add(type, "x-message-ttl", TimeMsMax);
                rows.Add(type, "x-dead-letter-exchange", "");
                rows.Add(type, "x-dead-letter-exchange", "dlx");
                rows.Add(type, "x-max-length", 0);
                rows.Add(type, "x-max-length", long.MaxValue);
                rows.Add(type, "x-max-length-bytes", 0);
                rows.Add(type, "x-overflow", "drop-head");
                rows.Add(type, "x-overflow", "reject-publish");
                rows.Add(type, "x-overflow", "reject-publish-dlx");
                rows.Add(type, "x-single-active-consumer", true);
                rows.Add(type, "x-queue-leader-locator", "balanced");
                rows.Add(type, "x-message-deduplication", true);
                rows.Add(type, "x-cache-size", 1_000_000);
                rows.Add(type, "x-cache-ttl", 1);
                rows.Add(type, "x-deduplication-header", "id");
                rows.Add(type, "x-unheard-of", 1.5);
            }
            rows.Add("classic", "x-max-priority", 0);
            rows.Add("classic", "x-max-priority", 255);
            rows.Add("classic", "x-queue-version", 2);
            rows.Add("classic", "x-queue-master-locator", "min-masters");
            rows.Add("quorum", "x-dead-letter-strategy", "at-most-once");
            rows.Add("quorum", "x-dead-letter-strategy", "at-least-once");
            rows.Add("quorum", "x-delivery-limit", 0);
            rows.Add("quorum", "x-delivery-limit", -1);
            rows.Add("quorum", "x-quorum-initial-group-size", 3);
            rows.Add("quorum", "x-quorum-target-group-size", 3);
            rows.Add("quorum", "x-consumer-timeout", 0);
            rows.Add("quorum", "x-consumer-disconnected-timeout", 60_000);
            rows.Add("quorum", "x-delayed-retry-type", "disabled");
            rows.Add("quorum", "x-delayed-retry-min", 1);
            rows.Add("quorum", "x-delayed-retry-max", 1);
            rows.Add("quorum", "x-max-in-memory-length", 0);
            rows.Add("quorum", "x-max-in-memory-bytes", 0);
            return rows;
        }
    }

    [Theory, MemberData(nameof(Accepted)), Trait("Note", "53"), Trait("Note", "54"), Trait("Note", "94"), Trait("Note", "95"), Trait("Note", "98")]
    public async Task Argument_is_accepted_and_is_part_of_the_queue(string type, string argument, object value)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        byte[] arguments = Fields.Of(("x-queue-type", type), (argument, value));
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        await client.DeclareQueue("q", durable: true, arguments: arguments);
        byte[] without = Fields.Of(("x-queue-type", type));
        if (argument == "x-unheard-of")
        {
            await client.DeclareQueue("q", durable: true, arguments: without);
            return;
        }
        string name = value switch { string => "longstr", bool => "bool", long => "long", _ => "signedint" };
        string text = value is bool ? "true" : value.ToString()!;
        await Refused(client, $"inequivalent arg '{argument}' for queue 'q' in vhost '/': received none but current is the value '{text}' of type '{name}'", without);
    }

    public static TheoryData<string, string, object, string> Invalid
    {
        get
        {
            var rows = new TheoryData<string, string, object, string>();
            foreach (string type in (string[])["classic", "quorum"])
            {
                foreach (string time in (string[])["x-expires", "x-message-ttl", "x-cache-ttl"]) rows.Add(type, time, TimeMsMax + 1, "{value_too_large,315360000001}");
                foreach (string number in (string[])["x-expires", "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-cache-size", "x-cache-ttl"])
                {
                    rows.Add(type, number, "5", "\"expected integer, got longstr\"");
                    rows.Add(type, number, true, "\"expected integer, got bool\"");
                    rows.Add(type, number, 1.5, "\"expected integer, got double\"");
                    rows.Add(type, number, -1, "{value_negative,-1}");
                }
                foreach (string positive in (string[])["x-expires", "x-cache-size", "x-cache-ttl"]) rows.Add(type, positive, 0, "{value_zero,0}");
                foreach (string boolean in (string[])["x-single-active-consumer", "x-message-deduplication"])
                {
                    rows.Add(type, boolean, 1, "{unacceptable_type,signedint}");
                    rows.Add(type, boolean, "true", "{unacceptable_type,longstr}");
                }
                foreach (string text in (string[])["x-overflow", "x-queue-leader-locator", "x-dead-letter-routing-key", "x-deduplication-header"])
                    rows.Add(type, text, 5, "{unacceptable_type,signedint}");
                rows.Add(type, "x-overflow", "drop-tail", "invalid_overflow");
                rows.Add(type, "x-queue-leader-locator", "nowhere", "invalid_queue_locator_arg");
                rows.Add(type, "x-dead-letter-routing-key", "k", "routing_key_but_no_dlx_defined");
                rows.Add(type, "x-dead-letter-exchange", Long256, "{value_too_large,256}");
                rows.Add(type, "x-dead-letter-routing-key", Long256, "{value_too_large,256}");
                rows.Add(type, "x-deduplication-header", Long256, "{value_too_large,256}");
                rows.Add(type, "x-deduplication-header", "", "invalid_deduplication_header");
                rows.Add(type, "x-cache-size", 1_000_001, "{value_too_large,1000001}");
            }
            AddInvalidOfOneType(rows);
            return rows;
        }
    }

    private static void AddInvalidOfOneType(TheoryData<string, string, object, string> rows)
    {
        rows.Add("classic", "x-max-priority", "5", "\"expected integer, got longstr\"");
        rows.Add("classic", "x-max-priority", -1, "{value_negative,-1}");
        rows.Add("classic", "x-max-priority", 256, "{max_value_exceeded,256}");
        rows.Add("classic", "x-queue-version", 1, "\"unsupported queue version '1'\"");
        rows.Add("classic", "x-queue-version", "2", "\"expected integer, got longstr\"");
        rows.Add("classic", "x-queue-version", -1, "{value_negative,-1}");
        rows.Add("classic", "x-queue-master-locator", "nowhere", "invalid_queue_locator_arg");
        rows.Add("quorum", "x-dead-letter-strategy", "twice", "invalid_dlx_strategy");
        rows.Add("quorum", "x-dead-letter-strategy", 5, "{unacceptable_type,signedint}");
        rows.Add("quorum", "x-delivery-limit", "20", "\"expected integer, got longstr\"");
        rows.Add("quorum", "x-quorum-initial-group-size", 0, "{value_zero,0}");
        rows.Add("quorum", "x-quorum-target-group-size", 0, "{value_zero,0}");
        rows.Add("quorum", "x-consumer-timeout", -1, "{value_negative,-1}");
        rows.Add("quorum", "x-consumer-timeout", "1", "\"expected integer, got longstr\"");
        rows.Add("quorum", "x-consumer-disconnected-timeout", -1, "{value_negative,-1}");
        rows.Add("quorum", "x-delayed-retry-type", "some", "invalid_delayed_retry_type");
        rows.Add("quorum", "x-delayed-retry-type", "all", "delayed-retry-min is required when delayed-retry-type is all");
        rows.Add("quorum", "x-delayed-retry-type", "failed", "delayed-retry-min is required when delayed-retry-type is failed");
        rows.Add("quorum", "x-delayed-retry-min", 0, "{value_zero,0}");
        rows.Add("quorum", "x-delayed-retry-max", TimeMsMax + 1, "{value_too_large,315360000001}");
        rows.Add("quorum", "x-max-in-memory-length", -1, "{value_negative,-1}");
        rows.Add("quorum", "x-max-in-memory-bytes", -1, "{value_negative,-1}");
    }

    [Theory, MemberData(nameof(Invalid)), Trait("Note", "54")]
    public async Task Invalid_value_is_refused(string type, string argument, object value, string detail)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string text = $"invalid arg '{argument}' for queue 'q' in vhost '/': {detail}";
        await Refused(client, text, Fields.Of(("x-queue-type", type), (argument, value)));
    }

    [Theory]
    [InlineData("classic", "x-dead-letter-strategy", "at-most-once")]
    [InlineData("classic", "x-delivery-limit", 20)]
    [InlineData("classic", "x-quorum-initial-group-size", 3)]
    [InlineData("classic", "x-quorum-target-group-size", 3)]
    [InlineData("classic", "x-consumer-timeout", 1)]
    [InlineData("classic", "x-consumer-disconnected-timeout", 1)]
    [InlineData("classic", "x-delayed-retry-type", "all")]
    [InlineData("classic", "x-delayed-retry-min", 1)]
    [InlineData("classic", "x-delayed-retry-max", 1)]
    [InlineData("classic", "x-max-in-memory-length", 1)]
    [InlineData("classic", "x-max-in-memory-bytes", 1)]
    [InlineData("classic", "x-queue-mode", "lazy")]
    [InlineData("classic", "x-max-age", "1D")]
    [InlineData("classic", "x-stream-max-segment-size-bytes", 1)]
    [InlineData("classic", "x-stream-filter-size-bytes", 16)]
    [InlineData("classic", "x-initial-cluster-size", 1)]
    [InlineData("quorum", "x-queue-mode", "lazy")]
    [InlineData("quorum", "x-max-priority", 5)]
    [InlineData("quorum", "x-queue-version", 2)]
    [InlineData("quorum", "x-queue-master-locator", "min-masters")]
    [InlineData("quorum", "x-max-age", "1D")]
    [InlineData("quorum", "x-stream-max-segment-size-bytes", 1)]
    [InlineData("quorum", "x-stream-filter-size-bytes", 16)]
    [InlineData("quorum", "x-initial-cluster-size", 1)]
    public async Task Argument_of_another_queue_type_is_refused(string type, string argument, object value)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        string text = $"invalid arg '{argument}' for queue 'q' in vhost '/' of queue type rabbit_{type}_queue";
        await Refused(client, text, Fields.Of(("x-queue-type", type), (argument, value)));
    }

    [Theory]
    [InlineData("nonsense", "\"unsupported queue type 'nonsense'\"")]
    [InlineData(5, "{unacceptable_type,signedint}")]
    [InlineData("stream", "this version of Harrier does not implement 'stream' queues yet")]
    public async Task Queue_type_is_one_that_exists(object type, string detail)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Refused(client, $"invalid arg 'x-queue-type' for queue 'q' in vhost '/': {detail}", Fields.Of(("x-queue-type", type)));
    }

    [Fact]
    public async Task Dead_letter_exchange_that_is_no_name_is_noticed_before_everything_else()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Refused(
            client, "invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'",
            Fields.Of(("x-queue-type", "nonsense"), ("x-expires", 0), ("x-dead-letter-exchange", 5)));
    }

    [Fact]
    public async Task Delays_of_retries_are_a_range()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Refused(
            client,
            "invalid arg 'x-delayed-retry-type' for queue 'q' in vhost '/': delayed-retry-max (9) must be greater than or equal to delayed-retry-min (10)",
            Fields.Of(("x-queue-type", "quorum"), ("x-delayed-retry-type", "all"), ("x-delayed-retry-min", 10), ("x-delayed-retry-max", 9)));
        await client.DeclareQueue(
            "q", durable: true,
            arguments: Fields.Of(("x-queue-type", "quorum"), ("x-delayed-retry-type", "all"), ("x-delayed-retry-min", 10), ("x-delayed-retry-max", 10)));
    }

    [Fact, Trait("Note", "33")]
    public async Task Redeclaration_with_another_value_shows_both()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-max-length", 10), ("x-dead-letter-exchange", "dlx")));
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-dead-letter-exchange", "dlx"), ("x-max-length", 10L)));
        await Refused(
            client, "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '5' but current is '10'",
            Fields.Of(("x-max-length", 5), ("x-dead-letter-exchange", "dlx")));
        await Refused(
            client, "inequivalent arg 'x-dead-letter-exchange' for queue 'q' in vhost '/': received 'other' but current is 'dlx'",
            Fields.Of(("x-max-length", 10), ("x-dead-letter-exchange", "other")));
        await Refused(
            client, "inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the value '5' of type 'signedint' but current is none",
            Fields.Of(("x-max-length", 10), ("x-dead-letter-exchange", "dlx"), ("x-message-ttl", 5)));
    }

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
    public async Task Quorum_queue_takes_and_gives_messages()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Publish("", "q", "x");
        (await client.Get("q")).Text.ShouldBe("x");
    }

    private static async Task Refused(WireScript client, string text, byte[] arguments)
    {
        await client.Send(new QueueDeclare { Queue = "q"u8, Durable = true, Arguments = arguments });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - " + text, 50, 10);
    }
}
