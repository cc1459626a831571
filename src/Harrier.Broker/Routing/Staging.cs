using System.Buffers.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Says which messages have to wait before their exchange routes them: those with a delay, and those that may be duplicates.</summary>
internal static class Staging
{
    // Ten years, as for every other time.
    private const long DelayMsMax = 315_360_000_000;

    private static ReadOnlySpan<byte> DelayHeader => "x-delay"u8;

    /// <summary>Whether a message has to wait, and if so, notes until when.</summary>
    public static bool Applies(Exchange exchange, Message message)
    {
        long delayMs = exchange.DelaysMessages ? DelayOf(message) : 0;
        if (delayMs <= 0 && !(exchange.DeduplicatesMessages && HasKey(exchange, message))) return false;
        message.DueAtMs = message.ArrivedAtMs + Math.Clamp(delayMs, 0, DelayMsMax);
        return true;
    }

    private static bool HasKey(Exchange exchange, Message message)
    {
        string header = exchange.Arguments.TryGetText("x-deduplication-header", out string? name) ? name : "x-deduplication-header";
        return message.Format.TryFindHeader(message.Properties, System.Text.Encoding.UTF8.GetBytes(header), out _);
    }

    private static long DelayOf(Message message)
    {
        if (!message.Format.TryFindHeader(message.Properties, DelayHeader, out HeaderValue value)) return 0;
        if (value.Integer is { } delayMs) return delayMs;
        if (value.Real is { } real) return double.IsFinite(real) ? (long)Math.Clamp(real, 0, DelayMsMax) : 0;
        return Utf8Parser.TryParse(value.Content, out long parsed, out int used) && used == value.Content.Length ? parsed : 0; // some clients write numbers as text
    }
}
