using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// What a dead 1.0 message tells of its deaths (behaviour note 100): the annotation <c>x-opt-deaths</c>, an array of maps, newest first, one for each queue and
/// reason; and the annotations that name the first and the last death. Those that a publisher sent tell of no death that a broker has seen, and go.
/// </summary>
internal static class DeathAnnotations
{
    private static ReadOnlySpan<byte> Deaths => "x-opt-deaths"u8;

    private static ReadOnlySpan<byte> Queue => "queue"u8;

    private static ReadOnlySpan<byte> Reason => "reason"u8;

    /// <inheritdoc cref="IMessageFormat.WithDeath"/>
    public static byte[] Write(Message message, in Death death, bool keepsCarbonCopies)
    {
        Sections10 sections = Sections10.Find(message.Properties);
        var writer = new ValueWriter(stackalloc byte[1024]);
        try
        {
            WriteHeaderWithoutTimeToLive(sections, ref writer);
            writer.WriteDescriptor((ulong)SectionKind.MessageAnnotations);
            int map = writer.BeginMap();
            int count = CopyOthers(sections.MessageAnnotations, message.HasDeaths, keepsCarbonCopies, ref writer);
            if (!message.HasDeaths)
                count += WriteNames("x-first-death-reason"u8, "x-first-death-queue"u8, "x-first-death-exchange"u8, message, in death, ref writer);
            WriteDeaths(sections, message, in death, ref writer);
            count += 2 + WriteNames("x-last-death-reason"u8, "x-last-death-queue"u8, "x-last-death-exchange"u8, message, in death, ref writer);
            writer.End(map, count);
            writer.WriteRaw(sections.Bare);
            return writer.Written.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    /// <inheritdoc cref="IMessageFormat.HasCycle"/>
    public static bool HasCycle(Message message, Utf8Name queue)
    {
        if (!message.HasDeaths) return false;
        ArrayReader deaths = DeathsOf(Sections10.Find(message.Properties));
        int count = 0;
        while (deaths.Count > 0)
        {
            Value10 death = Value10.ReadItem(ref deaths);
            if (MapReader10.Find(death, Reason).Is(NameOf(DeathReason.Rejected))) return false;
            if (MapReader10.Find(death, Queue).Is(queue.Span)) return true;
            count++;
        }
        return count >= DeathHeaders.DeathsMax; // a way of so many queues without a consumer may be a circle whose beginning is forgotten
    }

    /// <inheritdoc cref="IMessageFormat.FindLastDeath"/>
    public static DeathPlace? FindLast(Message message)
    {
        if (!message.HasDeaths) return null;
        ArrayReader deaths = DeathsOf(Sections10.Find(message.Properties));
        if (deaths.Count == 0) return null;
        Value10 death = Value10.ReadItem(ref deaths);
        ArrayReader keys = MapReader10.Find(death, "routing-keys"u8).ReadArray();
        Utf8Name key = keys.Count > 0 ? new Utf8Name(Value10.ReadItem(ref keys).Text) : default;
        return new DeathPlace(new Utf8Name(MapReader10.Find(death, Queue).Text), new Utf8Name(MapReader10.Find(death, "exchange"u8).Text), key);
    }

    private static ArrayReader DeathsOf(Sections10 sections)
    {
        ArrayReader deaths = MapReader10.Find(sections.MessageAnnotations, Deaths).ReadArray();
        return deaths.IsEmptyKind ? default : deaths;
    }

    // A time to live that has passed, or has been told with the death, must not end the message again (behaviour note 100).
    private static void WriteHeaderWithoutTimeToLive(Sections10 sections, ref ValueWriter writer)
    {
        MessageHeader header = sections.ReadHeader();
        if (header.Ttl is null) writer.WriteRaw(sections.HeaderSection);
        else (header with { Ttl = null }).Write(ref writer);
    }

    private static int CopyOthers(Value10 annotations, bool hasDeaths, bool keepsCarbonCopies, ref ValueWriter writer)
    {
        int count = 0;
        var reader = new MapReader10(annotations);
        while (reader.TryRead(out Value10 key, out Value10 value))
        {
            if (key.Is(Deaths) || IsNamed(key.Text, "x-last-death-"u8)) continue;
            if (!hasDeaths && IsNamed(key.Text, "x-first-death-"u8)) continue;
            if (!keepsCarbonCopies && key.Is("x-cc"u8)) continue;
            writer.WriteRaw(key.Encoded);
            writer.WriteRaw(value.Encoded);
            count += 2;
        }
        return count;
    }

    private static bool IsNamed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix) =>
        name.StartsWith(prefix) && name[prefix.Length..] is var rest
        && (rest.SequenceEqual(Reason) || rest.SequenceEqual(Queue) || rest.SequenceEqual("exchange"u8));

    private static int WriteNames(
        ReadOnlySpan<byte> reason, ReadOnlySpan<byte> queue, ReadOnlySpan<byte> exchange, Message message, in Death death, ref ValueWriter writer)
    {
        writer.WriteSymbol(reason);
        writer.WriteString(NameOf(death.Reason));
        writer.WriteSymbol(queue);
        writer.WriteString(death.Queue.Span);
        writer.WriteSymbol(exchange);
        writer.WriteString(message.ExchangeBytes);
        return 6;
    }

    private static void WriteDeaths(Sections10 sections, Message message, in Death death, ref ValueWriter writer)
    {
        ArrayReader before = message.HasDeaths ? DeathsOf(sections) : default;
        writer.WriteSymbol(Deaths);
        int array = writer.BeginArray(FormatCode.Map32);
        int knownAt = WriteKnown(before, in death, ref writer);
        if (knownAt < 0) WriteNew(sections, message, in death, ref writer);
        int written = 1;
        int from = writer.Size;
        for (int i = 0; written < DeathHeaders.DeathsMax && writer.Size - from < DeathHeaders.DeathsBytesMax && before.Count > 0; i++)
        {
            Value10 other = Value10.ReadItem(ref before);
            if (i == knownAt) continue;
            int map = writer.BeginMapItem();
            int count = other.ReadItems(out ValueReader items);
            writer.WriteRaw(items.Rest);
            writer.EndMapItem(map, count);
            written++;
        }
        writer.EndArray(array, written);
    }

    /// <summary>Writes the death of that queue and reason once more: one more in its count, and its last time is now. -1 when there is none.</summary>
    private static int WriteKnown(ArrayReader deaths, in Death death, ref ValueWriter writer)
    {
        for (int i = 0; deaths.Count > 0; i++)
        {
            Value10 known = Value10.ReadItem(ref deaths);
            if (!MapReader10.Find(known, Queue).Is(death.Queue.Span) || !MapReader10.Find(known, Reason).Is(NameOf(death.Reason))) continue;
            int map = writer.BeginMapItem();
            int count = 0;
            var told = new MapReader10(known);
            while (told.TryRead(out Value10 key, out Value10 value))
            {
                writer.WriteRaw(key.Encoded);
                if (key.Is("count"u8) && value.Integer is { } times and >= 0) writer.WriteULong((ulong)times + 1);
                else if (key.Is("last-time"u8)) writer.WriteTimestamp(death.TimeMs);
                else writer.WriteRaw(value.Encoded);
                count += 2;
            }
            writer.EndMapItem(map, count);
            return i;
        }
        return -1;
    }

    private static void WriteNew(Sections10 sections, Message message, in Death death, ref ValueWriter writer)
    {
        int map = writer.BeginMapItem();
        var told = new DeathTold
        {
            Queue = death.Queue.Span,
            Reason = NameOf(death.Reason),
            Count = 1,
            FirstTimeMs = death.TimeMs,
            LastTimeMs = death.TimeMs,
            Exchange = message.ExchangeBytes,
            TimeToLiveMs = sections.ReadHeader().Ttl,
        };
        int count = told.WriteBegin(ref writer);
        int keys = writer.BeginArray(FormatCode.String32);
        int keyCount = WriteKeys(message, ref writer);
        writer.EndArray(keys, keyCount);
        writer.EndMapItem(map, count + 1);
    }

    private static int WriteKeys(Message message, ref ValueWriter writer)
    {
        writer.WriteStringItem(message.RoutingKeyBytes);
        int count = 1;
        int room = DeathHeaders.CopiesBytesMax;
        foreach (Utf8Name key in message.ExtraRoutingKeys ?? [])
        {
            room -= key.Span.Length + sizeof(int);
            if (room < 0) break;
            writer.WriteStringItem(key.Span);
            count++;
        }
        return count;
    }

    private static ReadOnlySpan<byte> NameOf(DeathReason reason) => reason switch
    {
        DeathReason.Rejected => "rejected"u8,
        DeathReason.Expired => "expired"u8,
        DeathReason.MaxLength => "maxlen"u8,
        _ => "delivery_limit"u8,
    };
}
