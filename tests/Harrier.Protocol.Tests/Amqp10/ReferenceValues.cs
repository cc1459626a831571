using System.Text;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>The simplest thing that writes 1.0's types: the judge of the real writer, so it shares nothing with it.</summary>
internal static class ReferenceValues
{
    public static readonly byte[] Null = [0x40];

    public static byte[] Boolean(bool value) => [(byte)(value ? 0x41 : 0x42)];

    public static byte[] UByte(byte value) => [0x50, value];

    public static byte[] UShort(ushort value) => [0x60, .. Number(value, 2)];

    public static byte[] UInt(uint value) => value switch { 0 => [0x43], < 256 => [0x52, (byte)value], _ => [0x70, .. Number(value, 4)] };

    public static byte[] ULong(ulong value) => value switch { 0 => [0x44], < 256 => [0x53, (byte)value], _ => [0x80, .. Number(value, 8)] };

    public static byte[] Timestamp(long value) => [0x83, .. Number((ulong)value, 8)];

    public static byte[] Symbol(string value) => Variable(0xa3, Encoding.ASCII.GetBytes(value));

    /// <summary>A binary, string or symbol, whose short constructor is given.</summary>
    public static byte[] Variable(byte small, ReadOnlySpan<byte> value) =>
        value.Length < 256 ? [small, (byte)value.Length, .. value] : LongVariable(small, value);

    /// <summary>The same with a length of four bytes, however short it is.</summary>
    public static byte[] LongVariable(byte small, ReadOnlySpan<byte> value) => [(byte)(small + 0x10), .. Number((ulong)value.Length, 4), .. value];

    /// <summary>A list or map, whose short constructor is given; the items of a map are its keys and values.</summary>
    public static byte[] Compound(byte small, params IReadOnlyList<byte[]> items)
    {
        if (items.Count == 0 && small == 0xc0) return [0x45];
        byte[] content = [.. items.SelectMany(i => i)];
        bool isSmall = items.Count < 256 && content.Length + 1 < 256;
        return isSmall ? [small, (byte)(content.Length + 1), (byte)items.Count, .. content] : LongCompound(small, items);
    }

    /// <summary>The same with a size and count of four bytes, however small it is.</summary>
    public static byte[] LongCompound(byte small, params IReadOnlyList<byte[]> items)
    {
        byte[] content = [.. items.SelectMany(i => i)];
        return [(byte)(small + 0x10), .. Number((ulong)content.Length + 4, 4), .. Number((ulong)items.Count, 4), .. content];
    }

    /// <summary>An array of one byte of size and count; the items stand without the constructor that they share.</summary>
    public static byte[] SmallArray(ReadOnlySpan<byte> constructor, params IReadOnlyList<byte[]> items)
    {
        byte[] content = [.. constructor, .. items.SelectMany(i => i)];
        return [0xe0, checked((byte)(content.Length + 1)), (byte)items.Count, .. content];
    }

    /// <summary>An array of four bytes of size and count.</summary>
    public static byte[] LargeArray(ReadOnlySpan<byte> constructor, params IReadOnlyList<byte[]> items)
    {
        byte[] content = [.. constructor, .. items.SelectMany(i => i)];
        return [0xf0, .. Number((ulong)content.Length + 4, 4), .. Number((ulong)items.Count, 4), .. content];
    }

    public static byte[] Number(ulong value, int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(value >> (8 * (size - 1 - i))))];
}
