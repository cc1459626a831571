using System.Buffers.Binary;

namespace Harrier.Protocol.Amqp091;

/// <summary>The type octets of field values as RabbitMQ reads and writes them (behaviour note 1.1): 0-9-1's own table differs.</summary>
public enum FieldType : byte
{
    Boolean = (byte)'t',
    SignedByte = (byte)'b',
    UnsignedByte = (byte)'B',
    SignedShort = (byte)'s',
    UnsignedShort = (byte)'u',
    SignedInt = (byte)'I',
    UnsignedInt = (byte)'i',
    SignedLong = (byte)'l',

    /// <summary>Signed as well: RabbitMQ treats both letters alike.</summary>
    SignedLongL = (byte)'L',
    Float = (byte)'f',
    Double = (byte)'d',
    Decimal = (byte)'D',
    LongString = (byte)'S',
    Array = (byte)'A',
    Timestamp = (byte)'T',
    Table = (byte)'F',
    ByteArray = (byte)'x',
    Void = (byte)'V',
}

/// <summary>One value as it stands on the wire: the type and the bytes after it (and after its length, where it has one).</summary>
public readonly ref struct FieldValueBytes(FieldType type, ReadOnlySpan<byte> bytes)
{
    public FieldType Type { get; } = type;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>The number of an integer, boolean or timestamp value.</summary>
    public long AsInteger() => Type switch
    {
        FieldType.Boolean => Bytes[0] != 0 ? 1 : 0,
        FieldType.SignedByte => (sbyte)Bytes[0],
        FieldType.UnsignedByte => Bytes[0],
        FieldType.SignedShort => BinaryPrimitives.ReadInt16BigEndian(Bytes),
        FieldType.UnsignedShort => BinaryPrimitives.ReadUInt16BigEndian(Bytes),
        FieldType.SignedInt => BinaryPrimitives.ReadInt32BigEndian(Bytes),
        FieldType.UnsignedInt => BinaryPrimitives.ReadUInt32BigEndian(Bytes),
        _ => BinaryPrimitives.ReadInt64BigEndian(Bytes),
    };

    /// <summary>The number of a float or double value.</summary>
    public double AsDouble() => Type == FieldType.Float
        ? BinaryPrimitives.ReadSingleBigEndian(Bytes)
        : BinaryPrimitives.ReadDoubleBigEndian(Bytes);
}

/// <summary>Walks the fields of a table, or the values of an array, without copying. Lengths are checked; nested ones when they are walked.</summary>
public ref struct FieldTableReader(ReadOnlySpan<byte> fields)
{
    /// <summary>How deep tables and arrays may stand in each other. No client comes near it; it keeps recursion from using up the stack.</summary>
    public const int DepthMax = 64;

    private WireReader _reader = new(fields);

    /// <summary>The next name and value; false at the end.</summary>
    public bool TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value)
    {
        name = default;
        value = default;
        if (_reader.Remaining == 0) return false;
        name = _reader.ReadShortstr();
        value = ReadValue();
        return true;
    }

    /// <summary>The next value of an array; false at the end.</summary>
    public bool TryReadItem(out FieldValueBytes value)
    {
        value = default;
        if (_reader.Remaining == 0) return false;
        value = ReadValue();
        return true;
    }

    /// <summary>The value of the first field of that name.</summary>
    public static bool TryFind(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> wanted, out FieldValueBytes value)
    {
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out value))
            if (name.SequenceEqual(wanted)) return true;
        value = default;
        return false;
    }

    /// <summary>Walks everything once, so that later readers cannot fail: throws 502 SYNTAX_ERROR for an unknown type or too deep a nesting.</summary>
    public static void Validate(ReadOnlySpan<byte> fields, bool isArray = false, int depth = 1)
    {
        if (depth > DepthMax) AmqpProtocolException.Throw(ReplyCode.SyntaxError, $"field table is nested deeper than {DepthMax} levels");
        var reader = new FieldTableReader(fields);
        while (isArray ? reader.TryReadItem(out FieldValueBytes value) : reader.TryReadField(out _, out value))
        {
            if (value.Type is FieldType.Table or FieldType.Array)
                Validate(value.Bytes, value.Type == FieldType.Array, depth + 1);
        }
    }

    private FieldValueBytes ReadValue()
    {
        var type = (FieldType)_reader.ReadOctet();
        switch (type)
        {
            case FieldType.Void: return new FieldValueBytes(type, default);
            case FieldType.Boolean or FieldType.SignedByte or FieldType.UnsignedByte: return new FieldValueBytes(type, _reader.ReadRaw(1));
            case FieldType.SignedShort or FieldType.UnsignedShort: return new FieldValueBytes(type, _reader.ReadRaw(2));
            case FieldType.SignedInt or FieldType.UnsignedInt or FieldType.Float: return new FieldValueBytes(type, _reader.ReadRaw(4));
            case FieldType.Decimal: return new FieldValueBytes(type, _reader.ReadRaw(5));
            case FieldType.SignedLong or FieldType.SignedLongL or FieldType.Double or FieldType.Timestamp:
                return new FieldValueBytes(type, _reader.ReadRaw(8));
            case FieldType.LongString or FieldType.ByteArray or FieldType.Table or FieldType.Array:
                return new FieldValueBytes(type, _reader.ReadLongstr());
            default:
                AmqpProtocolException.Throw(ReplyCode.SyntaxError, $"unknown field value type {(byte)type}");
                return default;
        }
    }
}
