using System.Buffers;
using Harrier.Storage.Disk;

namespace Harrier.Storage.Segments;

/// <summary>
/// A file of messages that have left memory: written once by a checkpoint, with the messages of a queue side by side, and read until nothing in it is needed.
/// Thread-safe.
/// </summary>
public sealed class SegmentFile
{
    private readonly IDiskFile _file;
    private long _liveBytes;

    internal SegmentFile(ulong number, IDiskFile file, bool isTemporary)
    {
        Number = number;
        _file = file;
        IsTemporary = isTemporary;
    }

    public ulong Number { get; }

    /// <summary>Whether it has no name and goes with the process.</summary>
    public bool IsTemporary { get; }

    /// <summary>Bytes up to the end of the last record.</summary>
    public long Length { get; internal set; }

    /// <summary>Bytes of records that somebody may still ask for.</summary>
    public long LiveBytes => Volatile.Read(ref _liveBytes);

    /// <summary>Counts records as needed.</summary>
    public void Retain(long bytes) => Interlocked.Add(ref _liveBytes, bytes);

    /// <summary>Counts records as not needed any more. Once nothing is, the file can go.</summary>
    public void Release(long bytes) => Interlocked.Add(ref _liveBytes, -bytes);

    /// <summary>Reads whole records from an offset, at least one and at most so many bytes of them if there is more than one.</summary>
    /// <exception cref="DataDamagedException">There is no record, or not one that ends before <paramref name="end"/>.</exception>
    public SegmentRecords Read(long offset, long end, int bytesMax)
    {
        int size = (int)Math.Min(Math.Max(bytesMax, SegmentFormat.RecordHeaderSize), end - offset);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(size);
        int count = _file.Read(bytes.AsSpan(0, size), offset);
        int first = SegmentFormat.RecordSize(bytes.AsSpan(0, count));
        if (first > count && first <= end - offset)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = ArrayPool<byte>.Shared.Rent(first);
            count = _file.Read(bytes.AsSpan(0, first), offset);
        }
        if (first < 0 || first > count) throw Damaged(offset);
        return new SegmentRecords(this, bytes, count, offset);
    }

    /// <summary>Whether a record was met that is not what was written. The file stays as it is, for whoever may mend it.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>The exception for a record that is not what was written.</summary>
    public DataDamagedException Damaged(long offset)
    {
        IsDamaged = true;
        return new DataDamagedException($"{SegmentFormat.NameOf(Number)} is damaged at offset {offset}: there is no whole record");
    }

    internal void Write(ReadOnlySpan<byte> bytes, long offset) => _file.Write(bytes, offset);

    internal void Sync() => _file.Sync();

    internal void Close() => _file.Dispose();
}
