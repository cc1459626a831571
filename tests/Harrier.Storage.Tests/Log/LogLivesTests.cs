using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Log;

/// <summary>Files that live again, marks, and logs that go on after a stop.</summary>
public class LogLivesTests
{
    [Fact]
    public void A_recycled_file_never_shows_anything_of_its_former_life()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var disk = new SimDisk(seed);
            using var bench = new LogBench(disk, fileBytes: 4096);
            LogFilePoint from = LogBench.First;
            int kept = 0;
            for (int i = 0; i < 60; i++)
            {
                bench.Append(random, sizeMax: 1500);
                bench.CommitAll();
                if (random.Next(4) == 0) bench.Log.Mark();
                if (random.Next(8) == 0)
                {
                    List<Unit> before = LogBench.Read(disk, bench.Log.CurrentFile);
                    from = bench.Log.CurrentFile;
                    kept = bench.Written.Count - before.Count;
                    bench.Log.Retire(from.Number);
                }
                LogBench.Read(disk, from).ShouldBe(bench.Written[kept..], $"seed {seed}, unit {i}");
            }
            bench.Log.CurrentFile.Number.ShouldBeGreaterThan(8ul, "files were used again");
            disk.List("log").Count.ShouldBeLessThan(30);
        }
    }

    [Fact]
    public void A_torn_frame_in_a_recycled_file_is_the_end_whatever_stands_behind_it()
    {
        var disk = new SimDisk(1);
        using var bench = new LogBench(disk, fileBytes: 8192);
        for (int i = 0; i < 60; i++)
        {
            bench.Append((byte)i, size: 400);
            bench.CommitAll();
            bench.Log.Retire(bench.Log.CurrentFile.Number);
        }
        LogFilePoint from = bench.Log.CurrentFile;
        List<Unit> units = LogBench.Read(disk, from);
        (string file, long offset, int size, _) = LogBench.Frames(disk, from)[^1];
        disk.Snapshot(file).Length.ShouldBe(8192);
        for (int at = 0; at < 400; at += 7)
        {
            disk.Corrupt(file, offset + at, 0x40);
            LogBench.Read(disk, from).ShouldBe(units[..^1]);
            disk.Corrupt(file, offset + at, 0x40);
        }
        size.ShouldBe(512);
    }

    [Fact]
    public void A_mark_is_an_empty_frame_and_is_written_once()
    {
        var disk = new SimDisk(1);
        using var bench = new LogBench(disk);
        bench.Log.Mark();
        bench.Log.WrittenBytes.ShouldBe(0, "there is nothing to be marked");
        bench.Append(1);
        bench.CommitAll();
        bench.Log.Mark();
        bench.Log.Mark();
        LogBench.Frames(disk).Select(frame => frame.PayloadSize == 0).ShouldBe([false, true]);
        bench.Append(2);
        bench.CommitAll();
        LogBench.Read(disk).ShouldBe(bench.Written);
    }

    [Fact]
    public void A_mark_rolls_to_the_next_file_like_everything_else()
    {
        var disk = new SimDisk(1);
        using var bench = new LogBench(disk, fileBytes: 1024);
        for (byte i = 0; i < 5; i++)
        {
            bench.Append(i);
            bench.CommitAll();
            bench.Log.Mark();
        }
        LogBench.Frames(disk).Count.ShouldBe(10);
        LogBench.Read(disk).ShouldBe(bench.Written);
    }

    [Fact]
    public void A_log_that_begins_anew_stands_beyond_everything_that_was_there()
    {
        var disk = new SimDisk(1);
        LogFilePoint start = LogBench.First;
        for (int life = 0; life < 10; life++)
        {
            using var bench = new LogBench(disk, fileBytes: 4096, start);
            bench.Log.DeleteOlder();
            for (int i = 0; i < 1 + life * 3; i++)
            {
                bench.Append((byte)life, size: 900);
                bench.CommitAll();
            }
            if (life % 2 == 0) bench.Log.PrepareFiles();
            List<Unit> found = LogBench.Read(disk, start, out LogEnd end);
            found.ShouldBe(bench.Written);
            LogFilePoint next = new LogReader(disk).FindNext(start);
            next.Start.ShouldBeGreaterThanOrEqualTo(end.End);
            disk.List("log").ShouldAllBe(name => LogFormat.NumberOf(name) < next.Number);
            start = next;
        }
    }

    [Fact]
    public void A_missing_first_file_is_refused()
    {
        var disk = new SimDisk(1);
        using (var bench = new LogBench(disk, fileBytes: 4096))
            for (byte i = 0; i < 20; i++)
            {
                bench.Append(i, size: 900);
                bench.CommitAll();
            }
        disk.Delete(LogFormat.NameOf(1));
        Should.Throw<DataDamagedException>(() => LogBench.Read(disk)).Message.ShouldContain("missing");
    }

    [Fact]
    public void A_missing_file_in_between_is_refused()
    {
        for (ulong missing = 2; missing <= 4; missing++)
        {
            var disk = new SimDisk(1);
            using var bench = new LogBench(disk, fileBytes: 4096);
            for (byte i = 0; i < 20; i++)
            {
                bench.Append(i, size: 900);
                bench.CommitAll();
            }
            bench.Log.CurrentFile.Number.ShouldBeGreaterThan(4ul);
            disk.Delete(LogFormat.NameOf(missing));
            Should.Throw<DataDamagedException>(() => LogBench.Read(disk));
        }
    }

    [Fact]
    public void A_log_file_of_a_newer_format_is_refused_with_a_message_that_says_so()
    {
        var disk = new SimDisk(1);
        using (var bench = new LogBench(disk))
        {
            bench.Append(1);
            bench.CommitAll();
        }
        string name = LogFormat.NameOf(1);
        byte[] header = disk.Snapshot(name)[..LogFormat.FileHeaderSize];
        header[8]++;
        BitConverter.TryWriteBytes(header.AsSpan(40), Crc32C.Of(header.AsSpan(..40)));
        using (IDiskFile file = disk.Open(name)) file.Write(header, 0);
        Should.Throw<DataDamagedException>(() => LogBench.Read(disk)).Message.ShouldContain("start a newer one");
    }

    [Fact]
    public void After_a_crash_at_any_point_everything_durable_is_there_and_nothing_that_was_not_written()
    {
        for (int point = 1; point < 120; point++)
        {
            var disk = new SimDisk(point) { OnPoint = p => { if (p.Number == point) throw new SimulatedCrashException(); } };
            var random = new Random(point);
            LogBench? bench = null;
            int durable = 0;
            try
            {
                bench = new LogBench(disk, fileBytes: 4096);
                for (int i = 0; i < 30; i++)
                {
                    bench.Append(random, sizeMax: 1200);
                    if (random.Next(2) == 0) continue;
                    bench.CommitAll();
                    durable = bench.Written.Count;
                    if (random.Next(4) == 0) bench.Log.Mark();
                }
            }
            catch (SimulatedCrashException)
            {
            }
            for (int outcome = 0; outcome < 5; outcome++)
            {
                SimDisk found = disk.Crash();
                List<Unit> units = bench is null ? [] : LogBench.Read(found);
                units.Count.ShouldBeGreaterThanOrEqualTo(durable, $"point {point}");
                if (bench is not null) units.ShouldBe(bench.Written[..units.Count]);
            }
        }
    }
}
