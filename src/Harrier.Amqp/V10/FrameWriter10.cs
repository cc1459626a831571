using System.Buffers.Binary;
using Harrier.Amqp.Transport;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Writes 1.0 frames into a connection's output.</summary>
internal static class FrameWriter10
{
    /// <summary>Writes a frame with a performative and nothing behind it.</summary>
    public static void Write<T>(FrameOutput output, ushort channel, in T performative, FrameType10 type = FrameType10.Amqp) where T : IComposite, allows ref struct
    {
        lock (output.Gate)
        {
            Span<byte> span = output.GetSpan(Frame10.HeaderSize + performative.SizeMax);
            int size = WritePerformative(span, in performative);
            WriteHeader(span, size, channel, type);
            output.Advance(size);
        }
    }

    /// <summary>Writes a frame without a body, which only says that we are here.</summary>
    public static void WriteEmpty(FrameOutput output)
    {
        lock (output.Gate)
        {
            WriteHeader(output.GetSpan(Frame10.HeaderSize), Frame10.HeaderSize, channel: 0, FrameType10.Amqp);
            output.Advance(Frame10.HeaderSize);
        }
    }

    /// <summary>Writes a performative behind the room for a header; the bytes of both.</summary>
    public static int WritePerformative<T>(Span<byte> to, in T performative) where T : IComposite, allows ref struct =>
        Frame10.HeaderSize + performative.Write(to[Frame10.HeaderSize..]);

    public static void WriteHeader(Span<byte> to, int size, ushort channel, FrameType10 type = FrameType10.Amqp)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, size);
        to[4] = Frame10.HeaderSize / 4;
        to[5] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], channel);
    }
}
