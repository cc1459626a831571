using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>A field value as a test thinks of it: either bytes, or the items of an array, or the fields of a table.</summary>
internal sealed record FieldValue(FieldType Type, Octets Bytes, IReadOnlyList<FieldValue> Items, TableValue? Table)
{
    /// <summary>What stands behind the type octet, its length not included.</summary>
    public byte[] Content() => Type switch
    {
        FieldType.Table => Table!.Encode(),
        FieldType.Array => [.. Items.SelectMany(i => i.Encode())],
        _ => Bytes.Span.ToArray(),
    };

    /// <summary>The value in wire form, written without the code under test.</summary>
    public byte[] Encode()
    {
        var writer = new ReferenceWriter().Octet((byte)Type);
        bool hasLength = Type is FieldType.LongString or FieldType.ByteArray or FieldType.Array or FieldType.Table;
        return (hasLength ? writer.Longstr(new Octets(Content())) : writer.Raw(Content())).ToArray();
    }
}

/// <summary>The fields of a table.</summary>
internal sealed record TableValue(IReadOnlyList<(Octets Name, FieldValue Value)> Fields)
{
    /// <summary>The fields in wire form, written without the code under test.</summary>
    public byte[] Encode() => [.. Fields.SelectMany(f => new ReferenceWriter().Shortstr(f.Name).Raw(f.Value.Encode()).ToArray())];

    public override string ToString() => $"table {Convert.ToHexString(Encode())}";
}

/// <summary>Any tables and values.</summary>
internal static class FieldGen
{
    /// <summary>Every type, with the octets of its value; -1 for those with a length in front.</summary>
    public static readonly IReadOnlyDictionary<FieldType, int> Sizes = new Dictionary<FieldType, int>
    {
        [FieldType.Boolean] = 1,
        [FieldType.SignedByte] = 1,
        [FieldType.UnsignedByte] = 1,
        [FieldType.SignedShort] = 2,
        [FieldType.UnsignedShort] = 2,
        [FieldType.SignedInt] = 4,
        [FieldType.UnsignedInt] = 4,
        [FieldType.SignedLong] = 8,
        [FieldType.SignedLongL] = 8,
        [FieldType.Float] = 4,
        [FieldType.Double] = 8,
        [FieldType.Decimal] = 5,
        [FieldType.LongString] = -1,
        [FieldType.Array] = -1,
        [FieldType.Timestamp] = 8,
        [FieldType.Table] = -1,
        [FieldType.ByteArray] = -1,
        [FieldType.Void] = 0,
    };

    /// <summary>Any value of that type; tables and arrays have others in them down to <paramref name="depth"/>.</summary>
    public static Gen<FieldValue> Value(FieldType type, int depth) => type switch
    {
        FieldType.Table => Table(depth - 1).Select(t => new FieldValue(type, new Octets([]), [], t)),
        FieldType.Array => Items(depth - 1).Select(items => new FieldValue(type, new Octets([]), items, null)),
        _ => WireGen.Bytes(Math.Max(Sizes[type], 0), Sizes[type] < 0 ? 40 : Sizes[type]).Select(bytes => new FieldValue(type, bytes, [], null)),
    };

    /// <summary>Any value of any type.</summary>
    public static Gen<FieldValue> Value(int depth) =>
        from type in Gen.Elements(depth > 0 ? Sizes.Keys : Sizes.Keys.Where(t => t is not (FieldType.Table or FieldType.Array)))
        from value in Value(type, depth)
        select value;

    /// <summary>Any table of a few fields.</summary>
    public static Gen<TableValue> Table(int depth) =>
        from fields in (from name in WireGen.Bytes(0, 20) from value in Value(depth) select (name, value)).ListOf()
        select new TableValue([.. fields.Take(6)]);

    private static Gen<FieldValue[]> Items(int depth) => Value(depth).ListOf().Select(items => items.Take(6).ToArray());
}
