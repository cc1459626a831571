using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Log;

/// <summary>
/// Whatever happens to the bytes of a log, a reading gives the beginning of what was written or is refused; and what a later frame proves as synced is never
/// given up in silence.
/// </summary>
public class LogDamageTests
{
    private const int Sector = LogFormat.SectorSize;

    private readonly SimDisk _disk = new(1);
    private readonly List<Unit> _written;
    private readonly List<(string File, long Offset, int Size, int PayloadSize)> _frames;
    private readonly List<int> _unitsOfFrames = [];

    /// <summary>Three files; frames of one unit and of several, of one sector and of several.</summary>
    public LogDamageTests()
    {
        var random = new Random(1);
        using var bench = new LogBench(_disk, fileBytes: 4096);
        while (bench.Log.CurrentFile.Number < 3 || _unitsOfFrames.Count < 8)
        {
            int count = random.Next(1, 4);
            for (int i = 0; i < count; i++) bench.Append(random, sizeMax: 500, stream: random.Next(3));
            bench.CommitAll();
            _unitsOfFrames.Add(count);
        }
        bench.Append(random, sizeMax: 400);
        bench.CommitAll();
        _unitsOfFrames.Add(1);
        _written = bench.Written;
        _frames = LogBench.Frames(_disk);
        _frames.Count.ShouldBe(_unitsOfFrames.Count);
        LogBench.Read(_disk).ShouldBe(_written);
    }

    [Fact]
    public void The_last_file_may_be_cut_at_every_byte_that_no_frame_proves()
    {
        string last = _frames[^1].File;
        for (int length = _disk.Snapshot(last).Length; length >= 0; length--)
        {
            SimDisk disk = _disk.Clone();
            disk.Truncate(last, length);
            int whole = _frames.TakeWhile(frame => frame.File != last || frame.Offset + LogFormat.FrameHeaderSize + frame.PayloadSize <= length).Count();
            LogBench.Read(disk).ShouldBe(UnitsOf(whole), $"cut at {length}");
        }
    }

    [Fact]
    public void Every_other_file_may_not_be_cut_inside_of_its_frames()
    {
        foreach (string file in _frames.Select(frame => frame.File).Distinct().SkipLast(1))
        {
            var last = _frames.Last(frame => frame.File == file);
            int end = (int)last.Offset + LogFormat.FrameHeaderSize + last.PayloadSize;
            for (int length = 0; length < end; length++)
            {
                SimDisk disk = _disk.Clone();
                disk.Truncate(file, length);
                LogBench.TryRead(disk).ShouldBeNull($"{file} cut at {length}");
            }
        }
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x80)]
    [InlineData(0xFF)]
    public void A_flip_of_any_byte_is_refused_or_ends_the_log_before_it(byte mask)
    {
        foreach (string file in _frames.Select(frame => frame.File).Distinct())
            for (int at = 0; at < _disk.Snapshot(file).Length; at++)
            {
                _disk.Corrupt(file, at, mask);
                Check(LogBench.TryRead(_disk), file, at);
                _disk.Corrupt(file, at, mask);
            }
        LogBench.Read(_disk).ShouldBe(_written);
    }

    [Fact]
    public void After_a_mark_the_last_frame_is_proven_too()
    {
        var disk = new SimDisk(1);
        using var bench = new LogBench(disk, fileBytes: 4096);
        bench.Append(7, size: 600);
        bench.CommitAll();
        bench.Log.Mark();
        (string file, long offset, _, int payload) = LogBench.Frames(disk)[0];
        for (int at = 0; at < LogFormat.FrameHeaderSize + payload; at++)
        {
            disk.Corrupt(file, offset + at, 0x10);
            LogBench.TryRead(disk).ShouldBeNull($"offset {at} of the frame");
            disk.Corrupt(file, offset + at, 0x10);
        }
    }

    [Fact]
    public void Regions_of_zeros_are_refused_or_end_the_log()
    {
        foreach (string file in _frames.Select(frame => frame.File).Distinct())
            for (int at = 0; at < _disk.Snapshot(file).Length; at += Sector)
                foreach (int size in (int[])[1, 100, Sector, 3 * Sector, 8192])
                {
                    SimDisk disk = _disk.Clone();
                    int length = disk.Snapshot(file).Length;
                    using (IDiskFile damaged = disk.Open(file)) damaged.Write(new byte[Math.Min(size, length - at)], at);
                    ShouldBePrefix(LogBench.TryRead(disk), $"{size} zeros at {at} of {file}");
                }
    }

    [Fact]
    public void Sectors_that_have_changed_places_are_refused_or_end_the_log()
    {
        string[] files = [.. _frames.Select(frame => frame.File).Distinct()];
        (string File, int At)[] sectors = [.. files.SelectMany(file => Enumerable.Range(0, _disk.Snapshot(file).Length / Sector).Select(i => (file, i * Sector)))];
        foreach ((string file, int at) in sectors)
            foreach ((string otherFile, int otherAt) in sectors)
            {
                byte[] one = _disk.Snapshot(file)[at..(at + Sector)], other = _disk.Snapshot(otherFile)[otherAt..(otherAt + Sector)];
                if (one.SequenceEqual(other)) continue;
                SimDisk disk = _disk.Clone();
                using (IDiskFile damaged = disk.Open(file)) damaged.Write(other, at);
                using (IDiskFile damaged = disk.Open(otherFile)) damaged.Write(one, otherAt);
                ShouldBePrefix(LogBench.TryRead(disk), $"{at} of {file} and {otherAt} of {otherFile}");
            }
    }

    private void Check(List<Unit>? found, string file, int at)
    {
        string where = $"{at} of {file}";
        int hit = _frames.FindIndex(frame => frame.File == file && frame.Offset <= at && at < frame.Offset + LogFormat.FrameHeaderSize + frame.PayloadSize);
        if (at < 44) hit = _frames.FindIndex(frame => frame.File == file); // the header of the file stands and falls with what is in it
        if (hit < 0) found.ShouldBe(_written, where);
        else if (hit < _frames.Count - 1) found.ShouldBeNull(where);
        else found.ShouldBe(UnitsOf(hit), where);
    }

    private void ShouldBePrefix(List<Unit>? found, string where)
    {
        if (found is null) return;
        found.ShouldBe(_written[..Math.Min(found.Count, _written.Count)], where);
        Enumerable.Range(0, _frames.Count + 1).Select(frames => UnitsOf(frames).Count).ShouldContain(found.Count, $"frames are whole or not there: {where}");
    }

    private List<Unit> UnitsOf(int frames) => _written[.._unitsOfFrames.Take(frames).Sum()];
}
