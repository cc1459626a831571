using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Writes 1.0 values that were read, item by item. They have to have been walked before: nothing here bounds their depth.</summary>
internal static class ValueCopy10
{
    public static void CopyAll(scoped ref ValueReader reader, scoped ref ValueWriter writer)
    {
        while (!reader.IsAtEnd) Copy(ref reader, ref writer);
    }

    private static void Copy(scoped ref ValueReader reader, scoped ref ValueWriter writer)
    {
        switch (reader.Next)
        {
            case FormatCode.Described:
                ReadOnlySpan<byte> before = reader.Rest;
                reader.ReadDescriptor();
                writer.WriteRaw(before[..^reader.Rest.Length]);
                Copy(ref reader, ref writer);
                break;
            case FormatCode.List0 or FormatCode.List8 or FormatCode.List32:
                CopyItems(writer.BeginList(), reader.ReadList(out ValueReader items), ref items, ref writer);
                break;
            case FormatCode.Map8 or FormatCode.Map32:
                CopyItems(writer.BeginMap(), reader.ReadMap(out ValueReader pairs), ref pairs, ref writer);
                break;
            default: CopyPlain(ref reader, ref writer); break;
        }
    }

    private static void CopyItems(int mark, int count, scoped ref ValueReader items, scoped ref ValueWriter writer)
    {
        for (int i = 0; i < count; i++) Copy(ref items, ref writer);
        writer.End(mark, count);
    }

    private static void CopyPlain(scoped ref ValueReader reader, scoped ref ValueWriter writer)
    {
        switch (reader.Next)
        {
            case FormatCode.True or FormatCode.False or FormatCode.Boolean: writer.WriteBoolean(reader.ReadBoolean()); break;
            case FormatCode.UByte: writer.WriteUByte(reader.ReadUByte()); break;
            case FormatCode.UShort: writer.WriteUShort(reader.ReadUShort()); break;
            case FormatCode.UInt0 or FormatCode.SmallUInt or FormatCode.UInt: writer.WriteUInt(reader.ReadUInt()); break;
            case FormatCode.ULong0 or FormatCode.SmallULong or FormatCode.ULong: writer.WriteULong(reader.ReadULong()); break;
            case FormatCode.Byte: writer.WriteByte((sbyte)reader.ReadInteger()); break;
            case FormatCode.Short: writer.WriteShort((short)reader.ReadInteger()); break;
            case FormatCode.SmallInt or FormatCode.Int: writer.WriteInt((int)reader.ReadInteger()); break;
            case FormatCode.SmallLong or FormatCode.Long: writer.WriteLong(reader.ReadInteger()); break;
            case FormatCode.Timestamp: writer.WriteTimestamp(reader.ReadTimestamp()); break;
            case FormatCode.Uuid: writer.WriteUuid(reader.ReadUuid()); break;
            case FormatCode.Binary8 or FormatCode.Binary32: writer.WriteBinary(reader.ReadBinary()); break;
            case FormatCode.String8 or FormatCode.String32: writer.WriteString(reader.ReadString()); break;
            case FormatCode.Symbol8 or FormatCode.Symbol32: writer.WriteSymbol(reader.ReadSymbol()); break;
            default: writer.WriteRaw(reader.ReadValue()); break;
        }
    }
}
