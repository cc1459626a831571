using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>Builds frames that are to be sent together.</summary>
public sealed class Frames
{
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => [.. _bytes];

    public Frames Method<TMethod>(in TMethod method, ushort channel = 1) where TMethod : IMethod, allows ref struct
    {
        byte[] frame = new byte[FrameWriter.SizeOf(in method)];
        FrameWriter.WriteMethod(frame, channel, in method);
        return Raw(frame);
    }

    /// <summary>A content header of class basic, unless the test wants another.</summary>
    public Frames Header(ulong bodySize, byte[]? properties = null, ushort channel = 1, ushort classId = 60)
    {
        properties ??= PropertyBytes.None;
        byte[] payload = new byte[ContentHeader.PrefixSize + properties.Length];
        var writer = new WireWriter(payload);
        ContentHeader.Write(ref writer, bodySize, properties);
        (payload[0], payload[1]) = ((byte)(classId >> 8), (byte)classId);
        return Frame(FrameType.Header, channel, payload);
    }

    public Frames Body(byte[] payload, ushort channel = 1) => Frame(FrameType.Body, channel, payload);

    public Frames Heartbeat(ushort channel = 0) => Frame(FrameType.Heartbeat, channel, []);

    public Frames Frame(FrameType type, ushort channel, byte[] payload)
    {
        byte[] frame = new byte[payload.Length + Protocol.Amqp091.Frame.Overhead];
        payload.CopyTo(frame, Protocol.Amqp091.Frame.HeaderSize);
        FrameWriter.Close(frame, type, channel, payload.Length);
        return Raw(frame);
    }

    public Frames Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>basic.publish with its content; no body frame for an empty body.</summary>
    public Frames Publish(
        string exchange, string routingKey, byte[] body, byte[]? properties = null, bool mandatory = false, ushort channel = 1,
        int frameMax = 131_072)
    {
        byte[] to = Encoding.UTF8.GetBytes(exchange), key = Encoding.UTF8.GetBytes(routingKey);
        Method(new BasicPublish { Exchange = to, RoutingKey = key, Mandatory = mandatory }, channel);
        Header((ulong)body.Length, properties, channel);
        foreach (byte[] part in body.Chunk(frameMax - Protocol.Amqp091.Frame.Overhead)) Body(part, channel);
        return this;
    }

    /// <inheritdoc cref="Publish(string, string, byte[], byte[], bool, ushort, int)"/>
    public Frames Publish(string exchange, string routingKey, string body, byte[]? properties = null, bool mandatory = false, ushort channel = 1) =>
        Publish(exchange, routingKey, Encoding.UTF8.GetBytes(body), properties, mandatory, channel);
}
