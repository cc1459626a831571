using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Harrier.Storage;

/// <summary>CRC-32C (Castagnoli), the checksum of everything on disk: processors have an instruction for it.</summary>
public static class Crc32C
{
    /// <summary>The checksum of bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of what <paramref name="crc"/> is the checksum of, followed by bytes.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint state = ~crc;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        if (BitConverter.IsLittleEndian)
            foreach (ulong word in words) state = BitOperations.Crc32C(state, word);
        else
            foreach (ulong word in words) state = BitOperations.Crc32C(state, BinaryPrimitives.ReverseEndianness(word));
        foreach (byte b in bytes[(words.Length * sizeof(ulong))..]) state = BitOperations.Crc32C(state, b);
        return ~state;
    }
}
