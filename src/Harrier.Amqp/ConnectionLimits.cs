namespace Harrier.Amqp;

/// <summary>What a client may ask for and use up. Every limit that is checked on the wire stands here, with RabbitMQ's defaults (behaviour section 1.2).</summary>
public sealed class ConnectionLimits
{
    /// <summary>Bytes of the largest frame that is negotiated.</summary>
    public int FrameBytesMax { get; set; } = 131_072;

    /// <summary>Bytes of the smallest frame-max that a client may ask for. RabbitMQ asks for 8192 since 4.1, which old clients do not know (gate G5).</summary>
    public int FrameBytesMin { get; set; } = 4096;

    /// <summary>Bytes of a frame before the negotiation.</summary>
    public int InitialFrameBytesMax { get; set; } = 8192;

    /// <summary>Channels that one connection may have open.</summary>
    public int ChannelsMax { get; set; } = 2047;

    /// <summary>Consumers that one channel may have.</summary>
    public int ConsumersPerChannelMax { get; set; } = 100_000;

    /// <summary>Bytes of the largest message body.</summary>
    public int MessageBytesMax { get; set; } = 16 << 20;

    /// <summary>Bytes that one transaction may publish, counted once per queue: it is written to disk in one piece.</summary>
    public int TransactionBytesMax { get; set; } = 256 << 20;

    /// <summary>
    /// Whether a consumer that keeps a delivery for too long loses its channel, as with RabbitMQ up to 4.2; otherwise it loses the delivery only.
    /// </summary>
    public bool ConsumerTimeoutClosesChannel { get; set; }

    /// <summary>Connections at one time.</summary>
    public int ConnectionsMax { get; set; } = 100_000;

    /// <summary>The heartbeat interval that is proposed, in seconds; 0 for none.</summary>
    public int HeartbeatSeconds { get; set; } = 60;

    /// <summary>Time for a client to get from its first byte to an open virtual host.</summary>
    public int HandshakeTimeoutMs { get; set; } = 10_000;

    /// <summary>Time for a client to answer connection.close.</summary>
    public int CloseTimeoutMs { get; set; } = 5_000;
}
