using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Walks the keys and values of a map. A value that is no map has none.</summary>
internal ref struct MapReader10
{
    private ValueReader _items;
    private int _left;

    public MapReader10(Value10 map)
    {
        if (map.IsMap) _left = map.ReadItems(out _items) / 2;
    }

    /// <summary>The next key and value; false at the end.</summary>
    public bool TryRead(out Value10 key, out Value10 value)
    {
        key = value = default;
        if (_left == 0) return false;
        _left--;
        key = Value10.Read(ref _items);
        value = Value10.Read(ref _items);
        return true;
    }

    /// <summary>The value of the first key of that text, be it a symbol or a string.</summary>
    public static bool TryFind(Value10 map, ReadOnlySpan<byte> name, out Value10 value)
    {
        var reader = new MapReader10(map);
        while (reader.TryRead(out Value10 key, out value))
            if (key.Is(name)) return true;
        value = default;
        return false;
    }

    /// <summary>The value of that key; null when it is absent.</summary>
    public static Value10 Find(Value10 map, ReadOnlySpan<byte> name) => TryFind(map, name, out Value10 value) ? value : default;
}
