using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp10;

// Arrays of maps and of strings: one constructor for all items, in its wide form (1.0 part 1, section 1.6.24).
public ref partial struct ValueWriter
{
    // Constructor, size, count, and the constructor of the items.
    private const int ArrayHeadSize = 10;

    /// <summary>
    /// Begins an array of maps (<see cref="FormatCode.Map32"/>) or of strings (<see cref="FormatCode.String32"/>), to be ended with <see cref="EndArray"/>.
    /// </summary>
    public int BeginArray(FormatCode items)
    {
        int mark = _size;
        Span<byte> head = Reserve(ArrayHeadSize);
        head[0] = (byte)FormatCode.Array32;
        head[^1] = (byte)items;
        return mark;
    }

    /// <summary>Ends an array.</summary>
    /// <param name="mark">What its beginning gave.</param>
    /// <param name="count">Items that were written since.</param>
    public readonly void EndArray(int mark, int count)
    {
        BinaryPrimitives.WriteInt32BigEndian(_span[(mark + 1)..], _size - mark - 5);
        BinaryPrimitives.WriteInt32BigEndian(_span[(mark + 5)..], count);
    }

    /// <summary>Begins an item of an array of maps, to be ended with <see cref="EndMapItem"/>.</summary>
    public int BeginMapItem()
    {
        int mark = _size;
        Reserve(2 * sizeof(int));
        return mark;
    }

    /// <summary>Ends an item of an array of maps.</summary>
    /// <param name="mark">What its beginning gave.</param>
    /// <param name="count">Keys and values that were written since.</param>
    public readonly void EndMapItem(int mark, int count)
    {
        BinaryPrimitives.WriteInt32BigEndian(_span[mark..], _size - mark - sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(_span[(mark + sizeof(int))..], count);
    }

    /// <summary>An item of an array of strings: bytes of UTF-8.</summary>
    public void WriteStringItem(scoped ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Reserve(sizeof(int)), value.Length);
        WriteRaw(value);
    }
}
