using System.Buffers.Binary;
using Harrier.Storage.Disk;

namespace Harrier.Broker.Messages;

/// <summary>A message as bytes on disk: a head, then what it carries, untouched (docs/data-format.md).</summary>
/// <remarks><code>
///   0        1              2                 3       4                  8           16 (as flags say)
///   +--------+--------------+-----------------+-------+------------------+-----------+------------+--------+----------+
///   | format | exchange size| routing key size| flags | properties size  | arrived at| expires at | due at | priority |
///   +--------+--------------+-----------------+-------+------------------+-----------+------------+--------+----------+
///   | count and further routing keys | exchange | routing key | properties | body |
///   +--------------------------------+----------+-------------+------------+------+
/// </code></remarks>
internal static class StoredMessage
{
    private const int HeadSizeMin = 16;

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        Persistent = 1,
        HasDeaths = 2,
        Expires = 4,
        Delayed = 8,
        HasPriority = 16,
        HasExtraKeys = 32,
    }

    public static int SizeOf(Message message) => HeadSize(FlagsOf(message)) + ExtraKeysSize(message.ExtraRoutingKeys) + message.Size;

    public static void Write(Span<byte> to, Message message)
    {
        Flags flags = FlagsOf(message);
        to[0] = message.Format.Id;
        to[1] = (byte)message.ExchangeBytes.Length;
        to[2] = (byte)message.RoutingKeyBytes.Length;
        to[3] = (byte)flags;
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], message.Properties.Length);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], message.ArrivedAtMs);
        int at = HeadSizeMin;
        if (flags.HasFlag(Flags.Expires)) WriteTime(to, message.ExpiresAtMs, ref at);
        if (flags.HasFlag(Flags.Delayed)) WriteTime(to, message.DueAtMs, ref at);
        if (message.Priority is { } priority) to[at++] = priority;
        if (message.ExtraRoutingKeys is { } keys) WriteKeys(to, keys, ref at);
        message.Content.CopyTo(to[at..]);
    }

    /// <summary>A message with one reference, the caller's. Throws when the bytes are not what <see cref="Write"/> makes.</summary>
    public static Message Read(ReadOnlySpan<byte> from, MessageFormats formats)
    {
        if (from.Length < HeadSizeMin || from.Length < HeadSize((Flags)from[3])) throw Malformed("it is too short");
        IMessageFormat format = formats.Find(from[0]) ?? throw Malformed($"this Harrier does not know its format {from[0]}");
        int exchange = from[1], routingKey = from[2], properties = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        var flags = (Flags)from[3];
        ReadOnlySpan<byte> content = from[HeadSize(flags)..];
        Utf8Name[]? extraKeys = flags.HasFlag(Flags.HasExtraKeys) ? ReadKeys(ref content) : null;
        if (properties < 0 || (long)exchange + routingKey + properties > content.Length) throw Malformed("its sizes do not fit");
        ReadOnlySpan<byte> body = content[(exchange + routingKey + properties)..];
        Message message = Message.Rent(
            format, content[..exchange], content.Slice(exchange, routingKey), content.Slice(exchange + routingKey, properties), body.Length);
        message.AppendBody(body, body.Length);
        message.ExtraRoutingKeys = extraKeys;
        ReadHead(from, flags, message);
        return message;
    }

    private static void ReadHead(ReadOnlySpan<byte> from, Flags flags, Message message)
    {
        message.IsPersistent = flags.HasFlag(Flags.Persistent);
        message.HasDeaths = flags.HasFlag(Flags.HasDeaths);
        message.ArrivedAtMs = BinaryPrimitives.ReadInt64LittleEndian(from[8..]);
        int at = HeadSizeMin;
        if (flags.HasFlag(Flags.Expires)) message.ExpiresAtMs = ReadTime(from, ref at);
        if (flags.HasFlag(Flags.Delayed)) message.DueAtMs = ReadTime(from, ref at);
        if (flags.HasFlag(Flags.HasPriority)) message.Priority = from[at];
    }

    private static Flags FlagsOf(Message message) =>
        (message.IsPersistent ? Flags.Persistent : Flags.None) | (message.HasDeaths ? Flags.HasDeaths : Flags.None)
        | (message.ExpiresAtMs != 0 ? Flags.Expires : Flags.None) | (message.DueAtMs != 0 ? Flags.Delayed : Flags.None)
        | (message.Priority is not null ? Flags.HasPriority : Flags.None) | (message.ExtraRoutingKeys is not null ? Flags.HasExtraKeys : Flags.None);

    private static int HeadSize(Flags flags) =>
        HeadSizeMin + (flags.HasFlag(Flags.Expires) ? sizeof(long) : 0) + (flags.HasFlag(Flags.Delayed) ? sizeof(long) : 0)
        + (flags.HasFlag(Flags.HasPriority) ? 1 : 0);

    private static int ExtraKeysSize(Utf8Name[]? keys) => keys is null ? 0 : sizeof(int) + keys.Sum(key => 1 + key.Span.Length);

    private static void WriteKeys(Span<byte> to, Utf8Name[] keys, ref int at)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to[at..], keys.Length);
        at += sizeof(int);
        foreach (Utf8Name key in keys)
        {
            to[at++] = (byte)key.Span.Length;
            key.Span.CopyTo(to[at..]);
            at += key.Span.Length;
        }
    }

    private static Utf8Name[] ReadKeys(ref ReadOnlySpan<byte> content)
    {
        int count = content.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(content);
        if (count < 0 || count > content.Length) throw Malformed("its routing keys do not fit");
        content = content[sizeof(int)..];
        var keys = new Utf8Name[count];
        for (int i = 0; i < count; i++)
        {
            if (content.IsEmpty || content[0] >= content.Length) throw Malformed("its routing keys do not fit");
            keys[i] = new Utf8Name(content.Slice(1, content[0]));
            content = content[(1 + content[0])..];
        }
        return keys;
    }

    private static void WriteTime(Span<byte> to, long timeMs, ref int at)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to[at..], timeMs);
        at += sizeof(long);
    }

    private static long ReadTime(ReadOnlySpan<byte> from, ref int at)
    {
        long timeMs = BinaryPrimitives.ReadInt64LittleEndian(from[at..]);
        at += sizeof(long);
        return timeMs;
    }

    private static DataDamagedException Malformed(string how) => new($"a stored message cannot be read: {how}");
}
