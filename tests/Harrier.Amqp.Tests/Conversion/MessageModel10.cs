using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>A 1.0 message as a test describes it, section by section.</summary>
internal sealed record MessageModel10
{
    /// <summary>durable, priority, ttl, first-acquirer, delivery-count.</summary>
    public Items? Header { get; init; }

    public Pairs? DeliveryAnnotations { get; init; }

    public Pairs? Annotations { get; init; }

    /// <summary>message-id, user-id, to, subject, reply-to, correlation-id, content-type, content-encoding, two times, group-id and on.</summary>
    public Items? Properties { get; init; }

    public Pairs? Application { get; init; }

    /// <summary>The sections of the body and the footer, each with its code.</summary>
    public (ulong Code, object? Value)[] Body { get; init; } = [(0x75, "body"u8.ToArray())];

    /// <summary>The sections in front of the body.</summary>
    public byte[] EncodePrefix() =>
    [
        .. Section(0x70, Header), .. Section(0x71, DeliveryAnnotations), .. Section(0x72, Annotations),
        .. Section(0x73, Properties), .. Section(0x74, Application),
    ];

    public byte[] EncodeBody() => [.. Body.SelectMany(s => Model10.Encode(new Described(s.Code, s.Value)))];

    public Message ToMessage(string exchange = "x", string routingKey = "k", bool hasDeaths = false) =>
        Of(EncodePrefix(), EncodeBody(), exchange, routingKey, hasDeaths);

    /// <summary>A message with those sections, which has the properties that a broker takes from them.</summary>
    public static Message Of(byte[] prefix, byte[] body, string exchange = "x", string routingKey = "k", bool hasDeaths = false)
    {
        Body10.Check(body);
        PublishSections10 publish = PublishSections10.Read(prefix);
        Message message = Message.Rent(MessageFormat10.Instance, new Utf8Name(exchange).Span, new Utf8Name(routingKey).Span, prefix, body.Length);
        message.AppendBody(body, body.Length);
        message.HasDeaths = hasDeaths;
        message.IsPersistent = publish.IsDurable;
        message.Priority = publish.Priority;
        message.ExtraRoutingKeys = publish.ExtraRoutingKeys();
        return message;
    }

    /// <summary>The sections as text, one by one: the code and the value.</summary>
    public static string[] Texts(ReadOnlySpan<byte> sections)
    {
        var texts = new List<string>();
        var reader = new SectionReader10(sections);
        while (reader.TryRead(out SectionKind kind, out Value10 value)) texts.Add($"{(int)kind:x} {Model10.Text(value.Encoded)}");
        return [.. texts];
    }

    private static byte[] Section(ulong code, object? value) => value is null ? [] : Model10.Encode(new Described(code, value));
}
