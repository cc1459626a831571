using System.Buffers;

namespace Harrier.Storage.Log;

/// <summary>
/// A run of ops of one stream on their way to the log; it is made durable as a whole. Filled by whoever owns the stream, then given to the log, which gives it back
/// to the pool.
/// </summary>
public sealed class LogUnit
{
    private const int CapacityFirst = 1024;

    // A unit that was once large does not stay so.
    private const int CapacityKept = 128 << 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(CapacityFirst);
    private int _end = LogFormat.UnitHeaderSize;

    /// <summary>Whether somebody waits for it. If nobody does, it may wait for company.</summary>
    public bool IsAwaited { get; set; }

    /// <summary>Bytes of ops.</summary>
    public int Size => _end - LogFormat.UnitHeaderSize;

    public bool IsEmpty => Size == 0;

    /// <summary>The next unit of the same atomic group.</summary>
    internal LogUnit? Next { get; private set; }

    internal int WrittenSize => _end;

    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _end);

    /// <summary>The ops.</summary>
    public ReadOnlySpan<byte> Ops => _bytes.AsSpan(LogFormat.UnitHeaderSize, Size);

    /// <summary>Room for at least that many bytes after what is there.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (_bytes.Length - _end < size) Grow(size);
        return _bytes.AsSpan(_end);
    }

    /// <summary>Counts bytes that were written into the last span.</summary>
    public void Advance(int size) => _end += size;

    /// <summary>Closes the unit: nothing is added any more.</summary>
    /// <param name="stream">At most 65535.</param>
    /// <param name="index">The number after that of the stream's last unit.</param>
    public void Seal(int stream, ulong index) => LogFormat.WriteUnitHeader(_bytes, stream, index, Size);

    /// <summary>Makes another unit a part of the same atomic group: both are durable, or neither.</summary>
    public void Chain(LogUnit next)
    {
        next.Next = Next;
        Next = next;
        IsAwaited |= next.IsAwaited;
    }

    /// <summary>Makes it empty again.</summary>
    public void Clear()
    {
        _end = LogFormat.UnitHeaderSize;
        Next = null;
        IsAwaited = false;
        if (_bytes.Length <= CapacityKept) return;
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = ArrayPool<byte>.Shared.Rent(CapacityFirst);
    }

    private void Grow(int size)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(_end + (long)size, _bytes.Length * 2L)));
        _bytes.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
