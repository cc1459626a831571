using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// The sections in front of a message's body, where they stand: what <see cref="Broker.Messages.Message.Properties"/> of a 1.0 message holds. Each may be
/// absent; an absent one is null.
/// </summary>
internal readonly ref struct Sections10
{
    /// <summary>
    /// Bytes that they may have together when they come in. Far more than any client sends; it bounds what is kept of a message whose body has not come.
    /// </summary>
    public const int PrefixSizeMax = 1 << 20;

    // A descriptor is no longer than its longest symbol with its head.
    private const int DescriptorSizeMax = 64;

    // Where their values stand, 0 for none: places, for spans would have to be cleared and copied for every message.
    private readonly ReadOnlySpan<byte> _prefix;
    private readonly int _headerSize;
    private readonly int _headerAt;
    private readonly int _annotationsAt;
    private readonly int _propertiesAt;
    private readonly int _applicationPropertiesAt;
    private readonly int _bareAt;

    /// <summary>
    /// Finds them in a message whose beginning has come. Throws <see cref="DecodeException"/> when there are no such sections, in another order, or too many
    /// bytes of them.
    /// </summary>
    /// <param name="received">The encoded message from its first byte on, or no more than what stands in front of the body.</param>
    /// <param name="sizeMax">
    /// Bytes that they may have: <see cref="PrefixSizeMax"/> for what is coming in. What the broker has may have grown there, by its deaths.
    /// </param>
    /// <remarks>A constructor, for results of this size are copied twice on their way out of a method.</remarks>
    public Sections10(ReadOnlySpan<byte> received, int sizeMax = int.MaxValue)
    {
        int at = 0, bareAt = -1;
        SectionKind last = default;
        while (TryReadDescriptor(received[at..], out SectionKind kind, out int descriptorSize))
        {
            if (kind == SectionKind.Footer) throw new DecodeException("a message has no body");
            IsBodyFound = kind >= SectionKind.Data;
            if (IsBodyFound) break;
            if (kind <= last) throw new DecodeException($"the section 0x{(byte)kind:x2} comes after the section 0x{(byte)last:x2}");
            last = kind;
            int valueAt = at + descriptorSize;
            if (!TryMeasure(received[valueAt..], kind, out long valueSize)) break;
            long end = valueAt + valueSize;
            if (end > sizeMax) throw new DecodeException($"the sections in front of the body have more than {sizeMax} bytes");
            if (end > received.Length) break;
            switch (kind)
            {
                case SectionKind.Header: (_headerAt, _headerSize) = (valueAt, (int)end); break;
                case SectionKind.DeliveryAnnotations: HasDeliveryAnnotations = true; break;
                case SectionKind.MessageAnnotations: _annotationsAt = valueAt; break;
                case SectionKind.Properties: (_propertiesAt, bareAt) = (valueAt, at); break;
                default: (_applicationPropertiesAt, bareAt) = (valueAt, bareAt < 0 ? at : bareAt); break;
            }
            at = (int)end;
        }
        _prefix = received[..at];
        _bareAt = bareAt < 0 ? at : bareAt;
    }

    /// <summary>Whether the body begins behind them; if not, more of the message is needed, or it has none.</summary>
    public bool IsBodyFound { get; }

    /// <summary>Whether there are delivery annotations, which are for one hop only (1.0 part 3, section 3.2.2).</summary>
    public bool HasDeliveryAnnotations { get; }

    /// <summary>The header with its descriptor, as it stands.</summary>
    public ReadOnlySpan<byte> HeaderSection => _prefix[.._headerSize];

    /// <summary>A list.</summary>
    public Value10 Header => At(_headerAt);

    public bool HasMessageAnnotations => _annotationsAt != 0;

    /// <summary>A map.</summary>
    public Value10 MessageAnnotations => At(_annotationsAt);

    /// <summary>A list.</summary>
    public Value10 Properties => At(_propertiesAt);

    public bool HasProperties => _propertiesAt != 0;

    /// <summary>A map.</summary>
    public Value10 ApplicationProperties => At(_applicationPropertiesAt);

    /// <summary>What of the bare message stands in front of the body, which nobody may change: both properties with their descriptors.</summary>
    public ReadOnlySpan<byte> Bare => _prefix[_bareAt..];

    /// <summary>All of them, as they stand.</summary>
    public ReadOnlySpan<byte> Encoded => _prefix;

    /// <summary>Bytes of all of them.</summary>
    public int Size => _prefix.Length;

    /// <summary>Finds them. Throws <see cref="DecodeException"/> unless they are sections of those kinds in their order, and nothing else.</summary>
    public static Sections10 Find(ReadOnlySpan<byte> prefix)
    {
        var sections = new Sections10(prefix);
        if (sections.IsBodyFound) throw new DecodeException("a section of the body stands in front of it");
        if (sections.Size < prefix.Length) throw new DecodeException("a section ends before it is complete");
        return sections;
    }

    /// <summary>
    /// Finds where the body of a whole message begins. Throws <see cref="DecodeException"/>, also when it has none: it is no message then (1.0 part 3,
    /// section 3.2).
    /// </summary>
    public static int FindBody(ReadOnlySpan<byte> message)
    {
        var sections = new Sections10(message);
        return sections.IsBodyFound ? sections.Size : throw new DecodeException("a message ends before its body");
    }

    /// <summary>The sections without the delivery annotations, which are for one hop only (1.0 part 3, section 3.2.2). Copied only if there are any.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // rare, and takes room on the stack
    public static ReadOnlySpan<byte> WithoutDeliveryAnnotations(ReadOnlySpan<byte> prefix)
    {
        var reader = new SectionReader10(prefix);
        for (int at = 0; reader.TryRead(out SectionKind kind, out _); at = reader.Position)
        {
            if (kind == SectionKind.DeliveryAnnotations) return (byte[])[.. prefix[..at], .. prefix[reader.Position..]];
            if (kind > SectionKind.DeliveryAnnotations) break;
        }
        return prefix;
    }

    /// <summary>The fields of the header; all null when it is absent.</summary>
    public MessageHeader ReadHeader()
    {
        if (_headerAt == 0) return default;
        var reader = new ValueReader(_prefix[_headerAt..]);
        return MessageHeader.Decode(ref reader);
    }

    /// <summary>The fields of the properties; all null when they are absent.</summary>
    public MessageProperties ReadProperties()
    {
        if (!HasProperties) return default;
        var reader = new ValueReader(_prefix[_propertiesAt..]);
        return MessageProperties.Decode(ref reader);
    }

    /// <summary>Walks the maps with everything that is inside of them, so that later readers cannot fail. Throws <see cref="DecodeException"/>.</summary>
    public void ValidateMaps()
    {
        if ((_annotationsAt | _applicationPropertiesAt) != 0) ValidateMapsThere();
    }

    private static bool TryReadDescriptor(ReadOnlySpan<byte> bytes, out SectionKind kind, out int size)
    {
        // As every client writes it.
        if (bytes.Length >= 3 && bytes[0] == (byte)FormatCode.Described && bytes[1] == (byte)FormatCode.SmallULong)
        {
            kind = SectionReader10.KindOf(bytes[2]);
            size = 3;
            return true;
        }
        return TryReadRareDescriptor(bytes, out kind, out size);
    }

    private static bool TryReadRareDescriptor(ReadOnlySpan<byte> bytes, out SectionKind kind, out int size)
    {
        (kind, size) = (default, 0);
        if (bytes.IsEmpty) return false;
        if (bytes[0] != (byte)FormatCode.Described) throw new DecodeException("a section has no descriptor");
        ReadOnlySpan<byte> descriptor = bytes[1..];
        if (!IsSizeThere(descriptor)) return false;
        long descriptorSize = (FormatCode)descriptor[0] switch
        {
            FormatCode.ULong0 => 1,
            FormatCode.SmallULong => 2,
            FormatCode.ULong => 9,
            FormatCode.Symbol8 => 2 + descriptor[1],
            FormatCode.Symbol32 => 5L + BinaryPrimitives.ReadUInt32BigEndian(descriptor[1..]),
            _ => throw new DecodeException($"the descriptor of a section has the constructor 0x{descriptor[0]:x2}"),
        };
        if (descriptorSize > DescriptorSizeMax) throw new DecodeException($"the descriptor of a section has more than {DescriptorSizeMax} bytes");
        if (descriptorSize > descriptor.Length) return false;
        size = 1 + (int)descriptorSize;
        var reader = new ValueReader(bytes[..size]);
        kind = SectionReader10.KindOf(reader.ReadDescriptor());
        return true;
    }

    /// <summary>How many bytes a section's value takes, constructor and all; false when too few have come to tell.</summary>
    private static bool TryMeasure(ReadOnlySpan<byte> value, SectionKind kind, out long size)
    {
        size = 0;
        if (!value.IsEmpty) SectionReader10.AssertSuits(kind, (FormatCode)value[0]);
        if (!IsSizeThere(value)) return false;
        size = (FormatCode)value[0] switch
        {
            FormatCode.List8 or FormatCode.Map8 => 2 + value[1],
            FormatCode.List32 or FormatCode.Map32 => 5L + BinaryPrimitives.ReadUInt32BigEndian(value[1..]),
            _ => 1, // an empty list
        };
        return true;
    }

    // The upper half of the constructor tells the width of the size (1.0 part 1, section 1.3).
    private static bool IsSizeThere(ReadOnlySpan<byte> value) => !value.IsEmpty && (value[0] >> 4) switch
    {
        0xa or 0xc or 0xe => value.Length >= 2,
        0xb or 0xd or 0xf => value.Length >= 5,
        _ => true,
    };

    [MethodImpl(MethodImplOptions.NoInlining)] // likewise
    private void ValidateMapsThere()
    {
        if (HasMessageAnnotations) MessageAnnotations.Validate();
        if (_applicationPropertiesAt != 0) ApplicationProperties.Validate();
    }

    private Value10 At(int at)
    {
        if (at == 0) return default;
        var reader = new ValueReader(_prefix[at..]);
        return Value10.Read(ref reader);
    }
}
