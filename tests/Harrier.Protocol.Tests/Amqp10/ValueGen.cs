using FsCheck;
using FsCheck.Fluent;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Any values of 1.0's types, the borders more often than chance would have them.</summary>
internal static class ValueGen
{
    public static Gen<bool> Boolean => WireGen.Bit;

    public static Gen<byte> Ubyte => WireGen.Octet;

    public static Gen<ushort> Ushort => WireGen.Short;

    public static Gen<uint> Uint { get; } = Gen.OneOf(WireGen.Long, Gen.Elements(0u, 1u, 255u, 256u));

    public static Gen<ulong> Ulong { get; } = Gen.OneOf(WireGen.Longlong, Gen.Elements(0ul, 1ul, 255ul, 256ul));

    public static Gen<long> Timestamp { get; } = WireGen.Longlong.Select(n => (long)n);

    /// <summary>Content of any size, those where the length gets its second byte among them.</summary>
    public static Gen<Octets> Binary { get; } = Gen.OneOf(WireGen.Bytes(0, 12), WireGen.Bytes(0, 12), WireGen.Bytes(200, 300), WireGen.Bytes(254, 257));

    public static Gen<Octets> String => Binary;

    public static Gen<Octets> Symbol => Binary;

    /// <summary>A whole value of any kind but null, in any of its forms, with others in it down to a depth of three.</summary>
    public static Gen<Octets> Any { get; } = Value(3).Select(bytes => new Octets(bytes));

    public static Gen<Octets> Map { get; } = MapOf(2).Select(bytes => new Octets(bytes));

    /// <summary>A symbol, or an array of them, maybe empty.</summary>
    public static Gen<Octets> Symbols { get; } = Gen.OneOf(
        from symbol in Symbol select ReferenceValues.Variable(0xa3, symbol),
        from symbol in Symbol select ReferenceValues.LongVariable(0xa3, symbol),
        from symbols in WireGen.Bytes(0, 20).ListOf()
        select ReferenceValues.SmallArray([0xa3], [.. symbols.Take(10).Select(s => ReferenceValues.Variable(0xa3, s)[1..])]),
        from symbols in Symbol.ListOf()
        select ReferenceValues.LargeArray([0xb3], [.. symbols.Take(5).Select(s => ReferenceValues.LongVariable(0xa3, s)[1..])]))
        .Select(bytes => new Octets(bytes));

    public static Gen<T?> OrNull<T>(Gen<T> any) where T : struct => Gen.OneOf(Gen.Constant<T?>(null), any.Select(value => (T?)value));

    public static Gen<Octets?> BytesOrNull(Gen<Octets> any) => Gen.OneOf(Gen.Constant<Octets?>(null), any.Select(value => (Octets?)value));

    /// <summary>Any value, half of the time that one.</summary>
    public static Gen<T> Or<T>(Gen<T> any, T value) => Gen.OneOf(Gen.Constant(value), any);

    /// <summary>Any value but null.</summary>
    public static Gen<byte[]> Value(int depth) => depth == 0 ? Plain : Gen.OneOf(Plain, Plain, ListOf(depth), MapOf(depth), ArrayOf, DescribedOf(depth));

    /// <summary>Any primitive value, with the form of its constructor left to chance.</summary>
    private static Gen<byte[]> Plain =>
        from kind in Gen.Elements(FixedKinds)
        from content in WireGen.Bytes(kind.Size, kind.Size)
        from variable in Binary
        from code in Gen.Elements<byte>(0xa0, 0xa1, 0xa3)
        from form in Gen.Choose(0, 3)
        select form switch
        {
            0 => ReferenceValues.Variable(code, variable),
            1 => ReferenceValues.LongVariable(code, variable),
            _ => [kind.Code, .. Content(kind.Code, content)],
        };

    /// <summary>An array of values of fixed width.</summary>
    private static Gen<byte[]> ArrayOf =>
        from kind in Gen.Elements(FixedKinds)
        from count in Gen.Choose(0, 8)
        from content in WireGen.Bytes(kind.Size * count, kind.Size * count)
        from isLarge in Boolean
        let items = Enumerable.Range(0, count).Select(i => Content(kind.Code, content.Span.Slice(i * kind.Size, kind.Size).ToArray())).ToArray()
        select isLarge ? ReferenceValues.LargeArray([kind.Code], items) : ReferenceValues.SmallArray([kind.Code], items);

    /// <summary>Constructors of values of fixed width, with the bytes that follow.</summary>
    public static (byte Code, int Size)[] FixedKinds =>
    [
        (0x41, 0), (0x42, 0), (0x43, 0), (0x44, 0), (0x45, 0),
        (0x50, 1), (0x51, 1), (0x52, 1), (0x53, 1), (0x54, 1), (0x55, 1), (0x56, 1), (0x60, 2), (0x61, 2),
        (0x70, 4), (0x71, 4), (0x72, 4), (0x73, 4), (0x74, 4), (0x80, 8), (0x81, 8), (0x82, 8), (0x83, 8), (0x84, 8), (0x94, 16), (0x98, 16),
    ];

    private static byte[] Content(byte code, ReadOnlySpan<byte> content) => code == 0x56 ? [(byte)(content[0] & 1)] : content.ToArray();

    private static Gen<byte[]> ListOf(int depth) =>
        from items in Value(depth - 1).ListOf()
        from isLarge in Boolean
        select isLarge ? ReferenceValues.LongCompound(0xc0, [.. items.Take(5)]) : ReferenceValues.Compound(0xc0, [.. items.Take(5)]);

    private static Gen<byte[]> MapOf(int depth) =>
        from pairs in (from key in Plain from value in Value(depth - 1) select (key, value)).ListOf()
        from isLarge in Boolean
        let items = pairs.Take(4).SelectMany(p => (byte[][])[p.key, p.value]).ToArray()
        select isLarge ? ReferenceValues.LongCompound(0xc1, items) : ReferenceValues.Compound(0xc1, items);

    private static Gen<byte[]> DescribedOf(int depth) =>
        from code in Ulong from value in Value(depth - 1) select (byte[])[0x00, .. ReferenceValues.ULong(code), .. value];
}
