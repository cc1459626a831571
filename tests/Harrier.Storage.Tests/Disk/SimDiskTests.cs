using Harrier.Storage.Disk;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Disk;

/// <summary>What a crash may leave, and what it must: every rule is tried with many seeds, for that something may happen shows only over many.</summary>
public class SimDiskTests
{
    private const int Seeds = 300;
    private const int Sector = 512;

    private readonly SimDisk _disk = new(1);

    [Fact]
    public void Equal_seeds_make_equal_disks()
    {
        string[] Run(int seed) => [.. Outcomes(seed, disk =>
        {
            using IDiskFile file = Durable(disk, "a", Filled(1, 20 * Sector));
            for (int i = 0; i < 20; i++) file.Write(Filled((byte)i, Sector + 7), i * 300);
        }).Take(20).Select(d => Convert.ToHexString(d.Snapshot("a")))];
        Run(5).ShouldBe(Run(5));
        Run(5).ShouldNotBe(Run(6));
    }

    [Fact]
    public void What_was_synced_survives()
    {
        foreach (SimDisk found in Outcomes(disk => Durable(disk, "a", Filled(1, 1300)).Write(Filled(2, 600), 1300)))
            found.Snapshot("a").AsSpan(0, 1300).ToArray().ShouldBe(Filled(1, 1300));
    }

    [Fact]
    public void Of_what_was_not_synced_any_part_survives()
    {
        HashSet<string> seen = [];
        foreach (SimDisk found in Outcomes(disk => Durable(disk, "a", Filled(1, 3 * Sector)).Write(Filled(2, 3 * Sector), 0)))
        {
            byte[] bytes = found.Snapshot("a");
            foreach (byte[] sector in bytes.Chunk(Sector)) sector.Distinct().Count().ShouldBe(1, "a sector is old or new");
            seen.Add($"{bytes[0]}{bytes[Sector]}{bytes[2 * Sector]}");
        }
        seen.Count.ShouldBe(8);
    }

    [Fact]
    public void A_later_write_may_survive_an_earlier_one()
    {
        HashSet<(byte, byte)> seen = [];
        foreach (SimDisk found in Outcomes(disk =>
        {
            IDiskFile file = Durable(disk, "a", Filled(0, 2 * Sector));
            for (byte i = 1; i <= 3; i++)
            {
                file.Write([i], 0);
                file.Write([i], Sector);
            }
        }))
            seen.Add((found.Snapshot("a")[0], found.Snapshot("a")[Sector]));
        seen.Count.ShouldBe(16, "each sector has any of its versions, or none");
    }

    [Fact]
    public void Growth_may_be_lost_in_part()
    {
        int[] lengths = [.. Outcomes(disk => Durable(disk, "a", Filled(1, 100)).Write(Filled(1, 900), 100)).Select(d => d.Snapshot("a").Length)];
        lengths.ShouldAllBe(length => length >= 100 && length <= 1000);
        lengths.ShouldContain(100);
        lengths.ShouldContain(1000);
        lengths.Distinct().Count().ShouldBeGreaterThan(50);
    }

    [Fact]
    public void A_length_may_survive_without_the_bytes() =>
        Outcomes(disk => Durable(disk, "a", []).Write(Filled(1, Sector), 0)).ShouldContain(d => d.Snapshot("a").SequenceEqual(new byte[Sector]));

    [Fact]
    public void Garbage_is_found_only_where_it_is_asked_for_and_nothing_was_synced()
    {
        bool isSeen = false;
        foreach (SimDisk found in Outcomes(disk =>
        {
            disk.GarbageChance = 0.5;
            Durable(disk, "a", Filled(1, 2 * Sector)).Write(Filled(2, Sector), Sector);
        }))
        {
            byte[] bytes = found.Snapshot("a");
            bytes[..Sector].ShouldBe(Filled(1, Sector));
            isSeen |= bytes[Sector..].Distinct().Count() > 1;
        }
        isSeen.ShouldBeTrue();
    }

