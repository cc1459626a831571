using System.Buffers.Binary;
using Harrier.Storage.Disk;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>A message of a run that has a time of its own. The offset counts from the run's first message.</summary>
internal readonly record struct TimetableRow(long AtMs, ulong Sequence, uint Offset, int Size, int BodySize, bool IsLogged);

/// <summary>
/// The messages of a run that expire or fall due, in the order of their times: written behind the run, read page by page as time passes. Of all that are on disk,
/// only those of the page that is due are in memory.
/// </summary>
internal sealed class Timetable(SegmentFile file, long next, long end, long nextAtMs)
{
    private const int RowSize = 32;
    private const int PageRowsMax = 2048;

    private TimetableRow[] _page = [];
    private int _row;
    private long _nextPageAtMs = nextAtMs;

    public SegmentFile File { get; private set; } = file;

    /// <summary>Where the first page begins that was not read to its end: what a restart has to read again.</summary>
    public long Start { get; private set; } = next;

    /// <summary>Where the next page begins.</summary>
    public long Next { get; private set; } = next;

    public long End { get; private set; } = end;

    /// <summary>The time of the first row of the page at <see cref="Start"/>.</summary>
    public long StartAtMs { get; private set; } = nextAtMs;

    /// <summary>Whether a page is being read.</summary>
    public bool IsLoading { get; set; }

    /// <summary>The earliest time that is left, or <see cref="long.MaxValue"/>.</summary>
    public long NextAtMs => _row < _page.Length ? _page[_row].AtMs : _nextPageAtMs;

    /// <summary>Whether the next page must be read before more is known to be due.</summary>
    public bool NeedsPage(long nowMs) => _row == _page.Length && _nextPageAtMs <= nowMs;

    /// <summary>Takes the next row out when its time has come.</summary>
    public bool TryTakeDue(long nowMs, out TimetableRow row)
    {
        bool isDue = _row < _page.Length && _page[_row].AtMs <= nowMs;
        row = isDue ? _page[_row++] : default;
        return isDue;
    }

    /// <summary>Takes up a page that was read. What stands before it is not needed any more.</summary>
    public void Turn(TimetablePage page)
    {
        File.Release(Next - Start);
        (Start, StartAtMs) = (Next, page.Rows.Length > 0 ? page.Rows[0].AtMs : page.NextAtMs);
        (_page, _row, Next, _nextPageAtMs) = (page.Rows, 0, page.NextOffset, page.NextAtMs);
    }

    /// <summary>What stood in the file from an offset on stands elsewhere now, unchanged.</summary>
    public void MoveTo(SegmentFile file, long from, long to)
    {
        Release();
        (File, Start, Next, End) = (file, Start - from + to, Next - from + to, End - from + to);
        File.Retain(End - Start);
    }

    public void Release() => File.Release(End - Start);

    /// <summary>Writes the rows, which are in the order of their times, as pages.</summary>
    public static void Write(SegmentWriter segment, long queueId, ReadOnlySpan<TimetableRow> rows)
    {
        while (!rows.IsEmpty)
        {
            int count = Math.Min(rows.Length, PageRowsMax), size = sizeof(long) + count * RowSize;
            Span<byte> to = segment.GetPayload(size);
            BinaryPrimitives.WriteInt64LittleEndian(to, count < rows.Length ? rows[count].AtMs : long.MaxValue);
            for (int i = 0; i < count; i++) Write(to[(sizeof(long) + i * RowSize)..], in rows[i]);
            segment.Add(new SegmentKey(queueId, rows[0].Sequence, SegmentFlags.Timetable, 0), size);
            rows = rows[count..];
        }
    }

    /// <summary>Reads the page at an offset.</summary>
    /// <exception cref="DataDamagedException">It is not what was written.</exception>
    public static TimetablePage Read(SegmentFile file, long offset, long end, long queueId)
    {
        using SegmentRecords records = file.Read(offset, end, sizeof(long) + PageRowsMax * RowSize);
        bool isPage = records.TryMoveNext() && records.Key.QueueId == queueId && (records.Key.Flags & SegmentFlags.Timetable) != SegmentFlags.None
            && records.Payload.Length >= sizeof(long) && (records.Payload.Length - sizeof(long)) % RowSize == 0;
        if (!isPage) throw file.Damaged(offset);
        var rows = new TimetableRow[(records.Payload.Length - sizeof(long)) / RowSize];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = ReadRow(records.Payload[(sizeof(long) + i * RowSize)..]);
            if (rows[i].Size <= 0 || rows[i].BodySize < 0 || rows[i].Offset > file.Length) throw file.Damaged(offset);
        }
        return new TimetablePage(rows, records.NextOffset, BinaryPrimitives.ReadInt64LittleEndian(records.Payload));
    }

    private static void Write(Span<byte> to, in TimetableRow row)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, row.AtMs);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], row.Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], row.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(to[20..], row.Size);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], row.BodySize);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], row.IsLogged ? 1 : 0);
    }

    private static TimetableRow ReadRow(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from), BinaryPrimitives.ReadUInt64LittleEndian(from[8..]), BinaryPrimitives.ReadUInt32LittleEndian(from[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[20..]), BinaryPrimitives.ReadInt32LittleEndian(from[24..]), BinaryPrimitives.ReadInt32LittleEndian(from[28..]) != 0);
}

/// <summary>A page of a timetable: its rows, where the next page begins, and the first time on that.</summary>
internal sealed record TimetablePage(TimetableRow[] Rows, long NextOffset, long NextAtMs);
