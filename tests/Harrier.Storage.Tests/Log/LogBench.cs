using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Shouldly;

namespace Harrier.Storage.Tests.Log;

/// <summary>A unit as tests compare it.</summary>
internal sealed record Unit(int Stream, ulong Index, string Ops)
{
    public static Unit Random(Random random, int stream, ulong index, int sizeMax)
    {
        byte[] ops = new byte[random.Next(1, sizeMax + 1)];
        random.NextBytes(ops);
        return new Unit(stream, index, Convert.ToHexString(ops));
    }
}

/// <summary>A log that is driven by hand, with the shortest words for what tests do with it.</summary>
internal sealed class LogBench(IDisk disk, long fileBytes = 64 << 10, LogFilePoint? start = null) : IDisposable
{
    public static readonly LogFilePoint First = new(1, 0);

    private readonly Dictionary<int, ulong> _indexes = [];

    public WriteAheadLog Log { get; } = Open(disk, fileBytes, start ?? First);

    /// <summary>Everything that was appended.</summary>
    public List<Unit> Written { get; } = [];

    public LogUnit Fill(Unit unit, bool isAwaited = true)
    {
        byte[] ops = Convert.FromHexString(unit.Ops);
        LogUnit filled = Log.RentUnit();
        ops.CopyTo(filled.GetSpan(ops.Length));
        filled.Advance(ops.Length);
        filled.IsAwaited = isAwaited;
        filled.Seal(unit.Stream, unit.Index);
        Written.Add(unit);
        return filled;
    }

    /// <summary>Appends so many bytes, all of the same value.</summary>
    public long Append(byte value, int size = 10, int stream = 0, bool isAwaited = true) =>
        Log.Append(Fill(new Unit(stream, NextIndex(stream), Convert.ToHexString([.. Enumerable.Repeat(value, size)])), isAwaited));

    public long Append(Random random, int sizeMax, int stream = 0) => Log.Append(Fill(Unit.Random(random, stream, NextIndex(stream), sizeMax)));

    public ulong NextIndex(int stream) => _indexes[stream] = _indexes.GetValueOrDefault(stream) + 1;

    public void CommitAll()
    {
        while (Log.Commit())
        {
        }
        Log.Durable.ShouldBe(Log.Appended);
    }

    public void Dispose() => Log.Dispose();

    // The folder is durable with the first manifest, before any log.
    private static WriteAheadLog Open(IDisk disk, long fileBytes, LogFilePoint start)
    {
        disk.CreateFolder(LogFormat.Folder);
        disk.SyncFolder("");
        var log = new WriteAheadLog(disk, fileBytes, start);
        log.PrepareFirst();
        return log;
    }

    public static List<Unit> Read(IDisk disk, LogFilePoint? from = null) => Read(disk, from ?? First, out _);

    public static List<Unit> Read(IDisk disk, LogFilePoint from, out LogEnd end)
    {
        List<Unit> units = [];
        end = new LogReader(disk).Read(from, (in LoggedUnit unit) => units.Add(new Unit(unit.Stream, unit.Index, Convert.ToHexString(unit.Ops))));
        return units;
    }

    /// <summary>What a reading gives, or null when it is refused.</summary>
    public static List<Unit>? TryRead(IDisk disk, LogFilePoint? from = null)
    {
        try
        {
            return Read(disk, from);
        }
        catch (DataDamagedException)
        {
            return null;
        }
    }

    /// <summary>Where the frames stand: file, offset, bytes with header and padding.</summary>
    public static List<(string File, long Offset, int Size, int PayloadSize)> Frames(IDisk disk, LogFilePoint? from = null)
    {
        List<(string, long, int, int)> frames = [];
        var reader = new LogReader(disk)
        {
            OnFrame = (file, offset, payload) =>
                frames.Add((LogFormat.NameOf(file), offset, LogFormat.PaddedSize(LogFormat.FrameHeaderSize + payload), payload)),
        };
        reader.Read(from ?? First, (in LoggedUnit _) => { });
        return frames;
    }
}
