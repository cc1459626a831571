using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>What one death tells, but for its routing keys, as an item of the annotation <c>x-opt-deaths</c> holds it.</summary>
internal ref struct DeathTold
{
    public ReadOnlySpan<byte> Queue { get; init; }

    public ReadOnlySpan<byte> Reason { get; init; }

    /// <summary>How often it died of that in that queue.</summary>
    public ulong Count { get; init; }

    public long FirstTimeMs { get; init; }

    public long LastTimeMs { get; init; }

    /// <summary>The exchange that it had come by.</summary>
    public ReadOnlySpan<byte> Exchange { get; init; }

    /// <summary>The time to live that it had when it died first, or null.</summary>
    public uint? TimeToLiveMs { get; init; }

    /// <summary>Writes the keys and values in RabbitMQ's order, up to the key of the routing keys, whose array is to be written next.</summary>
    /// <returns>Keys and values that were written.</returns>
    public readonly int WriteBegin(ref ValueWriter writer)
    {
        if (TimeToLiveMs is { } timeMs)
        {
            writer.WriteSymbol("ttl"u8);
            writer.WriteUInt(timeMs);
        }
        writer.WriteSymbol("queue"u8);
        writer.WriteString(Queue);
        writer.WriteSymbol("reason"u8);
        writer.WriteSymbol(Reason);
        writer.WriteSymbol("count"u8);
        writer.WriteULong(Count);
        writer.WriteSymbol("first-time"u8);
        writer.WriteTimestamp(FirstTimeMs);
        writer.WriteSymbol("last-time"u8);
        writer.WriteTimestamp(LastTimeMs);
        writer.WriteSymbol("exchange"u8);
        writer.WriteString(Exchange);
        writer.WriteSymbol("routing-keys"u8);
        return TimeToLiveMs is null ? 13 : 15;
    }
}
