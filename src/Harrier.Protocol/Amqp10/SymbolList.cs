namespace Harrier.Protocol.Amqp10;

/// <summary>Reads a field that takes several symbols: nothing, one symbol or an array of them (1.0 part 1, section 1.4).</summary>
public ref struct SymbolList
{
    private readonly ReadOnlySpan<byte> _single;
    private ArrayReader _array;
    private bool _hasSingle;

    /// <param name="encoded">The whole value, or default for null. Throws <see cref="DecodeException"/> for any that is no list of symbols.</param>
    public SymbolList(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return;
        var reader = new ValueReader(encoded);
        if (reader.TryReadNull()) return;
        if (reader.Next is FormatCode.Array8 or FormatCode.Array32)
        {
            _array = reader.ReadArray();
            return;
        }
        _single = reader.ReadSymbol();
        _hasSingle = true;
    }

    /// <summary>Whether that symbol is among those of the encoded value.</summary>
    public static bool Contains(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> symbol)
    {
        var list = new SymbolList(encoded);
        while (list.TryRead(out ReadOnlySpan<byte> item))
        {
            if (item.SequenceEqual(symbol)) return true;
        }
        return false;
    }

    /// <summary>The next symbol, if there is one more.</summary>
    public bool TryRead(out ReadOnlySpan<byte> symbol)
    {
        symbol = _single;
        if (_hasSingle)
        {
            _hasSingle = false;
            return true;
        }
        if (_array.Count == 0) return false;
        symbol = _array.ReadSymbol();
        return true;
    }

    /// <summary>Throws <see cref="DecodeException"/> when reading to the end would.</summary>
    internal static void Validate(ReadOnlySpan<byte> encoded)
    {
        var list = new SymbolList(encoded);
        while (list.TryRead(out _))
        {
        }
    }
}
