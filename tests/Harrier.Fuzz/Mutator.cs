using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Harrier.Fuzz;

/// <summary>Makes new inputs from old ones, octet by octet. Pure: the same random numbers give the same input.</summary>
internal class Mutator(IReadOnlyList<byte[]> dictionary)
{
    /// <summary>Octets of the largest input.</summary>
    protected const int SizeMax = 8 << 10;

    private static readonly byte[] Borders = [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, 0xCE];
    private static readonly uint[] Lengths = [0, 1, 0xFF, 0x100, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];

    /// <summary>A changed input; <paramref name="other"/> is there to take pieces from.</summary>
    public virtual byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        var bytes = new List<byte>(input);
        for (int count = 1 << random.Next(4); count > 0; count--) MutateOnce(bytes, other, random);
        return Cut(bytes);
    }

    /// <summary>A piece of the dictionary.</summary>
    protected byte[] Word(Random random) => dictionary[random.Next(dictionary.Count)];

    protected static byte[] Cut(List<byte> bytes)
    {
        if (bytes.Count > SizeMax) bytes.RemoveRange(SizeMax, bytes.Count - SizeMax);
        return [.. bytes];
    }

    private void MutateOnce(List<byte> bytes, byte[] other, Random random)
    {
        int at = random.Next(bytes.Count + 1);
        switch (random.Next(10))
        {
            case 0: Change(bytes, at, b => b ^ 1 << random.Next(8)); break;
            case 1: Change(bytes, at, _ => random.Next(256)); break;
            case 2: Change(bytes, at, _ => Borders[random.Next(Borders.Length)]); break;
            case 3: Change(bytes, at, b => b + random.Next(-4, 5)); break;
            case 4: bytes.RemoveRange(at, random.Next(Math.Min(16, bytes.Count - at) + 1)); break;
            case 5: bytes.InsertRange(at, bytes.GetRange(at, random.Next(Math.Min(64, bytes.Count - at) + 1))); break;
            case 6: bytes.InsertRange(at, Word(random)); break;
            case 7: Overwrite(bytes, at, Word(random)); break;
            case 8: Overwrite(bytes, at, LengthLie(bytes.Count - at, random)); break;
            default: Splice(bytes, at, other, random); break;
        }
    }

    private static void Change(List<byte> bytes, int at, Func<byte, int> change)
    {
        if (at < bytes.Count) bytes[at] = (byte)change(bytes[at]);
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> by)
    {
        Span<byte> over = CollectionsMarshal.AsSpan(bytes)[at..];
        by[..Math.Min(by.Length, over.Length)].CopyTo(over);
    }

    // Lengths that are off by a little or by everything, in the widths that the protocol has.
    private static byte[] LengthLie(int octetsLeft, Random random)
    {
        uint length = random.Next(2) == 0 ? Lengths[random.Next(Lengths.Length)] : (uint)Math.Max(0, octetsLeft + random.Next(-8, 3));
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, length);
        return random.Next(3) switch { 0 => bytes, 1 => bytes[2..], _ => bytes[3..] };
    }

    private static void Splice(List<byte> bytes, int at, byte[] other, Random random)
    {
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(random.Next(other.Length + 1)));
    }
}
