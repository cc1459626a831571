using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Any values of 0-9-1's types, the borders more often than chance would have them.</summary>
internal static class WireGen
{
    public static Gen<byte> Octet { get; } = Gen.Choose(0, byte.MaxValue).Select(n => (byte)n);

    public static Gen<ushort> Short { get; } = Gen.OneOf(
        Gen.Elements<ushort>(0, 1, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF), Gen.Choose(0, ushort.MaxValue).Select(n => (ushort)n));

    public static Gen<uint> Long { get; } = Gen.OneOf(
        Gen.Elements(0u, 1u, 0xFFFFu, 0x7FFF_FFFFu, 0x8000_0000u, uint.MaxValue), from high in Short from low in Short select (uint)high << 16 | low);

    public static Gen<ulong> Longlong { get; } = Gen.OneOf(
        Gen.Elements<ulong>(0, 1, long.MaxValue, 1ul << 63, ulong.MaxValue), from high in Long from low in Long select (ulong)high << 32 | low);

    public static Gen<ulong> Timestamp => Longlong;

    public static Gen<bool> Bit { get; } = Gen.Elements(false, true);

    public static Gen<Octets> Shortstr { get; } = Gen.OneOf(Bytes(0, 12), Bytes(0, 255), Bytes(255, 255));

    public static Gen<Octets> Longstr { get; } = Gen.OneOf(Bytes(0, 20), Bytes(0, 2000));

    /// <summary>The fields of a table; the codec of methods does not look into them, so sometimes they are none.</summary>
    public static Gen<Octets> Table { get; } = Gen.OneOf(FieldGen.Table(3).Select(t => new Octets(t.Encode())), Bytes(0, 40));

    /// <summary>So many bytes of any value.</summary>
    public static Gen<Octets> Bytes(int sizeMin, int sizeMax) =>
        from size in Gen.Choose(sizeMin, sizeMax)
        from seed in Gen.Choose(0, int.MaxValue)
        select new Octets(RandomBytes(seed, size));

    private static byte[] RandomBytes(int seed, int size)
    {
        byte[] bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
