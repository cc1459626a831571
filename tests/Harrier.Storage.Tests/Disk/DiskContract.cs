using Harrier.Storage.Disk;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Disk;

/// <summary>What holds on every disk as long as nothing fails.</summary>
public abstract class DiskContract
{
    protected abstract IDisk Disk { get; }

    [Fact]
    public void What_is_written_is_read()
    {
        using IDiskFile file = Disk.Create("a");
        file.Write([1, 2, 3, 4], 0);
        file.Write([9], 2);
        (file.Length, Hex(file)).ShouldBe((4, "01020904"));
    }

    [Fact]
    public void A_file_can_be_opened_again()
    {
        using (IDiskFile file = Disk.Create("a")) file.Write([1, 2, 3], 0);
        using IDiskFile again = Disk.Open("a");
        Hex(again).ShouldBe("010203");
        again.Write([4], 3);
        Hex(again).ShouldBe("01020304");
    }

    [Fact]
    public void Two_handles_of_a_file_see_the_same()
    {
        using IDiskFile one = Disk.Create("a");
        using IDiskFile other = Disk.Open("a");
        one.Write([1, 2], 0);
        Hex(other).ShouldBe("0102");
    }

    [Fact]
    public void Reads_end_with_the_file()
    {
        using IDiskFile file = Disk.Create("a");
        byte[] to = new byte[10];
        file.Read(to, 0).ShouldBe(0);
        file.Write([1, 2, 3], 0);
        file.Read(to, 1).ShouldBe(2);
        to[..3].ShouldBe([2, 3, 0]);
        file.Read(to, 3).ShouldBe(0);
        file.Read(to, 1000).ShouldBe(0);
    }

    [Fact]
    public void What_a_write_skips_is_zero()
    {
        using IDiskFile file = Disk.Create("a");
        file.Write([7], 0);
        file.Write([8], 2000);
        byte[] bytes = Bytes(file);
        (bytes.Length, bytes[0], bytes[2000], bytes.Count(b => b == 0)).ShouldBe((2001, (byte)7, (byte)8, 1999));
    }

    [Fact]
    public void Nothing_is_written_by_an_empty_write()
    {
        using IDiskFile file = Disk.Create("a");
        file.Write(ReadOnlySpan<byte>.Empty, 100);
        file.Write(Array.Empty<ReadOnlyMemory<byte>>(), 100);
        file.Length.ShouldBe(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(3000)] // more than one system call takes
    public void Parts_are_written_one_after_the_other(int count)
    {
        using IDiskFile file = Disk.Create("a");
        List<ReadOnlyMemory<byte>> parts = [];
        for (int i = 0; i < count; i++) parts.Add(Enumerable.Repeat((byte)(i * 7), i % 5).ToArray());
        file.Write(parts, 3);
        byte[] expected = [.. new byte[3], .. parts.SelectMany(p => p.ToArray())];
        Bytes(file).ShouldBe(expected.Length > 3 ? expected : []);
    }

    [Fact]
    public void A_file_can_be_synced_more_than_once()
    {
        using IDiskFile file = Disk.Create("a");
        file.Sync();
        file.Write([1], 0);
        file.Sync();
        file.Sync();
        Disk.SyncFolder("");
        Hex(file).ShouldBe("01");
    }

    [Fact]
    public void There_is_one_file_of_a_name()
    {
        Disk.Create("a").Dispose();
        Should.Throw<IOException>(() => Disk.Create("a"));
    }

    [Fact]
    public void A_file_that_does_not_exist_is_not_opened()
    {
        Should.Throw<FileNotFoundException>(() => Disk.Open("a"));
        Should.Throw<FileNotFoundException>(() => Disk.Rename("a", "b"));
    }

    [Fact]
    public void Deleting_what_does_not_exist_is_no_error()
    {
        Disk.Delete("a");
        Disk.List("").ShouldBeEmpty();
    }

    [Fact]
    public void What_is_in_no_folder_is_an_error()
    {
        Should.Throw<IOException>(() => Disk.Create("log/a"));
        Should.Throw<IOException>(() => Disk.Open("log/a"));
        Should.Throw<IOException>(() => Disk.List("log"));
        Should.Throw<IOException>(() => Disk.SyncFolder("log"));
    }

    [Fact]
    public void Files_are_listed_by_folder()
    {
        Disk.CreateFolder("log");
        Disk.CreateFolder("log");
        Disk.CreateFolder("");
        Disk.Create("a").Dispose();
        Disk.Create("log/b").Dispose();
        Disk.Create("log/c").Dispose();
        Disk.List("").ShouldBe(["a"]);
        Disk.List("log").ShouldBe(["log/b", "log/c"], ignoreOrder: true);
        Disk.SyncFolder("log");
    }

    [Fact]
    public void A_folder_does_not_take_the_name_of_a_file()
    {
        Disk.Create("log").Dispose();
        Should.Throw<IOException>(() => Disk.CreateFolder("log"));
    }

    [Fact]
    public void A_renamed_file_takes_the_place_of_another()
    {
        using (IDiskFile file = Disk.Create("new")) file.Write([1], 0);
        using IDiskFile old = Disk.Create("old");
        old.Write([2, 2], 0);
        Disk.Rename("new", "old");
        Disk.List("").ShouldBe(["old"]);
        using IDiskFile opened = Disk.Open("old");
        (Hex(opened), Hex(old)).ShouldBe(("01", "0202"));
    }

    [Fact]
    public void A_handle_follows_its_file()
    {
        using IDiskFile file = Disk.Create("a");
        Disk.Rename("a", "b");
        file.Write([5], 0);
        file.Sync();
        using (IDiskFile renamed = Disk.Open("b")) Hex(renamed).ShouldBe("05");
        Disk.Delete("b");
        file.Write([6], 1);
        Hex(file).ShouldBe("0506");
        Disk.List("").ShouldBeEmpty();
    }

    [Fact]
    public void A_file_renamed_to_itself_stays()
    {
        using (IDiskFile file = Disk.Create("a")) file.Write([1], 0);
        Disk.Rename("a", "a");
        using IDiskFile opened = Disk.Open("a");
        Hex(opened).ShouldBe("01");
    }

    [Fact]
    public void A_temporary_file_has_no_name()
    {
        using IDiskFile file = Disk.CreateTemporary("t");
        file.Write([1, 2], 0);
        Hex(file).ShouldBe("0102");
        Disk.List("").ShouldBeEmpty();
        Disk.Create("t").Dispose();
    }

    [Fact]
    public void The_lock_excludes_a_second_holder()
    {
        IDisposable held = Disk.TryLock().ShouldNotBeNull();
        Disk.TryLock().ShouldBeNull();
        held.Dispose();
        held.Dispose();
        using IDisposable again = Disk.TryLock().ShouldNotBeNull();
        Disk.TryLock().ShouldBeNull();
        Disk.List("").ShouldBe(["LOCK"]);
    }

    [Fact]
    public void A_closed_file_is_not_used()
    {
        IDiskFile file = Disk.Create("a");
        file.Dispose();
        file.Dispose();
        Should.Throw<ObjectDisposedException>(() => file.Write([1], 0));
        Should.Throw<ObjectDisposedException>(() => file.Read(new byte[1], 0));
        Should.Throw<ObjectDisposedException>(() => file.Sync());
    }

    [Fact]
    public void There_is_room() => Disk.FreeBytes.ShouldBeGreaterThan(0);

    protected static byte[] Bytes(IDiskFile file)
    {
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0).ShouldBe(bytes.Length);
        return bytes;
    }

    protected static string Hex(IDiskFile file) => Convert.ToHexString(Bytes(file));
}
