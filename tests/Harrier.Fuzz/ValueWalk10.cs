using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Reads 1.0 values down to the last one in them and adds up what they mean, whatever form they are written in. Allocates nothing.</summary>
internal struct ValueWalk10
{
    // Larger ones are refused by the reader, as they do not fit.
    private const int ItemSizeMax = 128;

    // There are too many shapes to keep them all, and the first values tell enough.
    private const int ShapeValuesMax = 6;

    private Behaviour _meaning;
    private Behaviour _shape;
    private int _count;

    /// <summary>The same for the same values.</summary>
    public readonly long Meaning => _meaning.Value;

    /// <summary>The same for values of the same widths, as deep in each other.</summary>
    public readonly long Shape => _shape.Value;

    /// <summary>Reads all values that stand there.</summary>
    public void ReadAll(scoped ValueReader reader)
    {
        while (!reader.IsAtEnd)
        {
            ValueReader skipping = reader;
            skipping.Skip();
            Read(ref reader, ValueReader.DepthMax);
            if (reader.Rest.Length != skipping.Rest.Length) throw new InvalidOperationException("reading a value takes as much as passing over it");
        }
    }

    private void Read(scoped ref ValueReader reader, int depth)
    {
        if (depth == 0) throw new DecodeException("too deep");
        FormatCode code = reader.Next;
        if (_count++ < ShapeValuesMax) _shape.Add((int)code >> 4 | depth << 4);
        switch (code)
        {
            case FormatCode.Described:
                ReadOnlySpan<byte> before = reader.Rest;
                reader.ReadDescriptor();
                AddBytes(FormatCode.Described, before[..^reader.Rest.Length]);
                Read(ref reader, depth - 1);
                break;
            case FormatCode.List0 or FormatCode.List8 or FormatCode.List32:
                ReadItems(FormatCode.List0, reader.ReadList(out ValueReader items), ref items, depth);
                break;
            case FormatCode.Map8 or FormatCode.Map32:
                ReadItems(FormatCode.Map8, reader.ReadMap(out ValueReader pairs), ref pairs, depth);
                break;
            case FormatCode.Array8 or FormatCode.Array32: ReadArray(reader.ReadArray(), depth); break;
            default: ReadPlain(ref reader, code); break;
        }
    }

    private void ReadItems(FormatCode kind, int count, scoped ref ValueReader items, int depth)
    {
        Add(kind, count);
        for (; count > 0; count--) Read(ref items, depth - 1);
    }

    private void ReadArray(scoped ArrayReader array, int depth)
    {
        Span<byte> scratch = stackalloc byte[ItemSizeMax];
        Add(FormatCode.Array8, array.Count);
        while (array.Count > 0)
        {
            var item = new ValueReader(array.ReadItem(scratch));
            Read(ref item, depth - 1);
            if (!item.IsAtEnd) throw new InvalidOperationException("an item is one value");
        }
    }

    private void ReadPlain(scoped ref ValueReader reader, FormatCode code)
    {
        switch (code)
        {
            case FormatCode.Null: Add(code, reader.TryReadNull() ? 1 : 0); break;
            case FormatCode.True or FormatCode.False or FormatCode.Boolean: Add(FormatCode.Boolean, reader.ReadBoolean() ? 1 : 0); break;
            case FormatCode.UByte: Add(code, reader.ReadUByte()); break;
            case FormatCode.UShort: Add(code, reader.ReadUShort()); break;
            case FormatCode.UInt0 or FormatCode.SmallUInt or FormatCode.UInt: Add(FormatCode.UInt, reader.ReadUInt()); break;
            case FormatCode.ULong0 or FormatCode.SmallULong or FormatCode.ULong: Add(FormatCode.ULong, (long)reader.ReadULong()); break;
            case FormatCode.Byte or FormatCode.Short: Add(code, reader.ReadInteger()); break;
            case FormatCode.SmallInt or FormatCode.Int: Add(FormatCode.Int, reader.ReadInteger()); break;
            case FormatCode.SmallLong or FormatCode.Long: Add(FormatCode.Long, reader.ReadInteger()); break;
            case FormatCode.Timestamp: Add(code, reader.ReadTimestamp()); break;
            case FormatCode.Uuid: AddBytes(code, reader.ReadUuid()); break;
            case FormatCode.Binary8 or FormatCode.Binary32: AddBytes(FormatCode.Binary8, reader.ReadBinary()); break;
            case FormatCode.String8 or FormatCode.String32: AddBytes(FormatCode.String8, reader.ReadText()); break;
            case FormatCode.Symbol8 or FormatCode.Symbol32: AddBytes(FormatCode.Symbol8, reader.ReadText()); break;
            default: AddBytes(code, reader.ReadValue()); break;
        }
    }

    private void Add(FormatCode kind, long value)
    {
        _meaning.Add((int)kind);
        _meaning.Add(value);
    }

    private void AddBytes(FormatCode kind, scoped ReadOnlySpan<byte> bytes)
    {
        Add(kind, bytes.Length);
        foreach (byte b in bytes) _meaning.Add(b);
    }
}
