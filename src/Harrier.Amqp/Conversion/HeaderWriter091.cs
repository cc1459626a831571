using System.Buffers.Binary;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// Writes 1.0 values as the fields of a 0-9-1 headers table (docs/conversion.md). Values that 0-9-1 has no type for, and names of more than 255 bytes, are
/// left out. What it writes into is all the room there is: it says so when a header does not fit, and takes back what it wrote of it.
/// </summary>
internal ref struct HeaderWriter091(Span<byte> room)
{
    private FieldWriter _fields = new(room);

    /// <summary>The encoded fields.</summary>
    public readonly ReadOnlySpan<byte> Written => _fields.Written;

    /// <summary>A header with that value; false when there is no room for it.</summary>
    public bool TryAdd(ReadOnlySpan<byte> name, Value10 value)
    {
        int before = _fields.Written.Length;
        if (TryWriteField(name, value, 1)) return true;
        _fields.CutTo(before);
        return false;
    }

    /// <summary>A header with bytes of a type that has its length in front; false when there is no room for it.</summary>
    public bool TryAdd(ReadOnlySpan<byte> name, FieldType type, scoped ReadOnlySpan<byte> bytes)
    {
        if (_fields.Room < 1 + name.Length + 1 + sizeof(int) + bytes.Length) return false;
        _fields.Add(name, new FieldValueBytes(type, bytes));
        return true;
    }

    /// <summary>The header x-death, from an array of maps; false when there is no room for it.</summary>
    public bool TryAddDeaths(ArrayReader deaths)
    {
        int before = _fields.Written.Length;
        if (TryWriteDeaths(deaths)) return true;
        _fields.CutTo(before);
        return false;
    }

    private bool TryWriteField(ReadOnlySpan<byte> name, Value10 value, int depth)
    {
        if (name.Length > byte.MaxValue || TypeOf(value, depth) is not { } type) return true;
        if (_fields.Room < 1 + name.Length) return false;
        _fields.AddName(name);
        return TryWriteValue(type, value, depth);
    }

    private bool TryWriteItem(Value10 value, int depth) => TypeOf(value, depth) is not { } type || TryWriteValue(type, value, depth);

    private bool TryWriteValue(FieldType type, Value10 value, int depth)
    {
        if (type is FieldType.Table or FieldType.Array) return TryWriteCompound(type, value, depth);
        if (value.Code == FormatCode.Uuid) return TryWriteItem(type, MessageIds.UrnOf(value.Bytes, stackalloc byte[MessageIds.UrnSize]));
        if (type == FieldType.LongString) return TryWriteItem(type, value.Content);
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, type switch
        {
            FieldType.Boolean => value.Boolean == true ? 1 : 0,
            FieldType.Timestamp => Times.SecondsOf(value.TimestampMs.GetValueOrDefault()),
            FieldType.Float => BinaryPrimitives.ReadInt32BigEndian(value.Bytes),
            FieldType.Double => BinaryPrimitives.ReadInt64BigEndian(value.Bytes),
            _ => value.Integer.GetValueOrDefault(),
        });
        return TryWriteItem(type, bytes[^SizeOf(type)..]);
    }

    private bool TryWriteItem(FieldType type, scoped ReadOnlySpan<byte> bytes)
    {
        if (_fields.Room < 1 + sizeof(int) + bytes.Length) return false;
        _fields.AddItem(new FieldValueBytes(type, bytes));
        return true;
    }

    private bool TryWriteCompound(FieldType type, Value10 value, int depth)
    {
        if (_fields.Room < 1 + sizeof(int)) return false;
        int begun = _fields.BeginItem(type);
        if (value.IsMap)
        {
            var map = new MapReader10(value);
            while (map.TryRead(out Value10 key, out Value10 of))
                if (key.IsText && !TryWriteField(key.Content, of, depth + 1)) return false;
        }
        else if (value.IsList)
        {
            var list = new ListReader10(value);
            while (list.Left > 0)
                if (!TryWriteItem(list.Read(), depth + 1)) return false;
        }
        else
        {
            ArrayReader array = value.ReadArray();
            while (array.Count > 0 && !array.IsDescribed)
                if (!TryWriteItem(Value10.ReadItem(ref array), depth + 1)) return false;
        }
        _fields.End(begun);
        return true;
    }

    private bool TryWriteDeaths(ArrayReader deaths)
    {
        if (!TryBegin("x-death"u8, FieldType.Array, out int begun)) return false;
        while (deaths.Count > 0)
            if (!TryWriteDeath(Value10.ReadItem(ref deaths))) return false;
        _fields.End(begun);
        return true;
    }

    // In the order in which RabbitMQ writes them (behaviour note 100).
    private bool TryWriteDeath(Value10 death)
    {
        if (_fields.Room < 1 + sizeof(int)) return false;
        int begun = _fields.BeginItem(FieldType.Table);
        if (MapReader10.Find(death, "ttl"u8).Integer is { } timeToLiveMs)
        {
            Span<byte> digits = stackalloc byte[MessageIds.DigitsMax];
            if (!TryAdd("original-expiration"u8, FieldType.LongString, MessageIds.DigitsOf((ulong)timeToLiveMs, digits))) return false;
        }
        if (!TryAddLong("count"u8, FieldType.SignedLong, MapReader10.Find(death, "count"u8).Integer ?? 0)
            || !TryAdd("reason"u8, FieldType.LongString, MapReader10.Find(death, "reason"u8).Text)
            || !TryAdd("queue"u8, FieldType.LongString, MapReader10.Find(death, "queue"u8).Text)
            || !TryAddLong("time"u8, FieldType.Timestamp, Times.SecondsOf(MapReader10.Find(death, "first-time"u8).TimestampMs ?? 0))
            || !TryAdd("exchange"u8, FieldType.LongString, MapReader10.Find(death, "exchange"u8).Text)
            || !TryBegin("routing-keys"u8, FieldType.Array, out int keysBegun))
            return false;
        ArrayReader keys = MapReader10.Find(death, "routing-keys"u8).ReadArray();
        while (keys.Count > 0)
            if (!TryWriteItem(FieldType.LongString, Value10.ReadItem(ref keys).Text)) return false;
        _fields.End(keysBegun);
        _fields.End(begun);
        return true;
    }

    private bool TryAddLong(ReadOnlySpan<byte> name, FieldType type, long value)
    {
        if (_fields.Room < 1 + name.Length + 1 + sizeof(long)) return false;
        _fields.AddLong(name, type, value);
        return true;
    }

    private bool TryBegin(ReadOnlySpan<byte> name, FieldType type, out int begun)
    {
        begun = 0;
        if (_fields.Room < 1 + name.Length + 1 + sizeof(int)) return false;
        begun = _fields.Begin(name, type);
        return true;
    }

    /// <summary>The type that carries a value. Null for char and decimals, described values, a ulong beyond a long, and what is nested too deep.</summary>
    private static FieldType? TypeOf(Value10 value, int depth) => value.Code switch
    {
        FormatCode.Null => FieldType.Void,
        FormatCode.True or FormatCode.False or FormatCode.Boolean => FieldType.Boolean,
        FormatCode.Byte => FieldType.SignedByte,
        FormatCode.UByte => FieldType.UnsignedByte,
        FormatCode.Short => FieldType.SignedShort,
        FormatCode.UShort => FieldType.UnsignedShort,
        FormatCode.Int or FormatCode.SmallInt => FieldType.SignedInt,
        FormatCode.UInt or FormatCode.SmallUInt or FormatCode.UInt0 => FieldType.UnsignedInt,
        FormatCode.Long or FormatCode.SmallLong => FieldType.SignedLong,
        FormatCode.ULong or FormatCode.SmallULong or FormatCode.ULong0 => value.Integer is null ? null : FieldType.SignedLong,
        FormatCode.Float => FieldType.Float,
        FormatCode.Double => FieldType.Double,
        FormatCode.Timestamp => FieldType.Timestamp,
        FormatCode.Uuid => FieldType.LongString,
        _ when value.IsText || value.IsBinary => FieldType.LongString,
        _ when depth >= ValueReader.DepthMax => null,
        _ when value.IsMap => FieldType.Table,
        _ when value.IsList || value.IsArray => FieldType.Array,
        _ => null,
    };

    private static int SizeOf(FieldType type) => type switch
    {
        FieldType.Void => 0,
        FieldType.Boolean or FieldType.SignedByte or FieldType.UnsignedByte => 1,
        FieldType.SignedShort or FieldType.UnsignedShort => 2,
        FieldType.SignedInt or FieldType.UnsignedInt or FieldType.Float => 4,
        _ => 8,
    };
}
