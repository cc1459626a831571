using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>The sections of a message, by the code of their descriptor and in the order in which they stand (1.0 part 3, section 3.2).</summary>
internal enum SectionKind : byte
{
    Header = 0x70,
    DeliveryAnnotations = 0x71,
    MessageAnnotations = 0x72,
    Properties = 0x73,
    ApplicationProperties = 0x74,

    /// <summary>Bytes: the whole body, or a part of it.</summary>
    Data = 0x75,

    /// <summary>A list: the whole body, or a part of it.</summary>
    Sequence = 0x76,

    /// <summary>Any one value, which is the whole body.</summary>
    Value = 0x77,
    Footer = 0x78,
}

/// <summary>
/// Reads one section of a message after the other. Throws <see cref="DecodeException"/> for what is no section, or one with a value of another type.
/// </summary>
internal ref struct SectionReader10(ReadOnlySpan<byte> sections)
{
    private readonly ReadOnlySpan<byte> _sections = sections;

    /// <summary>Bytes of the sections that were read.</summary>
    public int Position { get; private set; }

    /// <summary>The next section; false at the end.</summary>
    public bool TryRead(out SectionKind kind, out Value10 value)
    {
        kind = default;
        value = default;
        if (Position == _sections.Length) return false;
        var reader = new ValueReader(_sections[Position..]);
        kind = ReadKind(ref reader);
        value = Value10.Read(ref reader);
        Position = _sections.Length - reader.Rest.Length;
        return true;
    }

    /// <summary>The kind of the section that is next, whose value is to be read then. Throws <see cref="DecodeException"/> when that is of another type.</summary>
    public static SectionKind ReadKind(scoped ref ValueReader reader)
    {
        SectionKind kind = KindOf(reader.ReadDescriptor());
        AssertSuits(kind, reader.Next);
        return kind;
    }

    /// <summary>Throws <see cref="DecodeException"/> when a section of that kind has no values with that constructor.</summary>
    public static void AssertSuits(SectionKind kind, FormatCode code)
    {
        if (!Suits(kind, code)) throw new DecodeException($"the section 0x{(byte)kind:x2} has a value with the constructor 0x{(byte)code:x2}");
    }

    /// <summary>The section that a descriptor announces. Throws <see cref="DecodeException"/> when it announces none.</summary>
    public static SectionKind KindOf(ulong descriptor)
    {
        if (descriptor is < (ulong)SectionKind.Header or > (ulong)SectionKind.Footer)
            throw new DecodeException("a message has a part that is none of its sections");
        return (SectionKind)descriptor;
    }

    private static bool Suits(SectionKind kind, FormatCode code) => kind switch
    {
        SectionKind.Header or SectionKind.Properties or SectionKind.Sequence => code is FormatCode.List0 or FormatCode.List8 or FormatCode.List32,
        SectionKind.Data => code is FormatCode.Binary8 or FormatCode.Binary32,
        SectionKind.Value => true,
        _ => code is FormatCode.Map8 or FormatCode.Map32,
    };
}
