using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Something for the peer that may need several transfers.</summary>
internal interface IOutgoingTransfer
{
    /// <summary>Whether its link has ended, so that nothing more of it may be sent.</summary>
    bool IsGone { get; }

    /// <summary>Writes the next frame; whether it was the last. Under the output's gate.</summary>
    bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax);
}

/// <summary>A delivery on its way to the peer, in as many transfers as its frames need (1.0 part 2, section 2.6.14).</summary>
internal struct OutgoingTransfer(OutgoingLink10 link, uint deliveryId, in Delivery delivery, bool isResumed = false) : IOutgoingTransfer
{
    private readonly Delivery _delivery = delivery;
    private int _sent;

    public readonly OutgoingLink10 Link => link;

    public readonly Message Message => _delivery.Message;

    public readonly bool IsGone => link.IsGone;

    public bool WriteFrame(FrameOutput output, ushort channel, int frameBytesMax)
    {
        var payload = new OutgoingPayload(_delivery.Message, _delivery.AcquiredCount, _delivery.DeliveryCount, stackalloc byte[OutgoingPayload.ScratchBytes]);
        Span<byte> tag = stackalloc byte[sizeof(ulong)];
        tag = link.WriteTag(tag, deliveryId, in _delivery);
        bool isFirst = _sent == 0;
        var transfer = new Transfer
        {
            Handle = link.Handle,
            DeliveryId = isFirst ? deliveryId : null,
            DeliveryTag = isFirst ? tag : default,
            MessageFormat = isFirst ? 0 : null,
            Settled = isFirst ? _delivery.IsSettled : null,
            Resume = isFirst && isResumed,
        };
        long before = output.UnflushedBytes;
        int left = payload.Size - _sent, count = FrameWriter10.WriteTransferHead(output, channel, in transfer, left, frameBytesMax);
        payload.Write(output, _sent, count);
        output.CountAsDeliveries(output.UnflushedBytes - before);
        _sent += count;
        return count == left;
    }
}
