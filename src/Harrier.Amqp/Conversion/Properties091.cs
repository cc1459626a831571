using System.Buffers.Binary;
using System.Buffers.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.Conversion;

/// <summary>The properties of a 0-9-1 message that 1.0 has a place for. Those that are absent are null.</summary>
internal ref struct Properties091
{
    public ReadOnlySpan<byte> ContentType { get; private set; }

    public ReadOnlySpan<byte> ContentEncoding { get; private set; }

    /// <summary>The fields of the table.</summary>
    public ReadOnlySpan<byte> Headers { get; private set; }

    public byte? DeliveryMode { get; private set; }

    public byte? Priority { get; private set; }

    public ReadOnlySpan<byte> CorrelationId { get; private set; }

    public ReadOnlySpan<byte> ReplyTo { get; private set; }

    /// <summary>At most what 1.0 can say: 49 days.</summary>
    public uint? ExpirationMs { get; private set; }

    public ReadOnlySpan<byte> MessageId { get; private set; }

    public long? TimestampSeconds { get; private set; }

    public ReadOnlySpan<byte> Type { get; private set; }

    public ReadOnlySpan<byte> UserId { get; private set; }

    public ReadOnlySpan<byte> AppId { get; private set; }

    public static Properties091 Read(ReadOnlySpan<byte> properties)
    {
        var read = new Properties091();
        var reader = new BasicPropertiesReader(properties);
        while (reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            switch (property)
            {
                case BasicPropertyFlags.ContentType: read.ContentType = value; break;
                case BasicPropertyFlags.ContentEncoding: read.ContentEncoding = value; break;
                case BasicPropertyFlags.Headers: read.Headers = value; break;
                case BasicPropertyFlags.DeliveryMode: read.DeliveryMode = value[0]; break;
                case BasicPropertyFlags.Priority: read.Priority = value[0]; break;
                case BasicPropertyFlags.CorrelationId: read.CorrelationId = value; break;
                case BasicPropertyFlags.ReplyTo: read.ReplyTo = value; break;
                case BasicPropertyFlags.Expiration: read.ExpirationMs = NumberOf(value); break;
                case BasicPropertyFlags.MessageId: read.MessageId = value; break;
                case BasicPropertyFlags.Timestamp: read.TimestampSeconds = BinaryPrimitives.ReadInt64BigEndian(value); break;
                case BasicPropertyFlags.Type: read.Type = value; break;
                case BasicPropertyFlags.UserId: read.UserId = value; break;
                case BasicPropertyFlags.AppId: read.AppId = value; break;
            }
        }
        return read;
    }

    /// <summary>A time in milliseconds as a text of digits; null when it is none.</summary>
    public static uint? NumberOf(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long timeMs, out int used) && used == digits.Length && timeMs >= 0 ? (uint)Math.Min(timeMs, uint.MaxValue) : null;
}
