namespace Harrier.Protocol.Amqp10;

/// <summary>Reads the items of an array: one constructor for all of them, then their bytes (1.0 part 1, section 1.6.24).</summary>
public ref struct ArrayReader
{
    private readonly ReadOnlySpan<byte> _constructor;
    private ReadOnlySpan<byte> _items;

    internal ArrayReader(int count, ReadOnlySpan<byte> content)
    {
        if (count == 0 && content.IsEmpty) return;
        int size = 1;
        if (!content.IsEmpty && content[0] == (byte)FormatCode.Described)
        {
            var reader = new ValueReader(content[1..]);
            size += reader.ReadValue().Length + 1;
        }
        if (size > content.Length) DecodeException.Throw("an array has no constructor");
        _constructor = content[..size];
        _items = content[size..];
        if (count > (IsEmptyKind ? ValueReader.EmptyItemsMax : _items.Length)) DecodeException.Throw($"an array announces {count} items in {_items.Length} bytes");
        Count = count;
    }

    /// <summary>Items that were not read yet.</summary>
    public int Count { get; private set; }

    /// <summary>What kind of items; <see cref="FormatCode.Null"/> for an array without any.</summary>
    public readonly FormatCode Code => _constructor.IsEmpty ? FormatCode.Null : (FormatCode)_constructor[^1];

    /// <summary>Whether the items have a descriptor, which stands once for all of them.</summary>
    public readonly bool IsDescribed => _constructor.Length > 1;

    /// <summary>Whether the items have no bytes: nulls, or all the same small value.</summary>
    public readonly bool IsEmptyKind => ((byte)Code & 0xf0) == 0x40;

    /// <summary>Whether the items are symbols.</summary>
    public readonly bool HoldsSymbols => Code is FormatCode.Symbol8 or FormatCode.Symbol32;

    /// <summary>The next item as a value of its own: constructor, then bytes. Valid for as long as the scratch that it is put together in.</summary>
    public ReadOnlySpan<byte> ReadItem(Span<byte> scratch)
    {
        ReadOnlySpan<byte> bytes = NextBytes();
        if (_constructor.Length + bytes.Length > scratch.Length) DecodeException.Throw("an item of an array is too large");
        _constructor.CopyTo(scratch);
        bytes.CopyTo(scratch[_constructor.Length..]);
        return scratch[..(_constructor.Length + bytes.Length)];
    }

    /// <summary>The next item, which is a symbol.</summary>
    public ReadOnlySpan<byte> ReadSymbol()
    {
        if (!HoldsSymbols) DecodeException.Throw("expected an array of symbols");
        return NextBytes()[(Code == FormatCode.Symbol8 ? 1 : 4)..];
    }

    /// <summary>The next item without the constructor that it shares with the others.</summary>
    public ReadOnlySpan<byte> ReadBytes() => NextBytes();

    private ReadOnlySpan<byte> NextBytes()
    {
        if (Count == 0) DecodeException.Throw("an array has no more items");
        Count--;
        int size = ValueReader.SizeAfter(Code, _items);
        ReadOnlySpan<byte> bytes = _items[..size];
        _items = _items[size..];
        return bytes;
    }
}
