using Harrier.Storage.Disk;

namespace Harrier.Storage.Log;

/// <summary>Takes one unit of the log, in order.</summary>
public delegate void LoggedUnitHandler(in LoggedUnit unit);

/// <summary>Is told of every frame: its file, offset, bytes of payload.</summary>
public delegate void LogFrameHandler(ulong file, long offset, int payloadSize);

/// <summary>What a reading of the log has come to: the position after the last frame, and how many there were.</summary>
public readonly record struct LogEnd(long End, long FrameCount);

/// <summary>
/// Reads the log after a stop. The first thing that is no frame is its end, if that can be the trace of a write that was under way: nothing behind it
/// proves that it had been synced before. If something does, the disk has lost what was confirmed, and reading on would hide it.
/// </summary>
public sealed class LogReader(IDisk disk)
{
    /// <summary>Called for every frame before its units, or null.</summary>
    public LogFrameHandler? OnFrame { get; init; }

    /// <summary>Whether there are log files.</summary>
    public bool HasFiles => Numbers().Length > 0;

    /// <summary>Reads everything from a file on. Throws <see cref="DataDamagedException"/> when what was synced is not there.</summary>
    public LogEnd Read(LogFilePoint from, LoggedUnitHandler apply)
    {
        ulong[] numbers = Numbers();
        if (!numbers.Contains(from.Number)) throw new DataDamagedException($"{LogFormat.NameOf(from.Number)} is missing");
        ulong number = from.Number;
        long start = from.Start, end = start, frames = 0;
        for (; numbers.Contains(number); number++)
        {
            using var file = new LogFileWindow(disk.Open(LogFormat.NameOf(number)));
            if (!TryBegin(file, number, from.Number, end, ref start)) break;
            end = ReadFrames(file, new LogFilePoint(number, start, from.Salt), apply, ref frames);
        }
        AssertTorn(numbers.Where(n => n + 1 >= number && n >= from.Number), end, from.Salt);
        return new LogEnd(end, frames);
    }

    /// <summary>Where a new log can begin, beyond everything that was ever written to the one that begins at a file.</summary>
    public LogFilePoint FindNext(LogFilePoint from)
    {
        ulong[] numbers = Numbers();
        long start = from.Start;
        foreach (ulong number in numbers.Where(n => n >= from.Number))
        {
            using IDiskFile file = disk.Open(LogFormat.NameOf(number));
            start += file.Length;
        }
        return new LogFilePoint(numbers.Length == 0 ? from.Number : Math.Max(from.Number, numbers[^1] + 1), start, from.Salt);
    }

    private ulong[] Numbers()
    {
        disk.CreateFolder(LogFormat.Folder);
        return [.. disk.List(LogFormat.Folder).Select(LogFormat.NumberOf).OfType<ulong>().Order()];
    }

    /// <summary>Whether frames were ever written to the file in this life of it.</summary>
    private static bool TryBegin(LogFileWindow file, ulong number, ulong first, long end, ref long start)
    {
        string name = LogFormat.NameOf(number);
        if (!LogFormat.TryReadFileHeader(file.Peek(0, LogFormat.FileHeaderSize), name, out LogFileHeader header) || header.Number != number) return false;
        bool follows = number == first ? header.Start == start : header.PreviousEnd == end;
        if (!follows) throw new DataDamagedException($"{name} does not continue where the log before it ends (position {end}): synced data is missing");
        start = header.Start;
        return true;
    }

    private long ReadFrames(LogFileWindow file, in LogFilePoint at, LoggedUnitHandler apply, ref long frames)
    {
        long offset = LogFormat.FileHeaderSize;
        while (TryReadFrame(file, offset, at.Start + offset, at.Salt, out ReadOnlySpan<byte> payload, out _))
        {
            OnFrame?.Invoke(at.Number, offset, payload.Length);
            frames++;
            offset += LogFormat.PaddedSize(LogFormat.FrameHeaderSize + payload.Length);
            while (!payload.IsEmpty) apply(LogFormat.TakeUnit(ref payload));
        }
        return at.Start + offset;
    }

    private static bool TryReadFrame(LogFileWindow file, long offset, long position, uint salt, out ReadOnlySpan<byte> payload, out LogFrameHeader header)
    {
        payload = default;
        if (!LogFormat.TryReadFrameHeader(file.Peek(offset, LogFormat.FrameHeaderSize), position, salt, out header)) return false;
        int size = LogFormat.FrameHeaderSize + header.PayloadSize;
        if (offset + size > file.Length) return false;
        ReadOnlySpan<byte> frame = file.Peek(offset, size);
        payload = frame[LogFormat.FrameHeaderSize..];
        return frame.Length == size && Crc32C.Append(LogFormat.HeaderCrc(frame), payload) == header.Crc;
    }

    /// <summary>Looks for a frame that was written when what is missing at <paramref name="end"/> had been synced already.</summary>
    private void AssertTorn(IEnumerable<ulong> numbers, long end, uint salt)
    {
        foreach (ulong number in numbers)
        {
            string name = LogFormat.NameOf(number);
            using var file = new LogFileWindow(disk.Open(name));
            for (long offset = LogFormat.FileHeaderSize; offset < file.Length; offset += LogFormat.SectorSize)
            {
                if (!LogFormat.TryReadPosition(file.Peek(offset, LogFormat.FrameHeaderSize), out long position) || position <= end) continue;
                if (!TryReadFrame(file, offset, position, salt, out _, out LogFrameHeader header) || header.Durable <= end) continue;
                throw new DataDamagedException(
                    $"the log is damaged at position {end}: a frame behind it (position {position}, in {name}) shows that it had been synced. " +
                    "Nothing was changed. Restore the directory from a backup, or have the disk looked at.");
            }
        }
    }
}
