using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>A delivery on its way to the peer, in as many transfers as its frames need (1.0 part 2, section 2.6.14).</summary>
internal struct OutgoingTransfer(OutgoingLink10 link, uint deliveryId, Delivery delivery, TimeProvider time, bool isResumed = false)
{
    // More than a transfer with a tag of ours takes.
    private const int PerformativeBytesMax = 64;

    // Up to here a frame is written into one piece of memory; above, over blocks as they come.
    private const int ContiguousBytesMax = 16 << 10;

    private readonly Delivery _delivery = delivery;
    private readonly uint? _ttlMs = OutgoingPayload.TtlLeft(delivery.Message, time); // once: frames that differed would not fit together
    private int _sent;

    public readonly OutgoingLink10 Link => link;

    public readonly Message Message => _delivery.Message;

    /// <summary>Writes the next frame; whether it was the last. Under the output's gate.</summary>
    public bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax, DeliveryHead head)
    {
        var payload = new OutgoingPayload(in _delivery, _ttlMs, head);
        int left = payload.Size - _sent, count = Math.Min(left, frameBytesMax - Frame10.HeaderSize - PerformativeBytesMax);
        if (count == payload.Size && count <= ContiguousBytesMax)
        {
            Span<byte> frame = output.GetSpan(Frame10.HeaderSize + PerformativeBytesMax + count);
            int payloadAt = WriteHead(frame, channel, count, isLast: true);
            payload.CopyTo(frame[payloadAt..]);
            output.Advance(payloadAt + count);
        }
        else
        {
            output.Advance(WriteHead(output.GetSpan(Frame10.HeaderSize + PerformativeBytesMax), channel, count, isLast: count == left));
            payload.Write(output, _sent, count);
        }
        _sent += count;
        return count == left;
    }

    /// <summary>Writes the head of a frame and the performative; the bytes of both.</summary>
    private readonly int WriteHead(Span<byte> to, ushort channel, int payloadSize, bool isLast)
    {
        Span<byte> tag = stackalloc byte[OutgoingLink10.TagBytesMax];
        bool isFirst = _sent == 0;
        var transfer = new Transfer
        {
            Handle = link.Handle,
            DeliveryId = isFirst ? deliveryId : null,
            DeliveryTag = isFirst ? link.WriteTag(tag, deliveryId, in _delivery) : default,
            MessageFormat = isFirst ? 0 : null,
            Settled = isFirst ? _delivery.IsSettled : null,
            Resume = isFirst && isResumed,
            More = !isLast,
        };
        int size = FrameWriter10.WritePerformative(to, in transfer);
        FrameWriter10.WriteHeader(to, size + payloadSize, channel);
        return size;
    }
}
