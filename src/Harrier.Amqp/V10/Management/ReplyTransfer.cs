using System.Buffers.Binary;
using Harrier.Amqp.Transport;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>A reply on its way to the peer, settled by that, in as many transfers as its frames need.</summary>
internal sealed class ReplyTransfer(ReplyLink10 link, byte[] message)
{
    // More than a transfer with a tag of ours takes.
    private const int PerformativeBytesMax = 64;

    private int _sent;

    /// <summary>What the session calls it.</summary>
    public uint DeliveryId { get; set; }

    /// <summary>Whether its link has ended, so that nothing more of it may be sent.</summary>
    public bool IsGone => link.IsDetached;

    /// <summary>Writes the next frame; whether it was the last. Under the output's gate.</summary>
    public bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax)
    {
        Span<byte> tag = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(tag, DeliveryId);
        bool isFirst = _sent == 0;
        int left = message.Length - _sent, count = Math.Min(left, frameBytesMax - Frame10.HeaderSize - PerformativeBytesMax);
        var transfer = new Transfer
        {
            Handle = link.Handle,
            DeliveryId = isFirst ? DeliveryId : null,
            DeliveryTag = isFirst ? tag : default,
            MessageFormat = isFirst ? 0 : null,
            Settled = true,
            More = count < left,
        };
        Span<byte> head = output.GetSpan(Frame10.HeaderSize + PerformativeBytesMax);
        int headSize = FrameWriter10.WritePerformative(head, in transfer);
        FrameWriter10.WriteHeader(head, headSize + count, channel);
        output.Advance(headSize);
        output.Write(message.AsSpan(_sent, count));
        _sent += count;
        return count == left;
    }

    /// <summary>It is written, all of it.</summary>
    public void End() => link.OnSent(message.Length);
}
