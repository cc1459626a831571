using System.Text;
using Harrier.Protocol.Amqp091;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>Pieces of AMQP that chance would not come up with.</summary>
internal static class Fragments
{
    private static readonly string[] Names =
    [
        "", "q", "q2", "e", "e2", "amq.direct", "amq.topic", "amq.headers", "amq.fanout", "amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.x",
        "amq.gen-x", "direct", "topic", "headers", "fanout", "x-match", "all", "any", "all-with-x", "CC", "BCC", "alternate-exchange",
        "x-queue-type", "classic", "quorum", "stream", "x-priority", "x-max-length", "x-dead-letter-exchange", "a.b.c", "*.b.#", "#", "#.#",
        "guest", "PLAIN", "AMQPLAIN", "LOGIN", "PASSWORD", "\0guest\0guest", "en_US", "/", "1000", "-1", "99999999999999999999",
    ];

    // One of each type, with a value at its border; the last one's inner length is a lie.
    private static readonly string[] ValuesInHex =
    [
        "7400", "7401", "62FF", "42FF", "73FFFF", "75FFFF", "49FFFFFFFF", "69FFFFFFFF", "6C7FFFFFFFFFFFFFFF", "4C8000000000000000", "667FC00000",
        "64FFF8000000000000", "4402FFFFFFFF", "5300000000", "530000000161", "4100000000", "410000000A53000000005300000000", "5400000000FFFFFFFF",
        "4600000000", "4600000003016156", "7800000000", "56", "46000000064600000001",
    ];

    /// <summary>Names, values and lengths for the inside of payloads.</summary>
    public static IReadOnlyList<byte[]> Words { get; } =
    [
        .. Names.Select(Encoding.UTF8.GetBytes),
        .. Names.Select(n => (byte[])[(byte)n.Length, .. Encoding.UTF8.GetBytes(n)]),
        .. Names.Select(n => (byte[])[(byte)'S', 0, 0, 0, (byte)n.Length, .. Encoding.UTF8.GetBytes(n)]),
        .. ValuesInHex.Select(Convert.FromHexString),
        .. Fields.Of(("CC", new[] { "q", "q2" }), ("BCC", new[] { "q2" }), ("x-match", "any"), ("n", null)).Chunk(9),
        LongestName("k"), LongestName("é"),
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [Frame.End], [0xC3], [0xE2, 0x82, 0xAC],
    ];

