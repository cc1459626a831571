using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Log;

public class WriteAheadLogTests
{
    private readonly SimDisk _disk = new(1);

    [Fact]
    public void What_was_appended_comes_back_in_order()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            var disk = new SimDisk(seed);
            var random = new Random(seed);
            using var bench = new LogBench(disk, fileBytes: 4096 << random.Next(5));
            for (int i = 0; i < 100; i++)
            {
                bench.Append(random, sizeMax: 1 << random.Next(12), stream: random.Next(5));
                if (random.Next(3) == 0) bench.CommitAll();
                if (random.Next(10) == 0) bench.Log.Mark();
            }
            bench.CommitAll();
            LogBench.Read(disk).ShouldBe(bench.Written, $"seed {seed}");
            LogBench.Read(disk.Clone()).ShouldBe(bench.Written, $"all of it is durable, seed {seed}");
        }
    }

    [Fact]
    public void Nothing_is_written_before_a_commit()
    {
        using var bench = new LogBench(_disk);
        long writes = _disk.Writes;
        bench.Append(1);
        _disk.Writes.ShouldBe(writes);
        LogBench.Read(_disk).ShouldBeEmpty();
        bench.Log.Durable.ShouldBe(0);
    }

    [Fact]
    public void What_has_come_together_is_one_frame_with_one_sync()
    {
        using var bench = new LogBench(_disk);
        for (byte i = 0; i < 20; i++) bench.Append(i);
        long syncs = _disk.Syncs;
        bench.Log.Commit().ShouldBeTrue();
        _disk.Syncs.ShouldBe(syncs + 1);
        bench.Log.SyncCount.ShouldBe(1);
        LogBench.Frames(_disk).Count.ShouldBe(1);
    }

    [Fact]
    public void Without_work_a_commit_writes_nothing()
    {
        using var bench = new LogBench(_disk);
        bench.Log.Commit().ShouldBeFalse();
        bench.Log.SyncCount.ShouldBe(0);
        bench.Log.WrittenBytes.ShouldBe(0);
    }

    [Theory]
    [InlineData(512 - 32 - 16 - 1, 512)]
    [InlineData(512 - 32 - 16, 512)]
    [InlineData(512 - 32 - 16 + 1, 1024)]
    public void A_frame_fills_whole_sectors(int size, int written)
    {
        using var bench = new LogBench(_disk);
        bench.Append(1, size);
        bench.CommitAll();
        bench.Log.WrittenBytes.ShouldBe(written);
        bench.Append(2, size);
        bench.CommitAll();
        LogBench.Read(_disk).ShouldBe(bench.Written);
    }

    [Fact]
    public void Bytes_left_over_from_a_former_life_follow_a_frame_as_zeros()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        for (byte i = 0; i < 100; i++)
        {
            bench.Append(0xEE, 900);
            bench.CommitAll();
            bench.Log.Retire(bench.Log.CurrentFile.Number);
        }
        LogFilePoint from = bench.Log.CurrentFile;
        bench.Append(1, 5);
        bench.CommitAll();
        (string file, long offset, int size, int payload) = LogBench.Frames(_disk, bench.Log.CurrentFile)[^1];
        _disk.Snapshot(file).AsSpan((int)offset + LogFormat.FrameHeaderSize + payload, size - LogFormat.FrameHeaderSize - payload).ToArray().ShouldAllBe(b => b == 0);
        from.Number.ShouldBeGreaterThan(5ul);
    }

    [Fact]
    public void A_chained_unit_shares_the_frame_and_the_ticket_of_the_first()
    {
        using var bench = new LogBench(_disk);
        LogUnit first = bench.Fill(new Unit(1, 1, "01"), isAwaited: false), second = bench.Fill(new Unit(2, 1, "02")), third = bench.Fill(new Unit(3, 1, "03"), isAwaited: false);
        first.Chain(third);
        first.Chain(second);
        first.IsAwaited.ShouldBeTrue();
        bench.Log.Append(first).ShouldBe(1);
        bench.Append(4, stream: 4).ShouldBe(2);
        bench.CommitAll();
        LogBench.Frames(_disk).Count.ShouldBe(1);
        LogBench.Read(_disk).ShouldBe(bench.Written);
        bench.Log.StagedBytes.ShouldBe(0);
    }

    [Fact]
    public void A_chain_stays_in_one_frame_however_long_it_is()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        LogUnit first = bench.Fill(new Unit(0, 1, Convert.ToHexString(new byte[WriteAheadLog.BatchBytesMax])));
        first.Chain(bench.Fill(new Unit(1, 1, Convert.ToHexString(new byte[1000]))));
        bench.Log.Append(first);
        bench.Append(2, stream: 2);
        bench.Log.Commit();
        bench.Log.Durable.ShouldBe(1);
        bench.Log.Commit();
        bench.Log.Durable.ShouldBe(2);
        LogBench.Frames(_disk).Count.ShouldBe(2);
        LogBench.Read(_disk).ShouldBe(bench.Written);
    }

    [Fact]
    public void A_unit_that_is_larger_than_a_file_makes_its_file_larger()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        bench.Append(1);
        bench.CommitAll();
        bench.Append(2, size: 100_000);
        bench.CommitAll();
        bench.Append(3);
        bench.CommitAll();
        LogBench.Read(_disk).ShouldBe(bench.Written);
        LogBench.Frames(_disk).Select(frame => frame.File).Distinct().Count().ShouldBe(3);
        bench.Log.LiveFileCount.ShouldBe(3);
        bench.Log.Retire(bench.Log.CurrentFile.Number);
        bench.Log.LiveFileCount.ShouldBe(1);
        _disk.List("log").Select(name => _disk.Snapshot(name).Length).ShouldAllBe(length => length == 4096, "the large one is not kept");
    }

    [Fact]
    public void A_unit_that_nobody_waits_for_is_written_with_the_next()
    {
        using var bench = new LogBench(_disk);
        bench.Append(1, isAwaited: false);
        bench.Log.WaitForWork(TimeSpan.Zero, TimeSpan.Zero).ShouldBeTrue("the lazy time is over");
        bench.Append(2);
        bench.Log.Commit();
        bench.Log.Durable.ShouldBe(2);
        LogBench.Frames(_disk).Count.ShouldBe(1);
        bench.Log.WaitForWork(TimeSpan.Zero, TimeSpan.Zero).ShouldBeFalse();
    }

    [Fact]
    public void Staged_bytes_are_those_that_are_not_durable()
    {
        using var bench = new LogBench(_disk);
        bench.Append(1, size: 100);
        bench.Append(2, size: 50);
        bench.Log.StagedBytes.ShouldBe(150 + 2 * LogFormat.UnitHeaderSize);
        bench.CommitAll();
        bench.Log.StagedBytes.ShouldBe(0);
    }

    [Fact]
    public async Task Who_waits_is_called_once_when_the_ticket_is_durable_and_not_before()
    {
        using var bench = new LogBench(_disk);
        long first = bench.Append(1), second = bench.Append(2);
        var waiter = new CountingWaiter();
        bench.Log.TryAwait(first, waiter).ShouldBeTrue();
        Task both = bench.Log.WhenDurableAsync(second);
        both.IsCompleted.ShouldBeFalse();
        waiter.Calls.ShouldBe(0);
        bench.CommitAll();
        await both;
        waiter.Calls.ShouldBe(1);
        bench.Log.TryAwait(second, waiter).ShouldBeFalse();
        bench.Log.WhenDurableAsync(second).IsCompleted.ShouldBeTrue();
        bench.Append(3);
        bench.CommitAll();
        waiter.Calls.ShouldBe(1);
    }

    [Fact]
    public void Only_those_are_called_whose_ticket_has_come()
    {
        using var bench = new LogBench(_disk);
        var waiters = new CountingWaiter[10];
        for (int i = 0; i < waiters.Length; i++) bench.Log.TryAwait(i + 1, waiters[i] = new CountingWaiter()).ShouldBeTrue();
        for (int i = 0; i < waiters.Length; i++)
        {
            bench.Append((byte)i);
            bench.Log.Commit();
            waiters.Select(waiter => waiter.Calls).ShouldBe(Enumerable.Range(0, waiters.Length).Select(w => w <= i ? 1 : 0));
        }
    }

    [Fact]
    public void To_wait_for_a_unit_makes_it_urgent()
    {
        using var bench = new LogBench(_disk);
        long ticket = bench.Append(1, isAwaited: false);
        bench.Log.TryAwait(ticket, new CountingWaiter());
        bench.Log.WaitForWork(TimeSpan.FromHours(1), TimeSpan.FromHours(1)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_failed_write_or_sync_ends_the_log(bool isSync)
    {
        using var bench = new LogBench(_disk);
        bench.Append(1);
        bench.CommitAll();
        long ticket = bench.Append(2);
        var waiter = new CountingWaiter();
        bench.Log.TryAwait(ticket, waiter);
        if (isSync) _disk.FailSync = name => name.EndsWith(".log", StringComparison.Ordinal);
        else _disk.FailWrite = name => name.EndsWith(".log", StringComparison.Ordinal);
        Should.Throw<IOException>(() => bench.Log.Commit());
        (_disk.FailSync, _disk.FailWrite) = (null, null);
        bench.Append(3);
        Should.Throw<InvalidOperationException>(() => bench.Log.Commit()).InnerException.ShouldBeOfType<IOException>();
        bench.Log.Mark();
        bench.Log.Durable.ShouldBe(1);
        waiter.Calls.ShouldBe(0);
    }

    [Fact]
    public void Without_space_for_the_next_file_the_batch_waits_and_goes_on_later()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        _disk.CapacityBytes = 2 * 4096 + 100;
        DiskFullException? full = null;
        while (full is null)
        {
            bench.Append(1, size: 1000);
            try
            {
                bench.Log.Commit();
            }
            catch (DiskFullException e)
            {
                full = e;
            }
        }
        long durable = bench.Log.Durable;
        Should.Throw<DiskFullException>(() => bench.Log.Commit());
        bench.Append(2);
        bench.Log.Durable.ShouldBe(durable);
        _disk.CapacityBytes = null;
        bench.CommitAll();
        LogBench.Read(_disk).ShouldBe(bench.Written);
    }

    [Fact]
    public void Without_space_for_a_large_frame_it_waits_and_goes_on_later()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        _disk.CapacityBytes = 8192;
        bench.Append(1, size: 20_000);
        Should.Throw<DiskFullException>(() => bench.Log.Commit());
        bench.Log.Durable.ShouldBe(0);
        _disk.CapacityBytes = null;
        bench.CommitAll();
        LogBench.Read(_disk.Clone()).ShouldBe(bench.Written);
    }

    [Fact]
    public void Prepared_files_are_used_when_there_is_no_space_any_more()
    {
        using var bench = new LogBench(_disk, fileBytes: 4096);
        bench.Append(1);
        bench.CommitAll();
        bench.Log.HasReserve.ShouldBeFalse();
        bench.Log.PrepareFiles();
        bench.Log.HasReserve.ShouldBeTrue();
        _disk.CapacityBytes = 0;
        for (int i = 0; i < 6; i++)
        {
            bench.Append(2, size: 1000);
            bench.CommitAll();
        }
        bench.Log.CurrentFile.Number.ShouldBe(3ul);
        LogBench.Read(_disk).ShouldBe(bench.Written);
    }

    private sealed class CountingWaiter : IDurabilityWaiter
    {
        public int Calls { get; private set; }

        public void OnDurable() => Calls++;
    }
}
