using System.Buffers;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The headers by which a quorum queue tells how often a message was handed out before (behaviour note 88).</summary>
internal static class DeliveryCounts
{
    // Both fields.
    private const int SizeMax = 64;

    private static ReadOnlySpan<byte> DeliveryCount => "x-delivery-count"u8;

    private static ReadOnlySpan<byte> AcquiredCount => "x-acquired-count"u8;

    /// <summary>The property section with both counts. One that is 0 is not written: what the publisher calls by its name stays then.</summary>
    /// <param name="properties">The property section.</param>
    /// <param name="deliveryCount">How often it was delivered in vain.</param>
    /// <param name="acquiredCount">How often it was handed to a consumer, in vain or not.</param>
    public static byte[] Write(ReadOnlySpan<byte> properties, int deliveryCount, int acquiredCount)
    {
        if (deliveryCount <= 0 && acquiredCount <= 0) return properties.ToArray();
        ReadOnlySpan<byte> headers = PropertyRewriter.HeadersOf(properties);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(headers.Length + SizeMax);
        try
        {
            var fields = new FieldWriter(buffer);
            var reader = new FieldTableReader(headers);
            while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            {
                if (deliveryCount > 0 && name.SequenceEqual(DeliveryCount)) continue;
                if (acquiredCount > 0 && name.SequenceEqual(AcquiredCount)) continue;
                fields.Add(name, value);
            }
            if (deliveryCount > 0) fields.AddLong(DeliveryCount, FieldType.SignedLong, deliveryCount);
            if (acquiredCount > 0) fields.AddLong(AcquiredCount, FieldType.SignedLong, acquiredCount);
            return PropertyRewriter.WithHeaders(properties, fields.Written);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
