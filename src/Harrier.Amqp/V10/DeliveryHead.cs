using System.Diagnostics;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// What stands in front of a message's own bytes in a delivery: our header, and the beginning of the annotations with the address it was published to. Most
/// deliveries are alike in it, so it is kept from one to the next. Guarded by the output's gate.
/// </summary>
internal sealed class DeliveryHead
{
    // The header, the head of the annotations, two names of at most 255 bytes.
    private readonly byte[] _encoded = new byte[640];
    private readonly byte[] _exchange = new byte[Utf8Name.SizeMax];
    private readonly byte[] _routingKey = new byte[Utf8Name.SizeMax];
    private Likeness _of;
    private int _exchangeSize;
    private int _routingKeySize;
    private int _size;

    /// <summary>The encoded head of a delivery. Valid until the next call.</summary>
    /// <param name="delivery">What is delivered.</param>
    /// <param name="ttlMs">What is left of its time to live, or null when it has none.</param>
    /// <param name="annotationBytes">Bytes of the message's own annotations, which follow.</param>
    /// <param name="annotationCount">How many keys and values these are.</param>
    public ReadOnlySpan<byte> Of(in Delivery delivery, uint? ttlMs, int annotationBytes, int annotationCount)
    {
        Message message = delivery.Message;
        var likeness = new Likeness(
            message.IsPersistent, IsFirst: delivery.AcquiredCount == 0, HasPriority: message.Priority.HasValue, message.Priority.GetValueOrDefault(), HasTtl: ttlMs.HasValue,
            ttlMs.GetValueOrDefault(), (uint)delivery.DeliveryCount, annotationBytes, annotationCount);
        bool isAlike = likeness == _of && _size > 0 && message.RoutingKeyBytes.SequenceEqual(_routingKey.AsSpan(0, _routingKeySize))
            && message.ExchangeBytes.SequenceEqual(_exchange.AsSpan(0, _exchangeSize));
        if (!isAlike) Encode(message, in likeness);
        return _encoded.AsSpan(0, _size);
    }

    private void Encode(Message message, in Likeness likeness)
    {
        _of = likeness;
        message.ExchangeBytes.CopyTo(_exchange);
        message.RoutingKeyBytes.CopyTo(_routingKey);
        (_exchangeSize, _routingKeySize) = (message.ExchangeBytes.Length, message.RoutingKeyBytes.Length);
        var header = new MessageHeader
        {
            Durable = likeness.IsPersistent,
            Priority = likeness.HasPriority ? likeness.Priority : null,
            Ttl = likeness.HasTtl ? likeness.TtlMs : null,
            FirstAcquirer = likeness.IsFirst,
            DeliveryCount = likeness.DeliveryCount,
        };
        var address = new ValueWriter(stackalloc byte[2 * (2 + "x-routing-key".Length + 2 + Utf8Name.SizeMax)]);
        address.WriteSymbol("x-exchange"u8);
        address.WriteString(message.ExchangeBytes);
        address.WriteSymbol("x-routing-key"u8);
        address.WriteString(message.RoutingKeyBytes);
        var writer = new ValueWriter(_encoded);
        header.Write(ref writer);
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        writer.WriteMapHead(address.Size + likeness.AnnotationBytes, 4 + likeness.AnnotationCount);
        writer.WriteRaw(address.Written);
        _size = writer.Size;
        Debug.Assert(_size <= _encoded.Length, "the head has no more than two names and what is small");
    }

    /// <summary>What two heads have in common that are the same, but for the address.</summary>
    private readonly record struct Likeness(
        bool IsPersistent, bool IsFirst, bool HasPriority, byte Priority, bool HasTtl, uint TtlMs, uint DeliveryCount, int AnnotationBytes, int AnnotationCount);
}
