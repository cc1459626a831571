using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>A delivery on its way to the peer, in as many transfers as its frames need (1.0 part 2, section 2.6.14).</summary>
internal struct OutgoingTransfer(OutgoingLink10 link, uint deliveryId, in Delivery delivery, TimeProvider time, bool isResumed = false)
{
    // More than a transfer with a tag of ours takes.
    private const int PerformativeBytesMax = 64;

    private readonly Delivery _delivery = delivery;
    private readonly uint? _ttlMs = OutgoingPayload.TtlLeft(delivery.Message, time); // once: frames that differed would not fit together
    private int _sent;

    public readonly OutgoingLink10 Link => link;

    public readonly Message Message => _delivery.Message;

    /// <summary>Writes the next frame; whether it was the last. Under the output's gate.</summary>
    public bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax, Span<byte> scratch)
    {
        var payload = new OutgoingPayload(in _delivery, _ttlMs, scratch);
        Span<byte> tag = stackalloc byte[sizeof(ulong)];
        tag = link.WriteTag(tag, deliveryId, in _delivery);
        bool isFirst = _sent == 0;
        int left = payload.Size - _sent, count = Math.Min(left, frameBytesMax - Frame10.HeaderSize - PerformativeBytesMax);
        var transfer = new Transfer
        {
            Handle = link.Handle,
            DeliveryId = isFirst ? deliveryId : null,
            DeliveryTag = isFirst ? tag : default,
            MessageFormat = isFirst ? 0 : null,
            Settled = isFirst ? _delivery.IsSettled : null,
            Resume = isFirst && isResumed,
            More = count < left,
        };
        Span<byte> span = output.GetSpan(Frame10.HeaderSize + PerformativeBytesMax);
        int headSize = FrameWriter10.WritePerformative(span, in transfer);
        FrameWriter10.WriteHeader(span, headSize + count, channel);
        output.Advance(headSize);
        payload.Write(output, _sent, count);
        _sent += count;
        return count == left;
    }
}
