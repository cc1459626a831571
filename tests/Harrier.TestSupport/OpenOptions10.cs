namespace Harrier.TestSupport;

/// <summary>How a client of 1.0 opens its connection.</summary>
public sealed record OpenOptions10
{
    public string User { get; init; } = "guest";

    public string Password { get; init; } = "guest";

    public string ContainerId { get; init; } = "script";

    /// <summary>What the client connects to: "vhost:NAME", or anything else for the default virtual host.</summary>
    public string? Hostname { get; init; }

    public uint MaxFrameSize { get; init; } = 131_072;

    public ushort ChannelMax { get; init; } = ushort.MaxValue;

    /// <summary>Off unless a test is about signs of life: it would see them whenever it advances the clock.</summary>
    public uint? IdleTimeOutMs { get; init; }
}
