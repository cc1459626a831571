namespace Harrier.Protocol.Amqp10;

/// <summary>Writes a composite value, field by field, into room that is known to be enough. Nulls are held back until a field follows that is none.</summary>
internal ref struct FieldWriter
{
    // Bytes of a descriptor and the head of a list of 8 bits.
    private const int DescriptorSize = 3;
    private const int SmallHeadSize = DescriptorSize + 3;

    private readonly Span<byte> _room;
    private readonly int _largeMark;
    private ValueWriter _values;
    private int _nulls;
    private int _count;

    public FieldWriter(Span<byte> room, ulong code)
    {
        _room = room;
        _values = new ValueWriter(room);
        _values.WriteDescriptor(code);
        // Only what may turn out too large for a list of 8 bits has to be written as one of 32 first, and moved if it was not.
        if (room.Length <= byte.MaxValue) _values.Advance(SmallHeadSize - DescriptorSize);
        else _largeMark = _values.BeginList();
    }

    public void WriteBoolean(bool? value)
    {
        if (Begin(value is null)) _values.WriteBoolean(value.GetValueOrDefault());
    }

    public void WriteBoolean(bool value, bool otherwise)
    {
        if (Begin(value == otherwise)) _values.WriteBoolean(value);
    }

    public void WriteUByte(byte? value)
    {
        if (Begin(value is null)) _values.WriteUByte(value.GetValueOrDefault());
    }

    public void WriteUShort(ushort? value)
    {
        if (Begin(value is null)) _values.WriteUShort(value.GetValueOrDefault());
    }

    public void WriteUShort(ushort value, ushort otherwise) => WriteUShort(value == otherwise ? null : value);

    public void WriteUInt(uint? value)
    {
        if (Begin(value is null)) _values.WriteUInt(value.GetValueOrDefault());
    }

    public void WriteUInt(uint value, uint otherwise) => WriteUInt(value == otherwise ? null : value);

    public void WriteULong(ulong? value)
    {
        if (Begin(value is null)) _values.WriteULong(value.GetValueOrDefault());
    }

    public void WriteTimestamp(long? timeMs)
    {
        if (Begin(timeMs is null)) _values.WriteTimestamp(timeMs.GetValueOrDefault());
    }

    public void WriteRole(Role value) => WriteBoolean(value == Role.Receiver);

    public void WriteSenderSettleMode(SenderSettleMode value, SenderSettleMode otherwise) => WriteUByte(value == otherwise ? null : (byte)value);

    public void WriteReceiverSettleMode(ReceiverSettleMode? value) => WriteUByte((byte?)value);

    public void WriteReceiverSettleMode(ReceiverSettleMode value, ReceiverSettleMode otherwise) => WriteUByte(value == otherwise ? null : (byte)value);

    public void WriteTerminusDurability(TerminusDurability value, TerminusDurability otherwise) => WriteUInt(value == otherwise ? null : (uint)value);

    public void WriteSaslCode(SaslCode value) => WriteUByte((byte)value);

    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        if (Begin(value.IsNull)) _values.WriteBinary(value);
    }

    public void WriteString(ReadOnlySpan<byte> value)
    {
        if (Begin(value.IsNull)) _values.WriteString(value);
    }

    public void WriteSymbol(ReadOnlySpan<byte> value)
    {
        if (Begin(value.IsNull)) _values.WriteSymbol(value);
    }

    public void WriteRequiredBinary(ReadOnlySpan<byte> value)
    {
        Begin(isNull: false);
        _values.WriteBinary(value);
    }

    public void WriteRequiredString(ReadOnlySpan<byte> value)
    {
        Begin(isNull: false);
        _values.WriteString(value);
    }

    public void WriteRequiredSymbol(ReadOnlySpan<byte> value)
    {
        Begin(isNull: false);
        _values.WriteSymbol(value);
    }

    public void WriteAny(ReadOnlySpan<byte> encoded)
    {
        if (Begin(encoded.IsEmpty)) _values.WriteRaw(encoded);
    }

    public void WriteMap(ReadOnlySpan<byte> encoded) => WriteAny(encoded);

    public void WriteSymbols(ReadOnlySpan<byte> encoded) => WriteAny(encoded);

    /// <summary>Ends the list and answers how many bytes descriptor and list take.</summary>
    public int End()
    {
        if (_room.Length > byte.MaxValue)
        {
            _values.End(_largeMark, _count);
            return _values.Size;
        }
        Span<byte> head = _room[DescriptorSize..];
        if (_count == 0)
        {
            head[0] = (byte)FormatCode.List0;
            return DescriptorSize + 1;
        }
        head[0] = (byte)FormatCode.List8;
        head[1] = (byte)(_values.Size - SmallHeadSize + 1);
        head[2] = (byte)_count;
        return _values.Size;
    }

    private bool Begin(bool isNull)
    {
        if (isNull)
        {
            _nulls++;
            return false;
        }
        _count += _nulls + 1;
        for (; _nulls > 0; _nulls--) _values.WriteNull();
        return true;
    }
}
