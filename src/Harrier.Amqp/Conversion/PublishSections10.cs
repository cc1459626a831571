using System.Runtime.CompilerServices;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>What the broker itself heeds of a 1.0 message that is being published. Reading it checks all that stands in front of the body.</summary>
internal ref struct PublishSections10
{
    /// <summary>Bytes of further routing keys that a message may have: as many as fit the largest 0-9-1 header frame.</summary>
    public const int CarbonCopiesSizeMax = 128 << 10;

    private ReadOnlySpan<byte> _carbonCopies;
    private ReadOnlySpan<byte> _userId;
    private ReadOnlySpan<byte> _to;
    private ReadOnlySpan<byte> _subject;

    /// <summary>Reads header and properties, and checks them; the maps have been checked. Throws <see cref="DecodeException"/>.</summary>
    /// <remarks>No constructor and no result: those of this size are copied on their way, which is what reading a small message costs once more.</remarks>
    public void Take(scoped in Sections10 sections)
    {
        MessageHeader header = sections.ReadHeader();
        Priority = header.Priority;
        TimeToLiveMs = header.Ttl;
        bool isAnnotatedDurable = false;
        if (sections.HasMessageAnnotations) ReadAnnotations(in sections, out isAnnotatedDurable, out _carbonCopies);
        IsDurable = header.Durable ?? isAnnotatedDurable;
        if (sections.HasProperties) ReadProperties(in sections, out _userId, out _to, out _subject);
    }

    /// <summary>Whether it is to survive a restart; one that does not say so is not.</summary>
    public bool IsDurable { get; private set; }

    /// <summary>As the publisher gave it, or null.</summary>
    public byte? Priority { get; private set; }

    /// <summary>The message's own time to live, or null; 0 is one.</summary>
    public uint? TimeToLiveMs { get; private set; }

    public readonly bool HasUserId => !_userId.IsNull;

    public readonly ReadOnlySpan<byte> UserId => _userId;

    public readonly ReadOnlySpan<byte> Subject => _subject;

    /// <summary>The address that it is for; default for none, and for one that is no string.</summary>
    public readonly ReadOnlySpan<byte> To => Value10.Of(_to).Text;

    /// <summary>Reads and checks. Throws <see cref="DecodeException"/> for sections that are malformed, in another order or nested too deep.</summary>
    /// <param name="properties">The sections in front of the body.</param>
    public static PublishSections10 Read(ReadOnlySpan<byte> properties)
    {
        if (properties.Length > Sections10.PrefixSizeMax)
            throw new DecodeException($"the sections in front of the body have more than {Sections10.PrefixSizeMax} bytes");
        Sections10 sections = Sections10.Find(properties);
        sections.ValidateMaps();
        PublishSections10 read = default;
        read.Take(in sections);
        return read;
    }

    /// <summary>
    /// The keys of the annotation x-cc, or null when there are none. Throws <see cref="DecodeException"/> for more than <see cref="CarbonCopiesSizeMax"/>
    /// bytes of them; what is no list of strings is ignored, as RabbitMQ does.
    /// </summary>
    public readonly Utf8Name[]? ExtraRoutingKeys() => _carbonCopies.IsEmpty ? null : KeysOf(Value10.Of(_carbonCopies));

    // Apart, like what follows: what they look at takes room on the stack that would be cleared for every message, and many messages have none of it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Utf8Name[]? KeysOf(Value10 carbonCopies)
    {
        if (!carbonCopies.IsList) return null;
        if (carbonCopies.Bytes.Length > CarbonCopiesSizeMax) throw new DecodeException($"x-cc has more than {CarbonCopiesSizeMax} bytes");
        var keys = new HashSet<Utf8Name>();
        var reader = new ListReader10(carbonCopies);
        while (reader.Left > 0)
        {
            Value10 key = reader.Read();
            if (key.IsText && key.Content.Length <= Utf8Name.SizeMax) keys.Add(new Utf8Name(key.Content)); // a longer key matches no name
        }
        return keys.Count == 0 ? null : [.. keys];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReadAnnotations(scoped in Sections10 sections, out bool isDurable, out ReadOnlySpan<byte> carbonCopies)
    {
        // RabbitMQ has it in an annotation where no header says it (behaviour note 113).
        isDurable = MapReader10.Find(sections.MessageAnnotations, "x-basic-delivery-mode"u8).Integer == 2;
        carbonCopies = MapReader10.Find(sections.MessageAnnotations, "x-cc"u8).Encoded;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReadProperties(scoped in Sections10 sections, out ReadOnlySpan<byte> userId, out ReadOnlySpan<byte> to, out ReadOnlySpan<byte> subject)
    {
        MessageProperties properties = sections.ReadProperties();
        userId = properties.UserId;
        to = properties.To;
        subject = properties.Subject;
    }
}
