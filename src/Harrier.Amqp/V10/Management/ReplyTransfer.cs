using System.Buffers.Binary;
using Harrier.Amqp.Transport;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>A reply on its way to the peer, settled by that, in as many transfers as its frames need.</summary>
internal sealed class ReplyTransfer(ReplyLink10 link, byte[] message) : IOutgoingTransfer
{
    private int _sent;

    /// <summary>What the session calls it.</summary>
    public uint DeliveryId { get; set; }

    public bool IsGone => link.IsDetached;

    /// <summary>It is written, all of it.</summary>
    public void End()
    {
        if (!IsGone) link.OnSent(message.Length);
    }

    public bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax)
    {
        Span<byte> tag = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(tag, DeliveryId);
        bool isFirst = _sent == 0;
        var transfer = new Transfer
        {
            Handle = link.Handle,
            DeliveryId = isFirst ? DeliveryId : null,
            DeliveryTag = isFirst ? tag : default,
            MessageFormat = isFirst ? 0 : null,
            Settled = true,
        };
        int left = message.Length - _sent, count = FrameWriter10.WriteTransferHead(output, channel, in transfer, left, frameBytesMax);
        output.Write(message.AsSpan(_sent, count));
        _sent += count;
        return count == left;
    }
}
