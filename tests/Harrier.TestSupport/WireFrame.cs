using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>A frame that a client has received.</summary>
public sealed class WireFrame(FrameType type, ushort channel, byte[] payload)
{
    public FrameType Type { get; } = type;

    public ushort Channel { get; } = channel;

    public byte[] Payload { get; } = payload;

    /// <summary>Octets on the wire.</summary>
    public int Size => Payload.Length + Frame.Overhead;

    /// <summary>The method, of a method frame.</summary>
    public AmqpMethod Method => Type == FrameType.Method ? (AmqpMethod)new WireReader(Payload).ReadLong() : default;

    /// <summary>What follows the method id.</summary>
    public ReadOnlySpan<byte> Arguments => Payload.AsSpan(4);

    /// <summary>Which frame it is, for the message of a failed test.</summary>
    public override string ToString()
    {
        if (Type != FrameType.Method) return $"{Type} frame of {Payload.Length} bytes on channel {Channel}";
        string name = MethodCatalogue.NameOf(Method) ?? $"method {(uint)Method:X8}";
        return Method switch
        {
            AmqpMethod.ChannelClose or AmqpMethod.ConnectionClose => $"{name} on channel {Channel}: {Describe(ChannelClose.Decode(Arguments))}",
            _ => $"{name} on channel {Channel}",
        };
    }

    // connection.close has the same arguments.
    private static string Describe(ChannelClose close) =>
        $"{close.ReplyCode} {Encoding.UTF8.GetString(close.ReplyText)} ({close.ClassId}, {close.MethodId})";
}
