namespace Harrier.Protocol.Amqp10;

/// <summary>Reads the fields of a composite value in turn. One that is null or beyond the end of the list is read as null.</summary>
internal ref struct FieldReader
{
    private ValueReader _items;
    private int _count;

    /// <summary>Begins the list of a composite.</summary>
    /// <param name="reader">Stands at the list.</param>
    /// <param name="composite">Its name.</param>
    /// <param name="countMax">How many fields it may have.</param>
    public void Begin(scoped ref ValueReader reader, string composite, int countMax)
    {
        _count = reader.ReadList(out _items);
        if (_count > countMax) DecodeException.Throw($"{composite} has {_count} fields, there are {countMax}");
    }

    public bool? ReadBoolean() => TryNext() ? _items.ReadBoolean() : null;

    public byte? ReadUByte() => TryNext() ? _items.ReadUByte() : null;

    public ushort? ReadUShort() => TryNext() ? _items.ReadUShort() : null;

    public uint? ReadUInt() => TryNext() ? _items.ReadUInt() : null;

    public ulong? ReadULong() => TryNext() ? _items.ReadULong() : null;

    public long? ReadTimestamp() => TryNext() ? _items.ReadTimestamp() : null;

    public Role? ReadRole() => TryNext() ? _items.ReadBoolean() ? Role.Receiver : Role.Sender : null;

    public SenderSettleMode? ReadSenderSettleMode() => (SenderSettleMode?)ReadChoice("sender-settle-mode", (byte)SenderSettleMode.Mixed);

    public ReceiverSettleMode? ReadReceiverSettleMode() => (ReceiverSettleMode?)ReadChoice("receiver-settle-mode", (byte)ReceiverSettleMode.Second);

    public SaslCode? ReadSaslCode() => (SaslCode?)ReadChoice("sasl-code", (byte)SaslCode.SysTemp);

    public TerminusDurability? ReadTerminusDurability()
    {
        uint? value = ReadUInt();
        if (value > (uint)TerminusDurability.UnsettledState) DecodeException.Throw($"there is no terminus-durability {value}");
        return (TerminusDurability?)value;
    }

    /// <summary>The bytes, or default for null, which is refused when the name of a required field is given. Likewise the others below.</summary>
    public ReadOnlySpan<byte> ReadBinary(string? required = null) => TryNext(required) ? _items.ReadBinary() : default;

    public ReadOnlySpan<byte> ReadString(string? required = null) => TryNext(required) ? _items.ReadString() : default;

    public ReadOnlySpan<byte> ReadSymbol(string? required = null) => TryNext(required) ? _items.ReadSymbol() : default;

    public ReadOnlySpan<byte> ReadAny(string? required = null) => TryNext(required) ? _items.ReadValue() : default;

    public ReadOnlySpan<byte> ReadMap()
    {
        if (!TryNext()) return default;
        ValueReader map = _items;
        map.ReadMap(out _);
        return _items.ReadValue();
    }

    /// <summary>The whole value; it was seen to be nothing but symbols.</summary>
    public ReadOnlySpan<byte> ReadSymbols(string? required = null)
    {
        if (!TryNext(required)) return default;
        ReadOnlySpan<byte> encoded = _items.ReadValue();
        SymbolList.Validate(encoded);
        return encoded;
    }

    /// <summary>Nothing may stand behind the last field.</summary>
    public readonly void End()
    {
        if (_count != 0 || !_items.IsAtEnd) DecodeException.Throw("a list holds more than it announces");
    }

    /// <summary>What is thrown for a field without a value that has to have one.</summary>
    public static DecodeException Missing(string field) => new($"{field} is required");

    private byte? ReadChoice(string type, byte last)
    {
        byte? value = ReadUByte();
        if (value > last) DecodeException.Throw($"there is no {type} {value}");
        return value;
    }

    private bool TryNext()
    {
        if (_count == 0) return false;
        _count--;
        return !_items.TryReadNull();
    }

    private bool TryNext(string? required)
    {
        if (TryNext()) return true;
        return required is null ? false : throw Missing(required);
    }
}
