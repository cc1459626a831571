using System.Buffers.Binary;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// The sections in front of a message's body, where they stand: what <see cref="Broker.Messages.Message.Properties"/> of a 1.0 message holds. Each may be
/// absent; an absent one is null.
/// </summary>
internal readonly ref struct Sections10
{
    /// <summary>Bytes that they may have together. Far more than any client sends; it bounds what is kept of a message whose body has not come.</summary>
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

    private Sections10(ReadOnlySpan<byte> prefix)
    {
        _prefix = prefix;
        _bareAt = prefix.Length;
        SectionKind last = default;
        var reader = new ValueReader(prefix);
        while (!reader.IsAtEnd)
        {
            int at = prefix.Length - reader.Rest.Length;
            SectionKind kind = SectionReader10.ReadKind(ref reader);
            CheckOrder(last, kind);
            last = kind;
            int valueAt = prefix.Length - reader.Rest.Length;
            reader.Skip();
            switch (kind)
            {
                case SectionKind.Header: (_headerAt, _headerSize) = (valueAt, prefix.Length - reader.Rest.Length); break;
                case SectionKind.DeliveryAnnotations: HasDeliveryAnnotations = true; break;
                case SectionKind.MessageAnnotations: _annotationsAt = valueAt; break;
                case SectionKind.Properties: (_propertiesAt, _bareAt) = (valueAt, at); break;
                case SectionKind.ApplicationProperties: (_applicationPropertiesAt, _bareAt) = (valueAt, Math.Min(_bareAt, at)); break;
                default: throw new DecodeException("a section of the body stands in front of it");
            }
        }
    }

    /// <summary>Whether there are delivery annotations, which are for one hop only (1.0 part 3, section 3.2.2).</summary>
    public bool HasDeliveryAnnotations { get; }

    /// <summary>The header with its descriptor, as it stands.</summary>
    public ReadOnlySpan<byte> HeaderSection => _prefix[.._headerSize];

    /// <summary>A list.</summary>
    public Value10 Header => At(_headerAt);

    /// <summary>A map.</summary>
    public Value10 MessageAnnotations => At(_annotationsAt);

    /// <summary>A list.</summary>
    public Value10 Properties => At(_propertiesAt);

    public bool HasProperties => _propertiesAt != 0;

    /// <summary>A map.</summary>
    public Value10 ApplicationProperties => At(_applicationPropertiesAt);

    /// <summary>What of the bare message stands in front of the body, which nobody may change: both properties with their descriptors.</summary>
    public ReadOnlySpan<byte> Bare => _prefix[_bareAt..];

    /// <summary>Finds them. Throws <see cref="DecodeException"/> unless they are sections of those kinds in their order.</summary>
    public static Sections10 Find(ReadOnlySpan<byte> prefix) => new(prefix);

    /// <summary>
    /// Finds where the body begins, of a message whose beginning has come: false when more of it is needed. Throws <see cref="DecodeException"/> when there are
    /// no such sections, or more than <see cref="PrefixSizeMax"/> bytes of them.
    /// </summary>
    /// <param name="received">The encoded message from its first byte on.</param>
    /// <param name="prefixSize">Bytes of the sections in front of the body, delivery annotations among them.</param>
    public static bool TryFindBody(ReadOnlySpan<byte> received, out int prefixSize)
    {
        prefixSize = 0;
        SectionKind last = default;
        while (TryReadDescriptor(received[prefixSize..], out SectionKind kind, out int size))
        {
            if (kind == SectionKind.Footer) throw new DecodeException("a message has no body");
            if (kind >= SectionKind.Data) return true;
            CheckOrder(last, kind);
            last = kind;
            if (!TryMeasure(received[(prefixSize + size)..], out long valueSize)) return false;
            long end = prefixSize + size + valueSize;
            if (end > PrefixSizeMax) throw new DecodeException($"the sections in front of the body have more than {PrefixSizeMax} bytes");
            if (end > received.Length) return false;
            prefixSize = (int)end;
        }
        return false;
    }

    /// <summary>
    /// Finds where the body of a whole message begins. Throws <see cref="DecodeException"/>, also when it has none: it is no message then (1.0 part 3,
    /// section 3.2).
    /// </summary>
    public static int FindBody(ReadOnlySpan<byte> message) =>
        TryFindBody(message, out int prefixSize) ? prefixSize : throw new DecodeException("a message ends before its body");

    /// <summary>The sections without the delivery annotations, which are for one hop only (1.0 part 3, section 3.2.2). Copied only if there are any.</summary>
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
        var reader = new ValueReader(Header.Encoded);
        return MessageHeader.Decode(ref reader);
    }

    /// <summary>The fields of the properties; all null when they are absent.</summary>
    public MessageProperties ReadProperties()
    {
        if (!HasProperties) return default;
        var reader = new ValueReader(Properties.Encoded);
        return MessageProperties.Decode(ref reader);
    }

    /// <summary>Walks the maps with everything that is inside of them, so that later readers cannot fail. Throws <see cref="DecodeException"/>.</summary>
    public void ValidateMaps()
    {
        if (_annotationsAt != 0) MessageAnnotations.Validate();
        if (_applicationPropertiesAt != 0) ApplicationProperties.Validate();
    }

    private static void CheckOrder(SectionKind last, SectionKind kind)
    {
        if (kind <= last) throw new DecodeException($"the section 0x{(byte)kind:x2} comes after the section 0x{(byte)last:x2}");
    }

    private static bool TryReadDescriptor(ReadOnlySpan<byte> bytes, out SectionKind kind, out int size)
    {
        (kind, size) = (default, 0);
        if (bytes.IsEmpty) return false;
        if (bytes[0] != (byte)FormatCode.Described) throw new DecodeException("a section has no descriptor");
        if (!TryMeasure(bytes[1..], out long descriptorSize)) return false;
        if (descriptorSize > DescriptorSizeMax) throw new DecodeException($"the descriptor of a section has more than {DescriptorSizeMax} bytes");
        size = 1 + (int)descriptorSize;
        if (size > bytes.Length) return false;
        var reader = new ValueReader(bytes[..size]);
        kind = SectionReader10.KindOf(reader.ReadDescriptor());
        return true;
    }

    /// <summary>How many bytes a value takes, constructor and all; false when too few have come to tell. A section is no described value.</summary>
    private static bool TryMeasure(ReadOnlySpan<byte> bytes, out long size)
    {
        size = 0;
        if (bytes.IsEmpty) return false;
        bool isSizeThere = (bytes[0] >> 4) switch
        {
            0xa or 0xc or 0xe => bytes.Length >= 2,
            0xb or 0xd or 0xf => bytes.Length >= 5,
            _ => true,
        };
        if (!isSizeThere) return false;
        size = (bytes[0] >> 4) switch
        {
            0x4 => 1,
            0x5 => 2,
            0x6 => 3,
            0x7 => 5,
            0x8 => 9,
            0x9 => 17,
            0xa or 0xc or 0xe => 2 + bytes[1],
            0xb or 0xd or 0xf => 5L + BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]),
            _ => throw new DecodeException($"a section has a value with the constructor 0x{bytes[0]:x2}"),
        };
        return true;
    }

    private Value10 At(int at)
    {
        if (at == 0) return default;
        var reader = new ValueReader(_prefix[at..]);
        return Value10.Read(ref reader);
    }
}
