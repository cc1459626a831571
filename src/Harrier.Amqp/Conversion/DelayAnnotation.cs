using System.Buffers.Text;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>The x-delay annotation once the delay is over: negative, so that it can still be read and delays nothing again.</summary>
internal static class DelayAnnotation
{
    private static ReadOnlySpan<byte> Name => "x-delay"u8;

    /// <summary>
    /// The sections with the delay negated; unchanged when there is none to negate. An application property of that name stays, for it is the publisher's, and
    /// an annotation comes to win over it.
    /// </summary>
    public static byte[] Negate(ReadOnlySpan<byte> properties)
    {
        if (!MessageFormat10.Instance.TryFindHeader(properties, Name, out HeaderValue delay) || DelayMs(in delay) is not (> 0 and { } delayMs))
            return properties.ToArray();
        Sections10 sections = Sections10.Find(properties);
        var writer = new ValueWriter(stackalloc byte[512]);
        try
        {
            writer.WriteRaw(sections.HeaderSection);
            writer.WriteDescriptor((ulong)SectionKind.MessageAnnotations);
            int map = writer.BeginMap();
            int count = 2;
            var annotations = new MapReader10(sections.MessageAnnotations);
            while (annotations.TryRead(out Value10 key, out Value10 value))
            {
                if (key.Is(Name)) continue;
                writer.WriteRaw(key.Encoded);
                writer.WriteRaw(value.Encoded);
                count += 2;
            }
            writer.WriteSymbol(Name);
            writer.WriteLong(-delayMs);
            writer.End(map, count);
            writer.WriteRaw(sections.Bare);
            return writer.Written.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    // As the broker reads it: texts and floats too when they are numbers.
    private static long? DelayMs(in HeaderValue value)
    {
        if (value.Integer is { } whole) return whole;
        if (value.Real is { } real) return (long)real; // saturates; NaN is 0
        return Utf8Parser.TryParse(value.Content, out long delayMs, out int used) && used == value.Content.Length ? delayMs : null;
    }
}
