using System.Buffers.Binary;

namespace Harrier.Broker.Messages;

/// <summary>
/// Hashes that are the same in every process, on every machine and in every version: what is shared out by them stays where it was after a restart.
/// Not for hash tables: whoever knows the function can choose values that collide.
/// </summary>
internal static class StableHash
{
    // FNV-1a with 64 bits: keys are short, so a byte at a time is fast enough.
    private const ulong FnvOffset = 0xCBF29CE484222325;
    private const ulong FnvPrime = 0x100000001B3;

    /// <summary>A hash of bytes in which every bit counts.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong hash = FnvOffset;
        foreach (byte octet in bytes) hash = (hash ^ octet) * FnvPrime;
        return Mix(hash);
    }

    /// <summary>A hash of a number.</summary>
    public static ulong Of(long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return Of(bytes);
    }

    /// <summary>Spreads each bit over all 64 (the finalizer of SplitMix64); FNV alone leaves the high bits of similar names alike.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
