using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// What a dead letter tells of its deaths (behaviour note 100): the array <c>x-death</c>, newest first, with one table for each queue and reason, and the headers that
/// name the first and the last death. Those that a publisher sent tell of no death that a broker has seen, and go.
/// </summary>
internal static class DeathHeaders
{
    /// <summary>Deaths that are kept; the oldest goes when there is one more.</summary>
    public const int DeathsMax = 64;

    /// <summary>Bytes of deaths after which no older one is kept: headers go in one frame.</summary>
    public const int DeathsBytesMax = 32 << 10;

    /// <summary>Bytes of further routing keys that a death tells, so that many deaths of a message with many keys still fit a frame.</summary>
    public const int CopiesBytesMax = 4 << 10;

    // A new death but for its further routing keys, and the six headers for the first and the last: names of at most 255 bytes, ten of them.
    private const int AddedSizeMax = 4 << 10;

    private static ReadOnlySpan<byte> Deaths => "x-death"u8;

    private static ReadOnlySpan<byte> CarbonCopies => "CC"u8;

    private static ReadOnlySpan<byte> Queue => "queue"u8;

    private static ReadOnlySpan<byte> Reason => "reason"u8;

    private static ReadOnlySpan<byte> Count => "count"u8;

    /// <inheritdoc cref="IMessageFormat.WithDeath"/>
    public static byte[] Write(Message message, in Death death, bool keepsCarbonCopies)
    {
        ReadOnlySpan<byte> headers = PropertyRewriter.HeadersOf(message.Properties);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(headers.Length + CopiesBytesMax + AddedSizeMax);
        try
        {
            var fields = new FieldWriter(buffer);
            CopyOthers(headers, message.HasDeaths, keepsCarbonCopies, ref fields);
            if (!message.HasDeaths) WriteNames("x-first-death-reason"u8, "x-first-death-queue"u8, "x-first-death-exchange"u8, message, in death, ref fields);
            WriteDeaths(headers, message, in death, ref fields);
            WriteNames("x-last-death-reason"u8, "x-last-death-queue"u8, "x-last-death-exchange"u8, message, in death, ref fields);
            return PropertyRewriter.WithHeaders(PropertyRewriter.Without(message.Properties, BasicPropertyFlags.Expiration), fields.Written);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc cref="IMessageFormat.HasCycle"/>
    public static bool HasCycle(Message message, Utf8Name queue)
    {
        if (!message.HasDeaths) return false;
        var deaths = new FieldTableReader(DeathsOf(PropertyRewriter.HeadersOf(message.Properties)));
        int count = 0;
        while (deaths.TryReadItem(out FieldValueBytes death))
        {
            if (Find(death, Reason).SequenceEqual(NameOf(DeathReason.Rejected))) return false;
            if (Find(death, Queue).SequenceEqual(queue.Span)) return true;
            count++;
        }
        return count >= DeathsMax; // a way of so many queues without a consumer may be a circle whose beginning is forgotten
    }

    /// <inheritdoc cref="IMessageFormat.FindLastDeath"/>
    public static DeathPlace? FindLast(Message message)
    {
        if (!message.HasDeaths) return null;
        var deaths = new FieldTableReader(DeathsOf(PropertyRewriter.HeadersOf(message.Properties)));
        if (!deaths.TryReadItem(out FieldValueBytes death) || death.Type != FieldType.Table) return null;
        var keys = new FieldTableReader(FieldTableReader.TryFind(death.Bytes, "routing-keys"u8, out FieldValueBytes found) ? found.Bytes : default);
        Utf8Name key = keys.TryReadItem(out FieldValueBytes first) ? new Utf8Name(first.Bytes) : default;
        return new DeathPlace(new Utf8Name(Find(death, Queue)), new Utf8Name(Find(death, "exchange"u8)), key);
    }

    private static FieldTableReader CopyReader(ReadOnlySpan<byte> headers) =>
        new(FieldTableReader.TryFind(headers, CarbonCopies, out FieldValueBytes found) && found.Type == FieldType.Array ? found.Bytes : default);

    private static ReadOnlySpan<byte> DeathsOf(ReadOnlySpan<byte> headers) =>
        FieldTableReader.TryFind(headers, Deaths, out FieldValueBytes found) && found.Type == FieldType.Array ? found.Bytes : default;

    private static void CopyOthers(ReadOnlySpan<byte> headers, bool hasDeaths, bool keepsCarbonCopies, ref FieldWriter fields)
    {
        var reader = new FieldTableReader(headers);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            if (name.SequenceEqual(Deaths) || IsNamed(name, "x-last-death-"u8)) continue;
            if (!hasDeaths && IsNamed(name, "x-first-death-"u8)) continue;
            if (!keepsCarbonCopies && name.SequenceEqual(CarbonCopies)) continue;
            fields.Add(name, value);
        }
    }

    private static bool IsNamed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix) =>
        name.StartsWith(prefix) && name[prefix.Length..] is var rest
        && (rest.SequenceEqual(Reason) || rest.SequenceEqual(Queue) || rest.SequenceEqual("exchange"u8));