    /// <summary>Whole frames of a client, content included.</summary>
    public static IReadOnlyList<byte[]> Frames { get; } =
    [
        Of(f => f.Method(new ChannelOpen())),
        Of(f => f.Method(new ChannelOpen(), channel: 2)),
        Of(f => f.Method(new ChannelClose { ReplyCode = 200 })),
        Of(f => f.Method(new ChannelCloseOk()).Method(new ChannelOpen())), // goes on after an error
        Of(f => f.Method(new ChannelCloseOk(), channel: 2).Method(new ChannelOpen(), channel: 2)),
        Of(f => f.Method(new ChannelFlow { Active = true })),
        Of(f => f.Method(new QueueDeclare { Queue = "q"u8 })),
        Of(f => f.Method(new QueueDeclare { Queue = "q"u8, Passive = true })),
        Of(f => f.Method(new QueueDeclare { Queue = "q2"u8, AutoDelete = true, Nowait = true })),
        Of(f => f.Method(new QueueDeclare { Exclusive = true })),
        Of(f => f.Method(new QueueDeclare { Queue = "q3"u8, Durable = true, Arguments = Fields.Of(("x-queue-type", "quorum")) })),
        Of(f => f.Method(new QueueBind { Queue = "q"u8, Exchange = "amq.topic"u8, RoutingKey = "a.*.#"u8 })),
        Of(f => f.Method(new QueueBind { Queue = "q"u8, Exchange = "amq.headers"u8, Arguments = AnyOfTwo })),
        Of(f => f.Method(new QueueUnbind { Queue = "q"u8, Exchange = "amq.topic"u8, RoutingKey = "a.*.#"u8 })),
        Of(f => f.Method(new QueueDelete { Queue = LongestName("é").AsSpan(1) }).Method(new BasicGet { Queue = LongestName("é").AsSpan(1) })),
        Of(f => f.Method(new ExchangeDeclare { Exchange = "e3"u8, Type = LongestName("k").AsSpan(1) })),
        Of(f => f.Method(new QueuePurge { Queue = "q"u8 })),
        Of(f => f.Method(new QueueDelete { Queue = "q"u8 })),
        Of(f => f.Method(new ExchangeDeclare { Exchange = "e"u8, Type = "topic"u8, AutoDelete = true })),
        Of(f => f.Method(new ExchangeDeclare { Exchange = "e2"u8, Type = "fanout"u8, Arguments = Fields.Of(("alternate-exchange", "e")) })),
        Of(f => f.Method(new ExchangeBind { Source = "e"u8, Destination = "e2"u8, RoutingKey = "#"u8 })),
        Of(f => f.Method(new ExchangeDeclare { Exchange = "e"u8, Type = "topic"u8 })
            .Method(new ExchangeDeclare { Exchange = "e2"u8, Type = "fanout"u8 })
            .Method(new ExchangeBind { Source = "e"u8, Destination = "e2"u8 })
            .Method(new ExchangeUnbind { Source = "e"u8, Destination = "e2"u8 })),
        Of(f => f.Method(new ExchangeBind { Source = "e2"u8, Destination = "e"u8 })),
        Of(f => f.Method(new ExchangeUnbind { Source = "e"u8, Destination = "e2"u8, RoutingKey = "#"u8 })),
        Of(f => f.Method(new ExchangeDelete { Exchange = "e"u8 })),
        Of(f => f.Method(new BasicQos { PrefetchCount = 2 })),
        Of(f => f.Method(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8 })),
        Of(f => f.Method(new BasicConsume { Queue = "q"u8, NoAck = true, Arguments = Fields.Of(("x-priority", 5)) })),
        Of(f => f.Method(new BasicConsume { Queue = "q2"u8, ConsumerTag = "d"u8, Exclusive = true })),
        Of(f => f.Method(new BasicConsume { Queue = "amq.rabbitmq.reply-to"u8, ConsumerTag = "r"u8, NoAck = true })),
        Of(f => f.Method(new BasicCancel { ConsumerTag = "c"u8 })),
        Of(f => f.Method(new BasicGet { Queue = "q"u8 })),
        Of(f => f.Method(new BasicGet { Queue = "q"u8, NoAck = true })),
        Of(f => f.Method(new BasicAck { DeliveryTag = 1 })),
        Of(f => f.Method(new BasicAck { Multiple = true })),
        Of(f => f.Method(new BasicNack { DeliveryTag = 2, Multiple = true, Requeue = true })),
        Of(f => f.Method(new BasicReject { DeliveryTag = 1, Requeue = true })),
        Of(f => f.Method(new BasicRecover { Requeue = true })),
        Of(f => f.Method(new ConfirmSelect())),
        Of(f => f.Method(new TxSelect())),
        Of(f => f.Method(new TxCommit())),
        Of(f => f.Method(new TxRollback())),
        Of(f => f.Method(new AccessRequest { Realm = "/data"u8 })),
        Of(f => f.Method(new ConnectionClose { ReplyCode = 200 }, channel: 0)),
        Of(f => f.Method(new ConnectionUpdateSecret { NewSecret = "guest"u8 }, channel: 0)),
        Of(f => f.Heartbeat()),
        Of(f => f.Publish("", "q", "body")),
        Of(f => f.Publish("", "q", "")),
        Of(f => f.Publish("", "nowhere", "body", mandatory: true)),
        Of(f => f.Publish("amq.topic", "a.b.c", "body", Persistent)),
        Of(f => f.Publish("amq.headers", "", "body", new PropertyBytes().Headers(Fields.Of(("n", 1), ("t", "x"))).Encode())),
        Of(f => f.Publish("", "", "body", new PropertyBytes().Headers(Fields.Of(("CC", new[] { "q", "q2" }), ("BCC", new[] { "q" }))).Encode())),
        Of(f => f.Publish("", "q", "body", new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, "amq.rabbitmq.reply-to").Encode())),
        Of(f => f.Publish("", "q", "body", new PropertyBytes().Text(BasicPropertyFlags.UserId, "guest").Encode())),
        Of(f => f.Publish("", "q", "body", new PropertyBytes().Text(BasicPropertyFlags.Expiration, "100").Encode())),
        Of(f => f.Method(new BasicPublish { RoutingKey = "q"u8 })),
        Of(f => f.Header(4)),
        Of(f => f.Header(ulong.MaxValue)),
        Of(f => f.Body("bo"u8.ToArray())),
    ];

    // A whole shortstr, as long as one can be.
    private static byte[] LongestName(string character)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(character, byte.MaxValue / Encoding.UTF8.GetByteCount(character))));
        return [(byte)text.Length, .. text];
    }

    private static byte[] AnyOfTwo => Fields.Of(("x-match", "any"), ("n", 1), ("t", "x"));

    private static byte[] Persistent => new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Encode();

    private static byte[] Of(Action<Frames> build)
    {
        var frames = new Frames();
        build(frames);
        return frames.Bytes;
    }
}
