using System.Text;
using Harrier.Broker.Messages;
using Harrier.TestSupport;

namespace Harrier.Broker.Tests.Features;

/// <summary>A message format whose properties are a text: the key for deduplication, then the deaths as "queue:reason", oldest first.</summary>
internal sealed class NotedFormat : PlainFormat
{
    public const string KeyHeader = "key";

    public static byte[] Properties(string key) => Encoding.UTF8.GetBytes(key);

    public static string KeyOf(Message message) => Encoding.UTF8.GetString(message.Properties).Split('|')[0];

    public static string[] DeathsOf(Message message) => Encoding.UTF8.GetString(message.Properties).Split('|')[1..];

    public override bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
    {
        int end = properties.IndexOf((byte)'|');
        ReadOnlySpan<byte> key = end < 0 ? properties : properties[..end];
        value = new HeaderValue(ArgumentKind.Text, 0, 0, key.ToArray());
        return !key.IsEmpty && name.SequenceEqual("key"u8);
    }

    public override byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies) =>
        Encoding.UTF8.GetBytes($"{Encoding.UTF8.GetString(message.Properties)}|{death.Queue}:{Death.NameOf(death.Reason)}");

    public override bool HasCycle(Message message, Utf8Name queue)
    {
        string[] deaths = DeathsOf(message);
        int first = Array.FindIndex(deaths, death => death.StartsWith(queue + ":", StringComparison.Ordinal));
        return first >= 0 && !deaths[first..].Any(death => death.EndsWith(":rejected", StringComparison.Ordinal));
    }
}
