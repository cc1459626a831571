namespace Harrier.Protocol.Amqp091;

/// <summary>The kinds of frame (0-9-1 section 4.2.3).</summary>
public enum FrameType : byte
{
    Method = 1,
    Header = 2,
    Body = 3,
    Heartbeat = 8,
}

/// <summary>
/// One complete frame (0-9-1 section 4.2.3):
/// <code>
///   0      1         3             7                 size+7   size+8
///   +------+---------+-------------+ - - - - - - - - + -------- +
///   | type | channel |    size     |     payload     | 0xCE end |
///   +------+---------+-------------+ - - - - - - - - + -------- +
/// </code>
/// </summary>
public readonly ref struct Frame(FrameType type, ushort channel, ReadOnlySpan<byte> payload)
{
    /// <summary>Octets before the payload.</summary>
    public const int HeaderSize = 7;

    /// <summary>Octets around the payload; a frame of the negotiated frame-max carries that many fewer.</summary>
    public const int Overhead = 8;

    /// <summary>The last octet of every frame.</summary>
    public const byte End = 0xCE;

    public FrameType Type { get; } = type;

    public ushort Channel { get; } = channel;

    public ReadOnlySpan<byte> Payload { get; } = payload;
}
