using Harrier.Protocol.Amqp091;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>Does everyday work, to see whether the broker still does its own.</summary>
internal static class WellBehavedClient
{
    private static readonly byte[] Body = "still here"u8.ToArray();

    // All of it is sent at once: the answers do not change what is said.
    private static readonly byte[] Work = new Frames()
        .Method(new ConfirmSelect())
        .Method(new QueueDeclare { Queue = "of-a-well-behaved-client"u8, Exclusive = true })
        .Publish("", "of-a-well-behaved-client", Body)
        .Method(new BasicGet { Queue = "of-a-well-behaved-client"u8, NoAck = true })
        .Method(new QueueDelete { Queue = "of-a-well-behaved-client"u8 })
        .Method(new ChannelClose { ReplyCode = ReplyCode.Success })
        .Method(new ConnectionClose { ReplyCode = ReplyCode.Success }, channel: 0)
        .Bytes;

    private static readonly AmqpMethod[] Expected =
    [
        AmqpMethod.ConnectionStart, AmqpMethod.ConnectionTune, AmqpMethod.ConnectionOpenOk, AmqpMethod.ChannelOpenOk, AmqpMethod.ConfirmSelectOk,
        AmqpMethod.QueueDeclareOk, AmqpMethod.BasicGetOk, AmqpMethod.QueueDeleteOk, AmqpMethod.BasicAck, AmqpMethod.ChannelCloseOk,
        AmqpMethod.ConnectionCloseOk,
    ];

    /// <summary>From the protocol header to the opening of channel 1.</summary>
    public static byte[] Opening { get; } = new Frames()
        .Raw(WireScript.ProtocolHeader)
        .Method(new ConnectionStartOk
        {
            ClientProperties = new OpenOptions().ClientProperties(),
            Mechanism = "PLAIN"u8,
            Response = "\0guest\0guest"u8,
            Locale = "en_US"u8,
        }, channel: 0)
        .Method(new ConnectionTuneOk { ChannelMax = 2047, FrameMax = 131_072, Heartbeat = 10 }, channel: 0)
        .Method(new ConnectionOpen { VirtualHost = "/"u8 }, channel: 0)
        .Method(new ChannelOpen())
        .Bytes;

    /// <summary>Asserts that the broker serves such a client.</summary>
    public static async Task AssertServedAsync(BrokerUnderFire broker)
    {
        byte[] answers = await broker.TalkAsync([Opening, Work], TimeSpan.Zero, segmentBytes: 0);
        ServerOutput.Check(answers);
        ServerOutput.Methods(answers).ShouldBe(Expected);
        answers.AsSpan().IndexOf(Body).ShouldBePositive();
    }
}
