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

    /// <summary>Sessions that one 1.0 connection may have (RabbitMQ's channel-max of 63 and one).</summary>
    public int SessionsMax { get; set; } = 64;

    /// <summary>Links that one 1.0 session may have (behaviour note 109: handles up to 255).</summary>
    public int LinksPerSessionMax { get; set; } = 256;

    /// <summary>Deliveries that a 1.0 sender may have under way on one link.</summary>
    public int LinkCreditMax { get; set; } = 10_000;

    /// <summary>Transfers that a 1.0 peer may have under way in one session.</summary>
    public int IncomingWindowMax { get; set; } = 16_384;

    /// <summary>Durable termini of 1.0 links that one virtual host may have, attached or not. They are queues, and whoever may publish or consume can make them.</summary>
    public int TerminiMax { get; set; } = 10_000;

    /// <summary>The virtual host of 1.0 connections that name none.</summary>
    public string DefaultVirtualHost { get; set; } = "/";

    /// <summary>Whether 1.0 links may use the addresses of RabbitMQ before 4.0: /queue/q, /amq/queue/q, /exchange/x/k, /topic/k.</summary>
    public bool AllowsAddressVersion1 { get; set; }

    /// <summary>Whether a 1.0 link to a plain name that nothing has makes a durable queue of that name.</summary>
    public bool CreatesQueues { get; set; }

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
