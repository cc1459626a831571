using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Walks the items of a list. A value that is no list has none.</summary>
internal ref struct ListReader10
{
    private ValueReader _items;

    public ListReader10(Value10 list)
    {
        if (list.IsList) Left = list.ReadItems(out _items);
    }

    /// <summary>Items that were not read yet.</summary>
    public int Left { get; private set; }

    /// <summary>The next item; null at the end.</summary>
    public Value10 Read()
    {
        if (Left == 0) return default;
        Left--;
        return Value10.Read(ref _items);
    }
}
