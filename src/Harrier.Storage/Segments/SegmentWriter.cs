using System.Buffers;

namespace Harrier.Storage.Segments;

/// <summary>Writes one segment file from the front to the back. Owned by the checkpointer.</summary>
public sealed class SegmentWriter : IDisposable
{
    private const int BufferSize = 1 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _count;

    internal SegmentWriter(SegmentFile file)
    {
        File = file;
        SegmentFormat.WriteFileHeader(_buffer, file.Number);
        _count = SegmentFormat.FileHeaderSize;
    }

    /// <summary>What is written.</summary>
    public SegmentFile File { get; }

    /// <summary>Where the next record will begin.</summary>
    public long Offset => File.Length + _count;

    /// <summary>Room for the payload of a record, to be filled before <see cref="Add"/>.</summary>
    public Span<byte> GetPayload(int size)
    {
        int needed = SegmentFormat.RecordHeaderSize + size;
        if (_buffer.Length - _count < needed) Flush();
        if (_buffer.Length < needed)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(needed);
        }
        return _buffer.AsSpan(_count + SegmentFormat.RecordHeaderSize, size);
    }

    /// <summary>Adds a record with the payload that was filled in; how many bytes it takes in the file.</summary>
    public int Add(in SegmentKey key, int payloadSize)
    {
        int size = SegmentFormat.RecordHeaderSize + payloadSize;
        Span<byte> record = _buffer.AsSpan(_count, size);
        SegmentFormat.WriteRecordHeader(record, in key, payloadSize);
        SegmentFormat.SealRecord(record);
        _count += size;
        return size;
    }

    /// <summary>Adds records of another file as they stand there.</summary>
    /// <exception cref="Disk.DataDamagedException">They are not what was written.</exception>
    public void Copy(SegmentFile from, long offset, long end)
    {
        while (offset < end)
        {
            using SegmentRecords records = from.Read(offset, end, BufferSize);
            while (records.TryMoveNext())
            {
                records.Payload.CopyTo(GetPayload(records.Payload.Length));
                Add(records.Key, records.Payload.Length);
            }
            offset = records.NextOffset;
        }
    }

    /// <summary>Writes what is left, and makes all of it durable if the file is to survive the process.</summary>
    public void Finish()
    {
        Flush();
        if (!File.IsTemporary) File.Sync();
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Flush()
    {
        File.Write(_buffer.AsSpan(0, _count), File.Length);
        File.Length += _count;
        _count = 0;
    }
}
