using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>Writes a method with its content: one copy of the message, from its buffer into the output. Under the output's gate.</summary>
internal static class ContentWriter
{
    // Up to here a message is written into one piece of memory; above, over blocks as they come.
    private const int ContiguousSizeMax = 16 << 10;

    /// <summary>Writes the method frame, the header frame and as many body frames as the negotiated size asks for; none for an empty body.</summary>
    public static void Write<TMethod>(FrameOutput output, ushort channel, in TMethod method, Message message, int frameBytesMax)
        where TMethod : IMethod, allows ref struct => Write(output, channel, in method, message, message.Properties, frameBytesMax);

    /// <summary>Writes a message with another property section than its own.</summary>
    public static void Write<TMethod>(
        FrameOutput output, ushort channel, in TMethod method, Message message, ReadOnlySpan<byte> properties, int frameBytesMax)
        where TMethod : IMethod, allows ref struct
    {
        ReadOnlySpan<byte> body = message.Body;
        int bodyFrameMax = frameBytesMax - Frame.Overhead;
        int headerSize = ContentHeader.PrefixSize + properties.Length;
        int size = FrameWriter.SizeOf(in method) + Frame.Overhead + headerSize + (body.IsEmpty ? 0 : Frame.Overhead + body.Length);
        if (body.Length <= bodyFrameMax && size <= ContiguousSizeMax)
        {
            Span<byte> to = output.GetSpan(size);
            int at = FrameWriter.WriteMethod(to, channel, in method);
            at += WriteHeader(to[at..], channel, headerSize, body.Length, properties);
            if (!body.IsEmpty)
            {
                body.CopyTo(to[(at + Frame.HeaderSize)..]);
                at += FrameWriter.Close(to[at..], FrameType.Body, channel, body.Length);
            }
            output.Advance(at);
            return;
        }
        output.Advance(FrameWriter.WriteMethod(output.GetSpan(FrameWriter.SizeOf(in method)), channel, in method));
        output.Advance(WriteHeader(output.GetSpan(headerSize + Frame.Overhead), channel, headerSize, body.Length, properties));
        while (!body.IsEmpty)
        {
            int part = Math.Min(body.Length, bodyFrameMax);
            FrameWriter.WriteHeader(output.GetSpan(Frame.HeaderSize), FrameType.Body, channel, part);
            output.Advance(Frame.HeaderSize);
            output.Write(body[..part]);
            output.Write([Frame.End]);
            body = body[part..];
        }
    }

    private static int WriteHeader(Span<byte> to, ushort channel, int headerSize, int bodySize, ReadOnlySpan<byte> properties)
    {
        var writer = new WireWriter(to[Frame.HeaderSize..]);
        ContentHeader.Write(ref writer, (ulong)bodySize, properties);
        return FrameWriter.Close(to, FrameType.Header, channel, headerSize);
    }
}
