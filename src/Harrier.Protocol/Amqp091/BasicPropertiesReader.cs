using System.Numerics;

namespace Harrier.Protocol.Amqp091;

/// <summary>
/// Walks the properties of a basic content header that are present, in their order. Values are slices of the input:
/// without its length for a shortstr or table, as it stands for the others.
/// </summary>
public ref struct BasicPropertiesReader
{
    private WireReader _reader;
    private uint _left;

    /// <summary>Starts at the property flags; throws 501 when there are none, or flags that 0-9-1 does not know.</summary>
    public BasicPropertiesReader(ReadOnlySpan<byte> properties)
    {
        _reader = new WireReader(properties);
        _left = _reader.ReadShort();
        if ((_left & 0b11) != 0) AmqpProtocolException.Throw(ReplyCode.FrameError, "unknown property flags in a content header");
    }

    /// <summary>Moves to the next present property; false at the end. Throws 501 when the list does not fill the header exactly.</summary>
    public bool TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value)
    {
        property = BasicPropertyFlags.None;
        value = default;
        if (_left == 0)
        {
            if (_reader.Remaining != 0) AmqpProtocolException.Throw(ReplyCode.FrameError, "octets after the last property of a content header");
            return false;
        }
        property = (BasicPropertyFlags)(1u << BitOperations.Log2(_left));
        _left &= ~(uint)property;
        value = property switch
        {
            BasicPropertyFlags.Headers => _reader.ReadTable(),
            BasicPropertyFlags.DeliveryMode or BasicPropertyFlags.Priority => _reader.ReadRaw(1),
            BasicPropertyFlags.Timestamp => _reader.ReadRaw(8),
            _ => _reader.ReadShortstr(),
        };
        return true;
    }

    /// <summary>The value of one property, or false when it is absent.</summary>
    public static bool TryFind(ReadOnlySpan<byte> properties, BasicPropertyFlags wanted, out ReadOnlySpan<byte> value)
    {
        var reader = new BasicPropertiesReader(properties);
        while (reader.TryRead(out BasicPropertyFlags property, out value))
        {
            if (property == wanted) return true;
            if (property < wanted) break; // flags go down: the wanted one is not there
        }
        value = default;
        return false;
    }
}
