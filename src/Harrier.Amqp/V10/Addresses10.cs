using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>What an address names.</summary>
internal enum AddressKind
{
    /// <summary>Nothing: each message says where it goes.</summary>
    Anonymous,

    /// <summary>A queue.</summary>
    Queue,

    /// <summary>An exchange with a routing key.</summary>
    Exchange,

    /// <summary>A name without a path, of a queue or else an exchange, as users of Proton and Artemis write it.</summary>
    Name,

    /// <summary>The management node.</summary>
    Management,
}

/// <summary>An address that was understood.</summary>
/// <param name="Name">The queue or exchange.</param>
/// <param name="RoutingKey">Of an exchange; null when each message's subject is it.</param>
internal readonly record struct Address10(AddressKind Kind, Utf8Name Name = default, Utf8Name? RoutingKey = null);

/// <summary>Reads and writes addresses (behaviour note 104): RabbitMQ's second version, the first one on request, plain names.</summary>
internal static class Addresses10
{
    public const string Management = "/management";

    /// <summary>Reads an encoded address, or default for none. Throws <c>amqp:invalid-field</c> when it is no address.</summary>
    public static Address10 Parse(ReadOnlySpan<byte> encoded, bool allowsVersion1)
    {
        if (encoded.IsEmpty) return new Address10(AddressKind.Anonymous);
        var reader = new ValueReader(encoded);
        if (reader.Next is not (FormatCode.String8 or FormatCode.String32 or FormatCode.Symbol8 or FormatCode.Symbol32))
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "an address is a string");
        return ParseText(reader.ReadText(), allowsVersion1);
    }

    /// <summary>Reads the text of an address.</summary>
    public static Address10 ParseText(ReadOnlySpan<byte> text, bool allowsVersion1)
    {
        if (text.SequenceEqual("/management"u8)) return new Address10(AddressKind.Management);
        if (text.StartsWith("/queues/"u8)) return new Address10(AddressKind.Queue, Decode(text, text["/queues/".Length..]));
        if (text.StartsWith("/exchanges/"u8)) return ParseExchange(text, text["/exchanges/".Length..]);
        if (allowsVersion1 && text.Length > 0 && text[0] == '/') return ParseVersion1(text);
        if (text.IsEmpty || text[0] == '/') throw Bad(text);
        return new Address10(AddressKind.Name, NameOf(text, text));
    }

    /// <summary>The address of a queue, percent-encoded (RFC 3986).</summary>
    public static string OfQueue(Utf8Name name) => "/queues/" + PercentEncoding.Encode(name.Span);

    /// <summary>Whether an encoded address, or default for none, is the management node's.</summary>
    public static bool IsManagement(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return false;
        var reader = new ValueReader(encoded);
        return Value10.Read(ref reader).Is("/management"u8);
    }

    private static Address10 ParseExchange(ReadOnlySpan<byte> text, ReadOnlySpan<byte> path)
    {
        int slash = path.IndexOf((byte)'/');
        Utf8Name exchange = Decode(text, slash < 0 ? path : path[..slash]);
        Utf8Name key = slash < 0 ? default : DecodeKey(text, path[(slash + 1)..]);
        return new Address10(AddressKind.Exchange, exchange, key);
    }

    // /queue/q, /amq/queue/q, /exchange/x[/key], /topic/key: not encoded, and without a key the message's subject is it.
    private static Address10 ParseVersion1(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("/queue/"u8)) return new Address10(AddressKind.Queue, NameOf(text, text["/queue/".Length..]));
        if (text.StartsWith("/amq/queue/"u8)) return new Address10(AddressKind.Queue, NameOf(text, text["/amq/queue/".Length..]));
        if (text.StartsWith("/topic/"u8)) return new Address10(AddressKind.Exchange, new Utf8Name("amq.topic"u8), NameOf(text, text["/topic/".Length..]));
        if (!text.StartsWith("/exchange/"u8)) throw Bad(text);
        ReadOnlySpan<byte> path = text["/exchange/".Length..];
        int slash = path.IndexOf((byte)'/');
        return slash < 0
            ? new Address10(AddressKind.Exchange, NameOf(text, path))
            : new Address10(AddressKind.Exchange, NameOf(text, path[..slash]), NameOf(text, path[(slash + 1)..]));
    }

    private static Utf8Name Decode(ReadOnlySpan<byte> text, ReadOnlySpan<byte> segment)
    {
        Utf8Name name = DecodeKey(text, segment);
        return name.IsEmpty ? throw Bad(text) : name;
    }

    private static Utf8Name DecodeKey(ReadOnlySpan<byte> text, ReadOnlySpan<byte> segment)
    {
        if (segment.Contains((byte)'/')) throw Bad(text);
        if (!segment.Contains((byte)'%')) return NameOf(text, segment);
        return PercentEncoding.TryDecode(segment, out byte[] decoded) ? NameOf(text, decoded) : throw Bad(text);
    }

    private static Utf8Name NameOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Utf8Name.SizeMax || !System.Text.Unicode.Utf8.IsValid(bytes)) throw Bad(text);
        return new Utf8Name(bytes);
    }

    private static AmqpException Bad(ReadOnlySpan<byte> text) =>
        AmqpErrors.InvalidField(AmqpErrorScope.Link, $"bad address {Encoding.UTF8.GetString(text[..Math.Min(text.Length, Utf8Name.SizeMax)])}");
}