    private static void WriteNames(
        ReadOnlySpan<byte> reason, ReadOnlySpan<byte> queue, ReadOnlySpan<byte> exchange, Message message, in Death death, ref FieldWriter fields)
    {
        fields.AddText(reason, NameOf(death.Reason));
        fields.AddText(queue, death.Queue.Span);
        fields.AddText(exchange, message.ExchangeBytes);
    }

    private static void WriteDeaths(ReadOnlySpan<byte> headers, Message message, in Death death, ref FieldWriter fields)
    {
        ReadOnlySpan<byte> before = message.HasDeaths ? DeathsOf(headers) : default;
        int array = fields.Begin(Deaths, FieldType.Array);
        int knownAt = WriteKnown(before, in death, ref fields);
        if (knownAt < 0) WriteNew(headers, message, in death, ref fields);
        var reader = new FieldTableReader(before);
        int written = 1;
        int from = fields.Written.Length;
        for (int i = 0; written < DeathsMax && fields.Written.Length - from < DeathsBytesMax && reader.TryReadItem(out FieldValueBytes item); i++)
        {
            if (i == knownAt) continue;
            fields.AddItem(item);
            written++;
        }
        fields.End(array);
    }

    /// <summary>Writes the death of that queue and reason once more, with one more in its count; everything else tells of its first time. -1 when there is none.</summary>
    private static int WriteKnown(ReadOnlySpan<byte> deaths, in Death death, ref FieldWriter fields)
    {
        var reader = new FieldTableReader(deaths);
        for (int i = 0; reader.TryReadItem(out FieldValueBytes item); i++)
        {
            if (!Find(item, Queue).SequenceEqual(death.Queue.Span) || !Find(item, Reason).SequenceEqual(NameOf(death.Reason))) continue;
            int table = fields.BeginItem(FieldType.Table);
            var told = new FieldTableReader(item.Bytes);
            while (told.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
            {
                bool isCount = value.Type == FieldType.SignedLong && name.SequenceEqual(Count);
                if (isCount) fields.AddLong(Count, FieldType.SignedLong, value.AsInteger() + 1);
                else fields.Add(name, value);
            }
            fields.End(table);
            return i;
        }
        return -1;
    }

    private static void WriteNew(ReadOnlySpan<byte> headers, Message message, in Death death, ref FieldWriter fields)
    {
        int table = fields.BeginItem(FieldType.Table);
        if (BasicPropertiesReader.TryFind(message.Properties, BasicPropertyFlags.Expiration, out ReadOnlySpan<byte> expiration))
            fields.AddText("original-expiration"u8, Normal(expiration));
        fields.AddLong(Count, FieldType.SignedLong, 1);
        fields.AddText(Reason, NameOf(death.Reason));
        fields.AddText(Queue, death.Queue.Span);
        fields.AddLong("time"u8, FieldType.Timestamp, death.TimeMs / 1000);
        fields.AddText("exchange"u8, message.ExchangeBytes);
        int keys = fields.Begin("routing-keys"u8, FieldType.Array);
        fields.AddItem(new FieldValueBytes(FieldType.LongString, message.RoutingKeyBytes));
        WriteCopies(headers, ref fields);
        fields.End(keys);
        fields.End(table);
    }

    private static void WriteCopies(ReadOnlySpan<byte> headers, ref FieldWriter fields)
    {
        int room = CopiesBytesMax;
        FieldTableReader copies = CopyReader(headers);
        while (copies.TryReadItem(out FieldValueBytes key))
        {
            room -= key.Bytes.Length + 5; // its type and length
            if (room < 0) return;
            fields.AddItem(key);
        }
    }

    // RabbitMQ has read the number and writes it as numbers are written.
    private static ReadOnlySpan<byte> Normal(ReadOnlySpan<byte> expiration) => Utf8Parser.TryParse(expiration, out long timeMs, out _)
        ? Encoding.ASCII.GetBytes(timeMs.ToString(CultureInfo.InvariantCulture))
        : expiration;

    /// <summary>A text of a death's table; empty when it has none.</summary>
    private static ReadOnlySpan<byte> Find(FieldValueBytes death, ReadOnlySpan<byte> name) =>
        death.Type == FieldType.Table && FieldTableReader.TryFind(death.Bytes, name, out FieldValueBytes found) && found.Type == FieldType.LongString
            ? found.Bytes : default;

    private static ReadOnlySpan<byte> NameOf(DeathReason reason) => reason switch
    {
        DeathReason.Rejected => "rejected"u8,
        DeathReason.Expired => "expired"u8,
        DeathReason.MaxLength => "maxlen"u8,
        _ => "delivery_limit"u8,
    };
}
