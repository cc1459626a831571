using Harrier.Storage.Disk;
using Harrier.Storage.Segments;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Segments;

public class SegmentSetTests
{
    private readonly SimDisk _disk = new(1);

    [Fact]
    public void A_file_is_dead_when_everything_in_it_was_released()
    {
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Add(set);
        set.FindDead().ShouldBeEmpty("the one who made it holds it");
        file.Retain(30);
        file.Retain(10);
        file.Release(SegmentSet.Hold);
        file.Release(30);
        set.FindDead().ShouldBeEmpty();
        set.DeadBytes.ShouldBe(0);
        file.Release(10);
        set.FindDead().ShouldBe([file]);
        set.DeadBytes.ShouldBe(file.Length);
        set.Delete([file]);
        set.DeadBytes.ShouldBe(0);
        set.Entries.ShouldBeEmpty();
        _disk.List("segments").ShouldBeEmpty();
    }

    [Fact]
    public void Numbers_are_never_used_again()
    {
        using var set = new SegmentSet(_disk, 7);
        SegmentFile first = Add(set);
        set.Delete([first]);
        SegmentFile second = Add(set), third = Add(set, isTemporary: true), fourth = Add(set);
        new[] { first, second, third, fourth }.Select(file => file.Number).ShouldBe([7ul, 8, 9, 10]);
        set.NextNumber.ShouldBe(11ul);
    }

    [Fact]
    public void A_file_without_a_name_is_in_no_manifest_and_gone_when_it_is_closed()
    {
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Add(set, isTemporary: true);
        file.IsTemporary.ShouldBeTrue();
        set.Entries.ShouldBeEmpty();
        _disk.List("segments").ShouldBeEmpty();
        file.Release(SegmentSet.Hold);
        set.DeadBytes.ShouldBe(file.Length);
        set.Delete(set.FindDead());
        set.DeadBytes.ShouldBe(0);
    }

    [Fact]
    public void A_file_that_was_taken_up_survives_a_crash()
    {
        using var set = new SegmentSet(_disk, 1);
        _disk.SyncFolder("");
        SegmentFile file = Add(set);
        for (int i = 0; i < 20; i++)
        {
            using var found = new SegmentSet(_disk.Crash(), 2);
            found.Open(new SegmentEntry(file.Number, file.Length)).Length.ShouldBe(file.Length);
        }
    }

    [Fact]
    public void What_could_not_be_completed_leaves_nothing()
    {
        using var set = new SegmentSet(_disk, 1);
        using (SegmentWriter writer = set.Create(isTemporary: false)) set.Abandon(writer.File);
        using (SegmentWriter writer = set.Create(isTemporary: true)) set.Abandon(writer.File);
        _disk.List("segments").ShouldBeEmpty();
        set.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void Files_that_the_manifest_did_not_name_are_deleted_with_everything_that_is_none()
    {
        using var set = new SegmentSet(_disk, 1);
        SegmentFile kept = Add(set);
        using SegmentWriter left = set.Create(isTemporary: false);
        _disk.Create("segments/0001.seg").Dispose();
        _disk.Create("segments/other").Dispose();
        set.DeleteUnnamed();
        _disk.List("segments").ShouldBe([SegmentFormat.NameOf(kept.Number)]);
    }

    [Fact]
    public void Small_files_are_put_together_once_there_are_many()
    {
        using var set = new SegmentSet(_disk, 1);
        for (int i = 0; i < 15; i++) Add(set);
        set.FindSparse().ShouldBeEmpty();
        SegmentFile last = Add(set);
        set.FindSparse().Count.ShouldBe(16);
        last.Release(SegmentSet.Hold);
        set.FindSparse().ShouldBeEmpty("what is dead needs no place elsewhere");
    }

    private static SegmentFile Add(SegmentSet set, bool isTemporary = false)
    {
        using SegmentWriter writer = set.Create(isTemporary);
        writer.GetPayload(100).Clear();
        writer.Add(new SegmentKey(1, 1, SegmentFlags.None, 0), 100);
        writer.Finish();
        set.Add(writer.File);
        return writer.File;
    }
}
