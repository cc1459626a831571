using System.Buffers;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// A 1.0 message as a consumer gets it: a head of ours, its own annotations, and the bare message as it came (1.0 part 3, section 3.2). Nothing of it is copied before it
/// is written.
/// </summary>
internal readonly ref struct OutgoingPayload
{
    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<byte> _annotations;
    private readonly ReadOnlySpan<byte> _bare;
    private readonly ReadOnlySpan<byte> _body;

    public OutgoingPayload(in Delivery delivery, uint? ttlMs, DeliveryHead head)
    {
        Message message = delivery.Message;
        var sections = new Sections10(message.Properties);
        int count = 0;
        if (sections.HasMessageAnnotations) _annotations = AnnotationsOf(in sections, out count);
        _head = head.Of(in delivery, ttlMs, _annotations.Length, count);
        _bare = sections.Bare;
        _body = message.Body;
        Size = _head.Length + _annotations.Length + _bare.Length + _body.Length;
    }

    /// <summary>Bytes of all of it.</summary>
    public int Size { get; }

    /// <summary>What is left of a message's time to live, or null when it has none (1.0 part 3, section 3.2.1).</summary>
    public static uint? TtlLeft(Message message, TimeProvider time) =>
        message.ExpiresAtMs == 0 ? null : (uint)Math.Clamp(message.ExpiresAtMs - time.GetUtcNow().ToUnixTimeMilliseconds(), 0, uint.MaxValue);

    /// <summary>Copies all of it.</summary>
    public void CopyTo(Span<byte> to)
    {
        _head.CopyTo(to);
        int at = _head.Length;
        _annotations.CopyTo(to[at..]);
        at += _annotations.Length;
        _bare.CopyTo(to[at..]);
        _body.CopyTo(to[(at + _bare.Length)..]);
    }

    /// <summary>Writes a part of it. Under the output's gate.</summary>
    public void Write(FrameOutput output, int from, int count)
    {
        WritePart(output, _head, ref from, ref count);
        WritePart(output, _annotations, ref from, ref count);
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

    /// <summary>The keys and values of the message's own annotations.</summary>
    private static ReadOnlySpan<byte> AnnotationsOf(scoped in Sections10 sections, out int count)
    {
        count = sections.MessageAnnotations.ReadItems(out ValueReader items);
        return MayNameAddress(items.Rest) ? WithoutAddress(sections.MessageAnnotations, ref count) : items.Rest;
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
}
