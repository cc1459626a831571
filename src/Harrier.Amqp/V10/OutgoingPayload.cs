using System.Buffers;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// A 1.0 message as a consumer gets it: a header of ours, the annotations with the address it was published to, and the bare message as it came (1.0 part 3,
/// section 3.2). Nothing of it is copied before it is written.
/// </summary>
internal readonly ref struct OutgoingPayload
{
    /// <summary>Bytes of memory in which what is ours is put together: the header, the head of the annotations, two names of at most 255 bytes.</summary>
    public const int ScratchBytes = 640;

    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<byte> _annotations;
    private readonly ReadOnlySpan<byte> _address;
    private readonly ReadOnlySpan<byte> _bare;
    private readonly ReadOnlySpan<byte> _body;

    public OutgoingPayload(in Delivery delivery, uint? ttlMs, Span<byte> scratch)
    {
        Message message = delivery.Message;
        Sections10 sections = Sections10.Find(message.Properties);
        var address = new ValueWriter(scratch[(ScratchBytes - AddressBytesMax)..]);
        int count = WriteAddress(ref address, message);
        if (sections.MessageAnnotations.IsMap)
        {
            count += sections.MessageAnnotations.ReadItems(out ValueReader items);
            _annotations = items.Rest;
            if (MayNameAddress(_annotations)) _annotations = WithoutAddress(sections.MessageAnnotations, ref count);
        }
        var head = new ValueWriter(scratch[..(ScratchBytes - AddressBytesMax)]);
        HeaderOf(in delivery, ttlMs).Write(ref head);
        head.WriteDescriptor(Descriptors.MessageAnnotations);
        head.WriteMapHead(_annotations.Length + address.Size, count);
        _head = head.Written;
        _address = address.Written;
        _bare = sections.Bare;
        _body = message.Body;
        Size = _head.Length + _annotations.Length + _address.Length + _bare.Length + _body.Length;
    }

    /// <summary>Bytes of all of it.</summary>
    public int Size { get; }

    private static int AddressBytesMax => 2 * (2 + "x-routing-key".Length + 2 + Utf8Name.SizeMax);

    /// <summary>What is left of a message's time to live, or null when it has none (1.0 part 3, section 3.2.1).</summary>
    public static uint? TtlLeft(Message message, TimeProvider time) =>
        message.ExpiresAtMs == 0 ? null : (uint)Math.Clamp(message.ExpiresAtMs - time.GetUtcNow().ToUnixTimeMilliseconds(), 0, uint.MaxValue);

    /// <summary>Writes a part of it. Under the output's gate.</summary>
    public void Write(FrameOutput output, int from, int count)
    {
        WritePart(output, _head, ref from, ref count);
        WritePart(output, _annotations, ref from, ref count);
        WritePart(output, _address, ref from, ref count);
        WritePart(output, _bare, ref from, ref count);
        WritePart(output, _body, ref from, ref count);
    }

    private static void WritePart(FrameOutput output, ReadOnlySpan<byte> part, ref int from, ref int count)
    {
        if (from >= part.Length)
        {
            from -= part.Length;
            return;
        }
        int size = Math.Min(part.Length - from, count);
        output.Write(part.Slice(from, size));
        (from, count) = (0, count - size);
    }

    // Whoever publishes may call his annotations as the broker does: a key stands in a map once.
    private static bool MayNameAddress(ReadOnlySpan<byte> annotations) => annotations.IndexOf("x-exchange"u8) >= 0 || annotations.IndexOf("x-routing-key"u8) >= 0;

    private static byte[] WithoutAddress(Value10 annotations, ref int count)
    {
        var kept = new ArrayBufferWriter<byte>();
        var reader = new MapReader10(annotations);
        while (reader.TryRead(out Value10 key, out Value10 value))
        {
            if (key.Is("x-exchange"u8) || key.Is("x-routing-key"u8))
            {
                count -= 2;
                continue;
            }
            kept.Write(key.Encoded);
            kept.Write(value.Encoded);
        }
        return kept.WrittenSpan.ToArray();
    }

    private static MessageHeader HeaderOf(scoped in Delivery delivery, uint? ttlMs) => new()
    {
        Durable = delivery.Message.IsPersistent,
        Priority = delivery.Message.Priority,
        Ttl = ttlMs,
        FirstAcquirer = delivery.AcquiredCount == 0,
        DeliveryCount = (uint)delivery.DeliveryCount,
    };

    private static int WriteAddress(ref ValueWriter writer, Message message)
    {
        writer.WriteSymbol("x-exchange"u8);
        writer.WriteString(message.ExchangeBytes);
        writer.WriteSymbol("x-routing-key"u8);
        writer.WriteString(message.RoutingKeyBytes);
        return 4;
    }
}
