using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>What a receiver adds to a message that it gives back (modified, 1.0 part 3, section 3.4.5; behaviour note 111).</summary>
internal static class ReceiverAnnotations
{
    /// <summary>Whether an encoded map has only keys that begin with x-, and values that can be read.</summary>
    public static bool AreAllowed(ReadOnlySpan<byte> annotations)
    {
        try
        {
            var reader = new ValueReader(annotations);
            Value10 map = Value10.Read(ref reader);
            map.Validate();
            var entries = new MapReader10(map);
            bool areAllowed = map.IsMap;
            while (areAllowed && entries.TryRead(out Value10 key, out _)) areAllowed = key.IsSymbol && key.Content.StartsWith("x-"u8);
            return areAllowed;
        }
        catch (DecodeException)
        {
            return false;
        }
    }

    /// <summary>The message with the annotations among its own, which they replace: one more, with one reference, the caller's. Null when it would have too many.</summary>
    public static Message? Merge(Message message, ReadOnlySpan<byte> annotations)
    {
        if (!ReferenceEquals(message.Format, MessageFormat10.Instance))
        {
            Message converted = To10.Convert(message);
            Message? annotated = Merge(converted, annotations);
            converted.Release();
            return annotated;
        }
        var writer = new ValueWriter(stackalloc byte[512]);
        try
        {
            Write(ref writer, Sections10.Find(message.Properties), annotations);
            return writer.Size > Sections10.PrefixSizeMax ? null : message.Copy(message.ExchangeBytes, message.RoutingKeyBytes, writer.Written);
        }
        finally
        {
            writer.Dispose();
        }
    }

    private static void Write(ref ValueWriter writer, Sections10 sections, ReadOnlySpan<byte> annotations)
    {
        var reader = new ValueReader(annotations);
        Value10 added = Value10.Read(ref reader);
        writer.WriteRaw(sections.HeaderSection);
        writer.WriteDescriptor((ulong)SectionKind.MessageAnnotations);
        int map = writer.BeginMap(), count = added.ReadItems(out ValueReader items);
        var own = new MapReader10(sections.MessageAnnotations);
        while (own.TryRead(out Value10 key, out Value10 value))
        {
            if (MapReader10.TryFind(added, key.Text, out _)) continue;
            writer.WriteRaw(key.Encoded);
            writer.WriteRaw(value.Encoded);
            count += 2;
        }
        writer.WriteRaw(items.Rest);
        writer.End(map, count);
        writer.WriteRaw(sections.Bare);
    }
}
