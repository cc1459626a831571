using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Makes the annotation <c>x-opt-deaths</c> of the header <c>x-death</c>, which tells of first times only, and in seconds.</summary>
internal static class DeathConversion
{
    /// <summary>Writes the array of maps.</summary>
    /// <param name="deaths">The items of the header, as the broker wrote them.</param>
    /// <param name="writer">Where to.</param>
    public static void Write(ReadOnlySpan<byte> deaths, ref ValueWriter writer)
    {
        int array = writer.BeginArray(FormatCode.Map32);
        int count = 0;
        var reader = new FieldTableReader(deaths);
        while (reader.TryReadItem(out FieldValueBytes death))
        {
            if (death.Type != FieldType.Table) continue;
            WriteDeath(death.Bytes, ref writer);
            count++;
        }
        writer.EndArray(array, count);
    }

    private static void WriteDeath(ReadOnlySpan<byte> death, ref ValueWriter writer)
    {
        int map = writer.BeginMapItem();
        long timeMs = Times.MillisecondsOf(Number(death, "time"u8, FieldType.Timestamp));
        var told = new DeathTold
        {
            Queue = Text(death, "queue"u8),
            Reason = Text(death, "reason"u8),
            Count = (ulong)Math.Max(0, Number(death, "count"u8, FieldType.SignedLong)),
            FirstTimeMs = timeMs,
            LastTimeMs = timeMs,
            Exchange = Text(death, "exchange"u8),
            TimeToLiveMs = Properties091.NumberOf(Text(death, "original-expiration"u8)),
        };
        int written = told.WriteBegin(ref writer);
        int keys = writer.BeginArray(FormatCode.String32);
        int keyCount = 0;
        var reader = new FieldTableReader(Find(death, "routing-keys"u8, FieldType.Array));
        while (reader.TryReadItem(out FieldValueBytes key))
        {
            if (key.Type != FieldType.LongString) continue;
            writer.WriteStringItem(key.Bytes);
            keyCount++;
        }
        writer.EndArray(keys, keyCount);
        writer.EndMapItem(map, written + 1);
    }

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> death, ReadOnlySpan<byte> name) => Find(death, name, FieldType.LongString);

    private static long Number(ReadOnlySpan<byte> death, ReadOnlySpan<byte> name, FieldType type) =>
        FieldTableReader.TryFind(death, name, out FieldValueBytes found) && found.Type == type ? found.AsInteger() : 0;

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> death, ReadOnlySpan<byte> name, FieldType type) =>
        FieldTableReader.TryFind(death, name, out FieldValueBytes found) && found.Type == type ? found.Bytes : default;
}
