using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>A frame of 1.0 that a client has received.</summary>
/// <param name="Performative">One of the records of <see cref="WireDecoder10"/>.</param>
/// <param name="Size">Octets on the wire.</param>
public sealed record WireFrame10(FrameType10 Type, ushort Channel, object Performative, int Size)
{
    /// <summary>Which frame it is, for the message of a failed test.</summary>
    public override string ToString() => $"{Performative} on channel {Channel}";
}