    [Fact]
    public void A_sync_of_a_file_does_not_keep_its_name()
    {
        bool[] exist = [.. Outcomes(disk =>
        {
            IDiskFile file = disk.Create("a");
            file.Write([1], 0);
            file.Sync();
        }).Select(d => d.Exists("a"))];
        exist.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void A_sync_of_a_folder_does_not_keep_the_bytes() =>
        Outcomes(disk =>
        {
            disk.Create("a").Write([1], 0);
            disk.SyncFolder("");
        }).Select(d => d.Snapshot("a").Length).Distinct().Count().ShouldBe(2);

    [Fact]
    public void Changes_to_a_folder_survive_in_order()
    {
        HashSet<string> seen = [.. Outcomes(disk =>
        {
            Durable(disk, "a", []);
            disk.Create("b");
            disk.Delete("a");
            disk.Rename("b", "c");
        }).Select(d => string.Join(',', d.List("")))];
        seen.ShouldBe(["a", "a,b", "b", "c"], ignoreOrder: true);
    }

    [Fact]
    public void Folders_keep_their_changes_independently()
    {
        HashSet<(bool, bool)> seen = [.. Outcomes(disk =>
        {
            disk.CreateFolder("x");
            disk.CreateFolder("y");
            disk.SyncFolder("");
            disk.Create("x/a");
            disk.Create("y/b");
        }).Select(d => (d.Exists("x/a"), d.Exists("y/b")))];
        seen.Count.ShouldBe(4);
    }

    [Fact]
    public void A_folder_is_a_name_as_well()
    {
        bool[] exist = [.. Outcomes(disk =>
        {
            disk.CreateFolder("x");
            disk.Create("x/a");
            disk.SyncFolder("x");
        }).Select(d => d.Exists("x/a"))];
        exist.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public void A_rename_over_a_file_leaves_the_old_one_or_the_new_one()
    {
        HashSet<string> seen = [];
        foreach (SimDisk found in Outcomes(disk =>
        {
            Durable(disk, "a", [1]);
            Durable(disk, "b", [2]);
            disk.Rename("b", "a");
        }))
            seen.Add($"{found.Snapshot("a")[0]}{found.Exists("b")}");
        seen.ShouldBe(["1True", "2False"], ignoreOrder: true);
    }

    [Fact]
    public void A_temporary_file_leaves_nothing()
    {
        foreach (SimDisk found in Outcomes(disk =>
        {
            IDiskFile file = disk.CreateTemporary("t");
            file.Write([1], 0);
            file.Sync();
            disk.SyncFolder("");
        }))
            (found.List("").Count, found.FreeBytes).ShouldBe((0, _disk.FreeBytes));
    }

    [Fact]
    public void A_full_disk_takes_nothing_of_a_write_that_needs_more_space()
    {
        _disk.CapacityBytes = 2000;
        IDiskFile file = Durable(_disk, "a", Filled(1, 1990));
        Should.Throw<DiskFullException>(() => file.Write(Filled(2, 20), 1985));
        (file.Length, _disk.FreeBytes, _disk.Snapshot("a")[1985]).ShouldBe((1990, 10, (byte)1));
        file.Write(Filled(2, 20), 0);
        file.Write(Filled(2, 10), 1990);
        _disk.FreeBytes.ShouldBe(0);
    }

    [Fact]
    public void The_space_of_a_deleted_file_comes_back_with_its_last_handle()
    {
        _disk.CapacityBytes = 100;
        IDiskFile file = Durable(_disk, "a", Filled(1, 100));
        _disk.Delete("a");
        _disk.FreeBytes.ShouldBe(0);
        file.Dispose();
        _disk.FreeBytes.ShouldBe(100);
    }

    [Fact]
    public void A_failed_write_writes_nothing()
    {
        IDiskFile file = Durable(_disk, "a", [1]);
        _disk.FailWrite = name => name == "a";
        Should.Throw<IOException>(() => file.Write([2, 2], 0));
        _disk.Snapshot("a").ShouldBe([1]);
        _disk.Create("b").Write([1], 0);
    }

    [Fact]
    public void What_a_failed_sync_lost_is_lost_even_if_the_next_one_succeeds()
    {
        HashSet<byte> seen = [];
        foreach (SimDisk found in Outcomes(disk =>
        {
            IDiskFile file = Durable(disk, "a", [1]);
            file.Write([2], 0);
            disk.FailSync = name => name == "a";
            Should.Throw<IOException>(file.Sync);
            disk.FailSync = null;
            file.Sync();
            disk.Snapshot("a").ShouldBe([2], "it can still be read");
        }))
            seen.Add(found.Snapshot("a")[0]);
        seen.Count.ShouldBe(2);
    }

    [Fact]
    public void A_sync_of_a_folder_can_fail()
    {
        _disk.CreateFolder("x");
        _disk.FailSync = name => name == "x";
        Should.Throw<IOException>(() => _disk.SyncFolder("x"));
        _disk.SyncFolder("");
    }

    [Fact]
    public void Nothing_changes_on_a_read_only_disk()
    {
        IDiskFile file = Durable(_disk, "a", [1]);
        _disk.IsReadOnly = true;
        Action[] changes =
        [
            () => file.Write([2], 0), file.Sync, () => _disk.Create("b"), () => _disk.CreateTemporary("b"), () => _disk.Rename("a", "b"),
            () => _disk.Delete("a"), () => _disk.SyncFolder(""), () => _disk.CreateFolder("x"),
        ];
        foreach (Action change in changes) Should.Throw<IOException>(change).Message.ShouldContain("Read-only file system");
        _disk.Snapshot("a").ShouldBe([1]);
    }

    [Fact]
    public void Every_change_has_a_point_before_it()
    {
        List<string> points = [];
        _disk.OnPoint = p => points.Add($"{p.Number} {p.Kind} {p.Name}{(_disk.Exists("x/a") ? " exists" : "")}");
        _disk.CreateFolder("x");
        IDiskFile file = _disk.Create("x/a");
        file.Write([1], 0);
        file.Sync();
        _disk.SyncFolder("x");
        _disk.Rename("x/a", "x/b");
        _disk.Delete("x/b");
        points.ShouldBe(
        [
            "1 CreateFolder x", "2 Create x/a", "3 Write x/a exists", "4 Sync x/a exists", "5 SyncFolder x exists", "6 Rename x/a exists", "7 Delete x/b",
        ]);
        _disk.Points.ShouldBe(7);
    }

    [Fact]
    public void After_a_crash_the_process_is_dead()
    {
        IDiskFile file = Durable(_disk, "a", [1]);
        IDisposable held = _disk.TryLock().ShouldNotBeNull();
        _disk.OnPoint = p =>
        {
            if (p.Kind == DiskPointKind.Write) throw new SimulatedCrashException();
        };
        Should.Throw<SimulatedCrashException>(() => file.Write([2], 0));
        _disk.OnPoint = null;
        Action[] all =
        [
            () => file.Write([3], 0), () => file.Read(new byte[1], 0), file.Sync, () => _ = file.Length,
            () => _disk.Create("b"), () => _disk.CreateTemporary("b"), () => _disk.Open("a"), () => _disk.Rename("a", "b"), () => _disk.Delete("a"),
            () => _disk.SyncFolder(""), () => _disk.CreateFolder("x"), () => _disk.List(""), () => _disk.TryLock(), () => _ = _disk.FreeBytes,
        ];
        foreach (Action action in all) Should.Throw<SimulatedCrashException>(action);
        file.Dispose();
        held.Dispose();
        _disk.Crash().Snapshot("a").ShouldBe([1]);
    }

    [Fact]
    public void A_crash_releases_the_lock_and_kills_the_old_disk()
    {
        _disk.TryLock().ShouldNotBeNull();
        SimDisk found = _disk.Crash();
        found.TryLock().ShouldNotBeNull();
        Should.Throw<SimulatedCrashException>(() => _disk.Create("a"));
    }

    [Fact]
    public void A_point_can_fail_what_comes_after_it()
    {
        _disk.OnPoint = p => throw new IOException(p.Name);
        Should.Throw<IOException>(() => _disk.Create("a"));
        _disk.OnPoint = null;
        _disk.Create("a");
    }

    [Fact]
    public void A_disk_can_crash_more_than_once()
    {
        Durable(_disk, "a", [1]).Write([2], 1);
        SimDisk found = _disk.Crash();
        using (IDiskFile file = found.Open("a")) file.Write([3], 0);
        found.Crash().Crash().Snapshot("a").Length.ShouldBe(found.Snapshot("a").Length);
        _disk.Crash().Snapshot("a")[0].ShouldBe((byte)1, "the disks have nothing in common");
    }

    [Fact]
    public void It_counts()
    {
        IDiskFile file = Durable(_disk, "a", Filled(1, 10));
        file.Write([new byte[3], new byte[4]], 0);
        (_disk.Syncs, _disk.FolderSyncs, _disk.Writes, _disk.BytesWritten).ShouldBe((1, 1, 2, 17));
    }

    [Fact]
    public void A_test_can_damage_a_file()
    {
        Durable(_disk, "a", [1, 2, 3]);
        _disk.Corrupt("a", 1, 0xF0);
        _disk.Truncate("a", 2);
        _disk.Snapshot("a").ShouldBe([1, 0xF2]);
        _disk.Crash().Snapshot("a").ShouldBe([1, 0xF2]);
    }

    [Fact]
    public void A_clone_has_what_is_durable_and_a_life_of_its_own()
    {
        Durable(_disk, "a", [1]).Write([2, 2], 0);
        _disk.Create("b");
        SimDisk clone = _disk.Clone();
        (clone.Exists("b"), Convert.ToHexString(clone.Snapshot("a"))).ShouldBe((false, "01"));
        clone.Truncate("a", 0);
        _disk.Snapshot("a").ShouldBe([2, 2]);
        _disk.Clone().Snapshot("a").ShouldBe([1]);
    }

    private static byte[] Filled(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static IDiskFile Durable(SimDisk disk, string name, byte[] bytes)
    {
        IDiskFile file = disk.Create(name);
        file.Write(bytes, 0);
        file.Sync();
        disk.SyncFolder("");
        return file;
    }

    private static IEnumerable<SimDisk> Outcomes(Action<SimDisk> work) => Outcomes(0, work);

    private static IEnumerable<SimDisk> Outcomes(int firstSeed, Action<SimDisk> work)
    {
        for (int seed = firstSeed; seed < firstSeed + Seeds; seed++)
        {
            var disk = new SimDisk(seed);
            work(disk);
            yield return disk.Crash();
        }
    }
}
