using System.Buffers.Binary;
using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>Builds the property flags and property list of a content header.</summary>
public sealed class PropertyBytes
{
    private readonly SortedDictionary<BasicPropertyFlags, byte[]> _values = new(Comparer<BasicPropertyFlags>.Create((a, b) => b.CompareTo(a)));

    /// <summary>No properties at all.</summary>
    public static byte[] None => new PropertyBytes().Encode();

    /// <summary>A shortstr property.</summary>
    public PropertyBytes Text(BasicPropertyFlags property, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        _values[property] = [(byte)bytes.Length, .. bytes];
        return this;
    }

    /// <summary>delivery-mode or priority.</summary>
    public PropertyBytes Octet(BasicPropertyFlags property, byte value)
    {
        _values[property] = [value];
        return this;
    }

    public PropertyBytes Timestamp(ulong seconds)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, seconds);
        _values[BasicPropertyFlags.Timestamp] = bytes;
        return this;
    }

    public PropertyBytes Headers(FieldTableWriter fields) => Headers(fields.Written);

    /// <summary>The headers by their encoded fields.</summary>
    public PropertyBytes Headers(ReadOnlySpan<byte> fields)
    {
        byte[] bytes = new byte[4 + fields.Length];
        new WireWriter(bytes).WriteTable(fields);
        _values[BasicPropertyFlags.Headers] = bytes;
        return this;
    }

    public byte[] Encode()
    {
        byte[] flags = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(flags, (ushort)_values.Keys.Aggregate(BasicPropertyFlags.None, (all, one) => all | one));
        return [.. flags, .. _values.Values.SelectMany(v => v)];
    }
}
