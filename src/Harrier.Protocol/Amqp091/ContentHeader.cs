namespace Harrier.Protocol.Amqp091;

/// <summary>
/// The payload of a content header frame (0-9-1 section 4.2.6.1):
/// <code>
///   0          2        4           12               14
///   +----------+--------+-----------+----------------+ - - - - - - - +
///   | class-id | weight | body size | property flags | property list |
///   +----------+--------+-----------+----------------+ - - - - - - - +
/// </code>
/// </summary>
public readonly ref struct ContentHeader
{
    /// <summary>Octets before the property flags.</summary>
    public const int PrefixSize = 12;

    /// <summary>Octets of a header without any property.</summary>
    public const int SizeMin = PrefixSize + 2;

    private ContentHeader(ushort classId, ulong bodySize, ReadOnlySpan<byte> properties)
    {
        ClassId = classId;
        BodySize = bodySize;
        Properties = properties;
    }

    public ushort ClassId { get; }

    public ulong BodySize { get; }

    /// <summary>The property flags and the property list, for a <see cref="BasicPropertiesReader"/>.</summary>
    public ReadOnlySpan<byte> Properties { get; }

    /// <summary>Reads the fixed part; the properties are not looked at.</summary>
    public static ContentHeader Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        ushort classId = reader.ReadShort();
        reader.ReadShort(); // weight: always 0, and ignored (section 4.2.6.1)
        ulong bodySize = reader.ReadLonglong();
        if (reader.Remaining < 2) AmqpProtocolException.Throw(ReplyCode.FrameError, "content header ends before its property flags");
        return new ContentHeader(classId, bodySize, reader.Rest);
    }

    /// <summary>Writes the payload of a header frame with properties as they were received.</summary>
    public static void Write(ref WireWriter writer, ulong bodySize, ReadOnlySpan<byte> properties)
    {
        writer.WriteShort((ushort)((uint)AmqpMethod.BasicPublish >> 16));
        writer.WriteShort(0);
        writer.WriteLonglong(bodySize);
        writer.WriteRaw(properties);
    }
}
