using System.Globalization;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Reads values down to the last one in them and says what was found, in the same words for every form that a value may have.</summary>
internal static class ValueWalk
{
    /// <summary>All values that stand there, with a blank between them.</summary>
    public static string Describe(ReadOnlySpan<byte> values)
    {
        var reader = new ValueReader(values);
        var texts = new List<string>();
        while (!reader.IsAtEnd)
        {
            int before = reader.Rest.Length;
            ReadOnlySpan<byte> value = reader.ReadValue();
            Hostile.AssertInside(values, value);
            value.Length.ShouldBe(before - reader.Rest.Length);
            var inner = new ValueReader(value);
            texts.Add(Describe(ref inner, ValueReader.DepthMax));
            inner.IsAtEnd.ShouldBeTrue("reading a value takes as much as passing over it");
        }
        return string.Join(' ', texts);
    }

    private static string Describe(scoped ref ValueReader reader, int depth)
    {
        if (depth == 0) throw new DecodeException("too deep");
        switch (reader.Next)
        {
            case FormatCode.Described:
                FormatCode kind = new ValueReader(reader.Rest[1..]).Next;
                return kind is FormatCode.Symbol8 or FormatCode.Symbol32 or FormatCode.ULong or FormatCode.SmallULong or FormatCode.ULong0
                    ? $"@{reader.ReadDescriptor():x} {Describe(ref reader, depth - 1)}"
                    : $"@? {Convert.ToHexString(reader.ReadValue())}";
            case FormatCode.List0 or FormatCode.List8 or FormatCode.List32:
                int itemCount = reader.ReadList(out ValueReader items);
                return $"[{DescribeItems(itemCount, ref items, depth)}]";
            case FormatCode.Map8 or FormatCode.Map32:
                int count = reader.ReadMap(out ValueReader pairs);
                (count % 2).ShouldBe(0);
                return $"{{{DescribeItems(count, ref pairs, depth)}}}";
            case FormatCode.Array8 or FormatCode.Array32:
                return DescribeArray(reader.ReadArray(), depth);
            default:
                return DescribePlain(ref reader);
        }
    }

    private static string DescribePlain(ref ValueReader reader)
    {
        switch (reader.Next)
        {
            case FormatCode.Null: return reader.TryReadNull() ? "null" : throw new InvalidOperationException();
            case FormatCode.True or FormatCode.False or FormatCode.Boolean: return reader.ReadBoolean() ? "true" : "false";
            case FormatCode.UByte: return $"ubyte {reader.ReadUByte()}";
            case FormatCode.UShort: return $"ushort {reader.ReadUShort()}";
            case FormatCode.UInt0 or FormatCode.SmallUInt or FormatCode.UInt: return $"uint {reader.ReadUInt()}";
            case FormatCode.ULong0 or FormatCode.SmallULong or FormatCode.ULong: return $"ulong {reader.ReadULong()}";
            case FormatCode.Byte: return $"byte {reader.ReadInteger()}";
            case FormatCode.Short: return $"short {reader.ReadInteger()}";
            case FormatCode.SmallInt or FormatCode.Int: return $"int {reader.ReadInteger()}";
            case FormatCode.SmallLong or FormatCode.Long: return $"long {reader.ReadInteger()}";
            case FormatCode.Float: return string.Create(CultureInfo.InvariantCulture, $"float {reader.ReadFloat()}");
            case FormatCode.Double: return string.Create(CultureInfo.InvariantCulture, $"double {reader.ReadDouble()}");
            case FormatCode.Timestamp: return $"timestamp {reader.ReadTimestamp()}";
            case FormatCode.Uuid: return $"uuid {Convert.ToHexString(reader.ReadUuid())}";
            case FormatCode.Binary8 or FormatCode.Binary32: return $"binary {Convert.ToHexString(reader.ReadBinary())}";
            case FormatCode.String8 or FormatCode.String32: return $"string {Convert.ToHexString(reader.ReadText())}";
            case FormatCode.Symbol8 or FormatCode.Symbol32: return $"symbol {Convert.ToHexString(reader.ReadText())}";
            default: return $"other {Convert.ToHexString(reader.ReadValue())}";
        }
    }

    private static string DescribeItems(int count, ref ValueReader items, int depth)
    {
        var texts = new List<string>();
        for (; count > 0; count--) texts.Add(Describe(ref items, depth - 1));
        return string.Join(", ", texts);
    }

    private static string DescribeArray(ArrayReader array, int depth)
    {
        var texts = new List<string>();
        byte[] scratch = new byte[1024];
        while (array.Count > 0)
        {
            var item = new ValueReader(array.ReadItem(scratch));
            texts.Add(Describe(ref item, depth - 1));
            item.IsAtEnd.ShouldBeTrue("an item is one value");
        }
        return $"<{string.Join(", ", texts)}>";
    }
}
