using System.Buffers.Binary;
using Harrier.Storage.Disk;

namespace Harrier.Broker.Messages;

/// <summary>A message as bytes on disk: a head of 8 bytes, then what it carries, untouched (docs/data-format.md).</summary>
/// <remarks><code>
///   0        1              2                 3       4                  8
///   +--------+--------------+-----------------+-------+------------------+----------+-------------+------------+------+
///   | format | exchange size| routing key size| flags | properties size  | exchange | routing key | properties | body |
///   +--------+--------------+-----------------+-------+------------------+----------+-------------+------------+------+
/// </code></remarks>
internal static class StoredMessage
{
    private const int HeadSize = 8;
    private const byte PersistentFlag = 1;

    public static int SizeOf(Message message) => HeadSize + message.Size;

    public static void Write(Span<byte> to, Message message)
    {
        to[0] = message.Format.Id;
        to[1] = (byte)message.ExchangeBytes.Length;
        to[2] = (byte)message.RoutingKeyBytes.Length;
        to[3] = message.IsPersistent ? PersistentFlag : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], message.Properties.Length);
        message.Content.CopyTo(to[HeadSize..]);
    }

    /// <summary>A message with one reference, the caller's. Throws when the bytes are not what <see cref="Write"/> makes.</summary>
    public static Message Read(ReadOnlySpan<byte> from, MessageFormats formats)
    {
        if (from.Length < HeadSize) throw Malformed("it is too short");
        IMessageFormat format = formats.Find(from[0]) ?? throw Malformed($"this Harrier does not know its format {from[0]}");
        int exchange = from[1], routingKey = from[2], properties = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        bool isPersistent = (from[3] & PersistentFlag) != 0;
        from = from[HeadSize..];
        if (properties < 0 || (long)exchange + routingKey + properties > from.Length) throw Malformed("its sizes do not fit");
        ReadOnlySpan<byte> body = from[(exchange + routingKey + properties)..];
        Message message = Message.Rent(
            format, from[..exchange], from.Slice(exchange, routingKey), from.Slice(exchange + routingKey, properties), body.Length);
        message.AppendBody(body, body.Length);
        message.IsPersistent = isPersistent;
        return message;
    }

    private static DataDamagedException Malformed(string how) => new($"a stored message cannot be read: {how}");
}
