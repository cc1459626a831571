using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>How a client opens its connection.</summary>
public sealed record OpenOptions
{
    public string User { get; init; } = "guest";

    public string Password { get; init; } = "guest";

    public string VirtualHost { get; init; } = "/";

    public ushort ChannelMax { get; init; } = 2047;

    public uint FrameMax { get; init; } = 131_072;

    /// <summary>Off unless a test is about heartbeats: it would see them whenever it advances the clock.</summary>
    public ushort HeartbeatSeconds { get; init; }

    /// <summary>The capabilities that the client has.</summary>
    public string[] Capabilities { get; init; } = ["consumer_cancel_notify", "connection.blocked", "authentication_failure_close", "basic.nack"];

    /// <summary>The encoded client-properties.</summary>
    public byte[] ClientProperties()
    {
        var capabilities = new FieldTableWriter();
        foreach (string capability in Capabilities) capabilities.Add(capability, true);
        return new FieldTableWriter().Add("product", "WireScript").Add("capabilities", capabilities).Written.ToArray();
    }
}
