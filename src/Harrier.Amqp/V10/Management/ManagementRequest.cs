using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>A request to the management node (behaviour note 114): HTTP in the properties of a message. Reads the message where it stands.</summary>
internal readonly ref struct ManagementRequest
{
    // No method is longer; of one that is, this much tells it apart.
    private const int MethodBytesMax = 16;

    /// <summary>GET, PUT, POST or DELETE, or whatever came instead.</summary>
    public string Method { get; private init; }

    /// <summary>The UTF-8 of the path and query.</summary>
    public ReadOnlySpan<byte> Uri { get; private init; }

    /// <summary>The encoded message-id, or default for none.</summary>
    public ReadOnlySpan<byte> MessageId { get; private init; }

    /// <summary>The value that is the body, seen to be well-formed; null for a body of another kind.</summary>
    public Value10 Body { get; private init; }

    /// <summary>Reads a whole message. Throws <see cref="DecodeException"/> when it is none, and <see cref="AmqpException"/> when it is no request.</summary>
    public static ManagementRequest Read(ReadOnlySpan<byte> message)
    {
        var sections = new Sections10(message, Sections10.PrefixSizeMax);
        if (!sections.IsBodyFound) sections = Sections10.Find(message); // Proton leaves a body of null out
        Value10 properties = sections.Properties;
        if (properties.IsNull) throw Malformed();
        var reader = new ValueReader(properties.Encoded);
        MessageProperties fields = MessageProperties.Decode(ref reader);
        if (fields.To.IsEmpty || fields.ReplyTo.IsEmpty || fields.Subject.IsEmpty || !TextOf(fields.ReplyTo).SequenceEqual("$me"u8)) throw Malformed();
        return new ManagementRequest
        {
            Method = Encoding.UTF8.GetString(fields.Subject[..Math.Min(fields.Subject.Length, MethodBytesMax)]),
            Uri = TextOf(fields.To),
            MessageId = fields.MessageId,
            Body = ReadBody(message[sections.Size..]),
        };
    }

    private static Value10 ReadBody(ReadOnlySpan<byte> sections)
    {
        if (sections.IsEmpty) return default;
        Body10.Check(sections);
        var reader = new SectionReader10(sections);
        reader.TryRead(out SectionKind kind, out Value10 value);
        if (kind != SectionKind.Value) return default;
        value.Validate();
        return value;
    }

    private static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> encoded)
    {
        var reader = new ValueReader(encoded);
        return Value10.Read(ref reader).Text;
    }

    private static AmqpException Malformed() =>
        AmqpErrors.InvalidField(AmqpErrorScope.Link, "a management request has the properties 'to', 'subject' and the 'reply-to' of \"$me\"");
}
