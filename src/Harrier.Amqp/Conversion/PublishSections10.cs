using System.Runtime.CompilerServices;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>What the broker itself heeds of a 1.0 message that is being published. Reading it checks all that stands in front of the body.</summary>
internal readonly ref struct PublishSections10
{
    /// <summary>Bytes of further routing keys that a message may have: as many as fit the largest 0-9-1 header frame.</summary>
    public const int CarbonCopiesSizeMax = 128 << 10;

    private readonly Value10 _carbonCopies;
    private readonly ReadOnlySpan<byte> _userId;
    private readonly ReadOnlySpan<byte> _to;
    private readonly ReadOnlySpan<byte> _subject;

    private PublishSections10(Sections10 sections)
    {
        MessageHeader header = sections.ReadHeader();
        // RabbitMQ has it in an annotation where no header says it (behaviour note 113).
        IsDurable = header.Durable ?? MapReader10.Find(sections.MessageAnnotations, "x-basic-delivery-mode"u8).Integer == 2;
        Priority = header.Priority;
        TimeToLiveMs = header.Ttl;
        _carbonCopies = MapReader10.Find(sections.MessageAnnotations, "x-cc"u8);
        if (sections.HasProperties) ReadProperties(sections, out _userId, out _to, out _subject);
    }

    /// <summary>Whether it is to survive a restart; one that does not say so is not.</summary>
    public bool IsDurable { get; }

    /// <summary>As the publisher gave it, or null.</summary>
    public byte? Priority { get; }

    /// <summary>The message's own time to live, or null; 0 is one.</summary>
    public uint? TimeToLiveMs { get; }

    public bool HasUserId => !_userId.IsNull;

    public ReadOnlySpan<byte> UserId => _userId;

    public ReadOnlySpan<byte> Subject => _subject;

    /// <summary>The address that it is for; default for none, and for one that is no string.</summary>
    public ReadOnlySpan<byte> To => Value10.Of(_to).Text;

    /// <summary>Reads and checks. Throws <see cref="DecodeException"/> for sections that are malformed, in another order or nested too deep.</summary>
    /// <param name="properties">The sections in front of the body.</param>
    public static PublishSections10 Read(ReadOnlySpan<byte> properties)
    {
        if (properties.Length > Sections10.PrefixSizeMax)
            throw new DecodeException($"the sections in front of the body have more than {Sections10.PrefixSizeMax} bytes");
        Sections10 sections = Sections10.Find(properties);
        return Read(sections);
    }

    /// <summary>Reads and checks what stands in the sections. Throws <see cref="DecodeException"/>.</summary>
    public static PublishSections10 Read(Sections10 sections)
    {
        sections.ValidateMaps();
        return new PublishSections10(sections);
    }

    /// <summary>Reads what was checked before.</summary>
    public static PublishSections10 Of(Sections10 sections) => new(sections);

    /// <summary>
    /// The keys of the annotation x-cc, or null when there are none. Throws <see cref="DecodeException"/> for more than <see cref="CarbonCopiesSizeMax"/>
    /// bytes of them; what is no list of strings is ignored, as RabbitMQ does.
    /// </summary>
    public Utf8Name[]? ExtraRoutingKeys()
    {
        if (!_carbonCopies.IsList) return null;
        if (_carbonCopies.Bytes.Length > CarbonCopiesSizeMax) throw new DecodeException($"x-cc has more than {CarbonCopiesSizeMax} bytes");
        var keys = new HashSet<Utf8Name>();
        var reader = new ListReader10(_carbonCopies);
        while (reader.Left > 0)
        {
            Value10 key = reader.Read();
            if (key.IsText && key.Content.Length <= Utf8Name.SizeMax) keys.Add(new Utf8Name(key.Content)); // a longer key matches no name
        }
        return keys.Count == 0 ? null : [.. keys];
    }

    // Apart, for all the properties take much room on the stack, and many messages have none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReadProperties(Sections10 sections, out ReadOnlySpan<byte> userId, out ReadOnlySpan<byte> to, out ReadOnlySpan<byte> subject)
    {
        MessageProperties properties = sections.ReadProperties();
        userId = properties.UserId;
        to = properties.To;
        subject = properties.Subject;
    }
}
