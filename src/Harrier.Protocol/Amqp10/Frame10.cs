namespace Harrier.Protocol.Amqp10;

/// <summary>What a frame carries (1.0 part 2, section 2.3.1).</summary>
public enum FrameType10 : byte
{
    Amqp = 0,
    Sasl = 1,
}

/// <summary>A 1.0 frame: a channel, then a performative and, behind a transfer, payload. An empty body is a sign of life.</summary>
/// <remarks><code>
///   0          4      5      6         8          doff * 4
///   +----------+------+------+---------+----------+-----------------------+
///   | size     | doff | type | channel | extended | performative, payload |
///   +----------+------+------+---------+----------+-----------------------+
/// </code></remarks>
public readonly ref struct Frame10(FrameType10 type, ushort channel, ReadOnlySpan<byte> body)
{
    /// <summary>Octets in front of the body of the frames that we send.</summary>
    public const int HeaderSize = 8;

    /// <summary>Octets that every peer takes (1.0 part 2, section 2.8.1).</summary>
    public const int SizeMin = 512;

    public FrameType10 Type { get; } = type;

    public ushort Channel { get; } = channel;

    public ReadOnlySpan<byte> Body { get; } = body;
}
