using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>Builds an encoded message of 1.0, section by section, in whatever order the test wants (1.0 part 3, section 3.2).</summary>
public sealed class Message10
{
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => [.. _bytes];

    /// <summary>A message with nothing but one data section.</summary>
    public static byte[] Of(string text) => new Message10().Data(text).Bytes;

    public Message10 Header(in MessageHeader header) => Raw(Encoded10.Composite(in header));

    public Message10 DeliveryAnnotations(params (string Key, byte[] Value)[] annotations) =>
        Section(Descriptors.DeliveryAnnotations, Encoded10.Map(annotations));

    public Message10 MessageAnnotations(params (string Key, byte[] Value)[] annotations) => Section(Descriptors.MessageAnnotations, Encoded10.Map(annotations));

    public Message10 Properties(in MessageProperties properties) => Raw(Encoded10.Composite(in properties));

    /// <summary>Properties with an address and a subject.</summary>
    public Message10 To(string? address, string? subject = null) => Properties(new MessageProperties
    {
        To = address is null ? default : Encoded10.String(address),
        Subject = subject is null ? default : Encoding.UTF8.GetBytes(subject),
    });

    /// <summary>Application properties; their keys are symbols here, which is as much as a broker cares.</summary>
    public Message10 ApplicationProperties(params (string Key, byte[] Value)[] properties) =>
        Section(Descriptors.ApplicationProperties, Encoded10.Map(properties));

    public Message10 Data(string text) => Data(Encoding.UTF8.GetBytes(text));

    public Message10 Data(byte[] bytes) => Section(Descriptors.Data, Encoded10.Binary(bytes));

    public Message10 Value(byte[] encoded) => Section(Descriptors.AmqpValue, encoded);

    public Message10 Footer(params (string Key, byte[] Value)[] entries) => Section(Descriptors.Footer, Encoded10.Map(entries));

    public Message10 Section(ulong descriptor, byte[] value) => Raw(Encoded10.Described(descriptor, value));

    public Message10 Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }
}
