using System.Buffers;

namespace Harrier.Storage.Segments;

/// <summary>Records that were read in one piece, into a pooled buffer; those that are there in whole can be walked through.</summary>
public sealed class SegmentRecords : IDisposable
{
    private readonly SegmentFile _file;
    private readonly byte[] _bytes;
    private readonly int _count;
    private readonly long _offset;
    private int _next;
    private int _current;

    internal SegmentRecords(SegmentFile file, byte[] bytes, int count, long offset)
    {
        _file = file;
        _bytes = bytes;
        _count = count;
        _offset = offset;
    }

    /// <summary>Where the record after the current one begins in the file.</summary>
    public long NextOffset => _offset + _next;

    /// <summary>Where the current record begins in the file.</summary>
    public long Offset => _offset + _current;

    /// <summary>Bytes of the current record, header included.</summary>
    public int Size => _next - _current;

    /// <summary>The current record's key.</summary>
    public SegmentKey Key { get; private set; }

    /// <summary>What was written for the current record.</summary>
    public ReadOnlySpan<byte> Payload => _bytes.AsSpan(_current + SegmentFormat.RecordHeaderSize, Size - SegmentFormat.RecordHeaderSize);

    /// <summary>Gives the buffer back. Nothing is read from it afterwards.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes);

    /// <summary>Goes to the next record; false when no other is there in whole.</summary>
    /// <exception cref="Disk.DataDamagedException">It is not what was written.</exception>
    public bool TryMoveNext()
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan(_next, _count - _next);
        if (rest.Length < SegmentFormat.RecordHeaderSize) return false;
        int size = SegmentFormat.RecordSize(rest);
        if (size < 0) throw _file.Damaged(NextOffset);
        if (size > rest.Length) return false;
        if (!SegmentFormat.TryReadRecord(rest[..size], out SegmentKey key)) throw _file.Damaged(NextOffset);
        (_current, _next, Key) = (_next, _next + size, key);
        return true;
    }
}
