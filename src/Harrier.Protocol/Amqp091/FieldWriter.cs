using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>
/// Writes the fields of a table into a span that the caller has made large enough, without allocating. Tables and arrays inside it are begun and ended;
/// the end fills in the length.
/// </summary>
public ref struct FieldWriter(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;
    private WireWriter _writer = new(bytes);

    /// <summary>What was written so far.</summary>
    public readonly ReadOnlySpan<byte> Written => _bytes[.._writer.Position];

    /// <summary>Bytes that can still be written.</summary>
    public readonly int Room => _bytes.Length - _writer.Position;

    /// <summary>Takes back what was written after the first bytes.</summary>
    public void CutTo(int size) => _writer.Seek(size);

    /// <summary>The name of a field, whose value is to be added as an item next.</summary>
    public void AddName(scoped ReadOnlySpan<byte> name) => _writer.WriteShortstr(name);

    /// <summary>A field with a value as it was read elsewhere.</summary>
    public void Add(scoped ReadOnlySpan<byte> name, scoped FieldValueBytes value)
    {
        AddName(name);
        AddItem(value);
    }

    public void AddText(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> text) => Add(name, new FieldValueBytes(FieldType.LongString, text));

    /// <summary>A field of one of the types with 64 bits.</summary>
    public void AddLong(scoped ReadOnlySpan<byte> name, FieldType type, long value)
    {
        _writer.WriteShortstr(name);
        _writer.WriteOctet((byte)type);
        _writer.WriteLonglong((ulong)value);
    }

    /// <summary>An item of an array with a value as it was read elsewhere.</summary>
    public void AddItem(scoped FieldValueBytes value)
    {
        _writer.WriteOctet((byte)value.Type);
        if (value.Type is FieldType.LongString or FieldType.Table or FieldType.Array or FieldType.ByteArray) _writer.WriteLongstr(value.Bytes);
        else _writer.WriteRaw(value.Bytes);
    }

    /// <summary>Begins a field that is a table or an array. Returns what <see cref="End"/> wants.</summary>
    public int Begin(scoped ReadOnlySpan<byte> name, FieldType type)
    {
        _writer.WriteShortstr(name);
        return BeginItem(type);
    }

    /// <summary>Begins an item that is a table or an array. Returns what <see cref="End"/> wants.</summary>
    public int BeginItem(FieldType type)
    {
        _writer.WriteOctet((byte)type);
        _writer.WriteLong(0);
        return _writer.Position;
    }

    /// <summary>Ends the table or array that was begun there.</summary>
    public readonly void End(int begun) =>
        BinaryPrimitives.WriteUInt32BigEndian(_bytes[(begun - sizeof(uint))..], (uint)(_writer.Position - begun));
}
