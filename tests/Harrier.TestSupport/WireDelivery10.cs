using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>A message that a client has received, put together from its transfers.</summary>
/// <param name="FrameSizes">Octets of each frame that it came in.</param>
public sealed record WireDelivery10(uint Handle, uint DeliveryId, byte[] Tag, bool IsSettled, byte[] Payload, int[] FrameSizes)
{
    /// <summary>The text of a body of data sections.</summary>
    public string Text { get; private init; } = "";

    public bool? Durable { get; private init; }

    public byte? Priority { get; private init; }

    public uint? TtlMs { get; private init; }

    public bool? FirstAcquirer { get; private init; }

    public uint? DeliveryCount { get; private init; }

    /// <summary>The message annotations; the values that are no texts in hexadecimal.</summary>
    public Dictionary<string, string> Annotations { get; private init; } = [];

    public bool HasDeliveryAnnotations { get; private init; }

    /// <summary>The bare message, and the footer, if there is one: everything from the properties on (1.0 part 3, section 3.2).</summary>
    public byte[] Bare { get; private init; } = [];

    /// <summary>The same delivery with what its payload says.</summary>
    public WireDelivery10 Read()
    {
        WireDelivery10 read = this;
        var text = new StringBuilder();
        var reader = new ValueReader(Payload);
        while (!reader.IsAtEnd)
        {
            ReadOnlySpan<byte> rest = reader.Rest;
            ValueReader section = reader;
            ulong code = section.ReadDescriptor();
            if (code >= MessageProperties.Code && read.Bare.Length == 0) read = read with { Bare = rest.ToArray() };
            reader.ReadValue();
            if (code == MessageHeader.Code) read = read.With(MessageHeader.Decode(ref section));
            else if (code == Descriptors.DeliveryAnnotations) read = read with { HasDeliveryAnnotations = true };
            else if (code == Descriptors.MessageAnnotations) read = read with { Annotations = WireDecoder10.ReadMap(section.ReadValue()) };
            else if (code == Descriptors.Data) text.Append(Encoding.UTF8.GetString(section.ReadBinary()));
        }
        return read with { Text = text.ToString() };
    }

    private WireDelivery10 With(MessageHeader header) => this with
    {
        Durable = header.Durable,
        Priority = header.Priority,
        TtlMs = header.Ttl,
        FirstAcquirer = header.FirstAcquirer,
        DeliveryCount = header.DeliveryCount,
    };
}
