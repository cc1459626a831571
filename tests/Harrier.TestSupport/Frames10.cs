using System.Buffers.Binary;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>Builds frames of 1.0 that are to be sent together.</summary>
public sealed class Frames10
{
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => [.. _bytes];

    /// <summary>A performative, and what stands behind it.</summary>
    public Frames10 Add<T>(in T performative, ushort channel = 1, ReadOnlySpan<byte> payload = default) where T : IComposite, allows ref struct =>
        Frame([.. Encoded10.Composite(in performative), .. payload], channel);

    /// <summary>A SASL frame.</summary>
    public Frames10 Sasl<T>(in T performative) where T : IComposite, allows ref struct => Frame(Encoded10.Composite(in performative), 0, FrameType10.Sasl);

    /// <summary>A frame without a body.</summary>
    public Frames10 Empty(ushort channel = 0) => Frame([], channel);

    /// <summary>A frame with any body.</summary>
    public Frames10 Frame(byte[] body, ushort channel = 1, FrameType10 type = FrameType10.Amqp)
    {
        byte[] header = new byte[Frame10.HeaderSize];
        BinaryPrimitives.WriteInt32BigEndian(header, header.Length + body.Length);
        (header[4], header[5]) = (Frame10.HeaderSize / 4, (byte)type);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), channel);
        return Raw(header).Raw(body);
    }

    /// <summary>A message in transfers of that many bytes of payload each.</summary>
    public Frames10 Message(uint deliveryId, byte[] message, int payloadBytesMax = int.MaxValue, uint handle = 0, bool? settled = null, ushort channel = 1)
    {
        byte[] tag = Tag(deliveryId);
        for (int at = 0; at < message.Length;)
        {
            int count = Math.Min(payloadBytesMax, message.Length - at);
            var transfer = new Transfer { Handle = handle, DeliveryId = deliveryId, DeliveryTag = tag, Settled = settled, More = at + count < message.Length };
            Add(in transfer, channel, message.AsSpan(at, count));
            at += count;
        }
        return this;
    }

    public Frames10 Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    /// <summary>The tag that these scripts give to a delivery.</summary>
    public static byte[] Tag(uint deliveryId)
    {
        byte[] tag = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(tag, deliveryId);
        return tag;
    }
}
