using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>Writes whole frames into spans of at least <see cref="Frame.Overhead"/> octets more than their payload.</summary>
public static class FrameWriter
{
    /// <summary>Octets of the frame that carries <paramref name="method"/>.</summary>
    public static int SizeOf<TMethod>(in TMethod method) where TMethod : IMethod, allows ref struct => method.Size + Frame.Overhead;

    /// <summary>Writes a method frame; answers its size.</summary>
    public static int WriteMethod<TMethod>(Span<byte> to, ushort channel, in TMethod method) where TMethod : IMethod, allows ref struct
    {
        var writer = new WireWriter(to[Frame.HeaderSize..]);
        method.Encode(ref writer);
        return Close(to, FrameType.Method, channel, writer.Position);
    }

    /// <summary>Writes a heartbeat frame; answers its size.</summary>
    public static int WriteHeartbeat(Span<byte> to) => Close(to, FrameType.Heartbeat, 0, 0);

    /// <summary>Writes the octets around a payload of <paramref name="size"/> octets that stands at offset 7; answers the size of the frame.</summary>
    public static int Close(Span<byte> to, FrameType type, ushort channel, int size)
    {
        WriteHeader(to, type, channel, size);
        to[Frame.HeaderSize + size] = Frame.End;
        return size + Frame.Overhead;
    }

    /// <summary>Writes the 7 octets before a payload.</summary>
    public static void WriteHeader(Span<byte> to, FrameType type, ushort channel, int size)
    {
        to[0] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(to[1..], channel);
        BinaryPrimitives.WriteInt32BigEndian(to[3..], size);
    }
}
