using Harrier.Storage.Disk;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Disk;

public sealed class ReadOnlyDiskTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_directory_that_is_not_there_is_refused_and_not_made()
    {
        Should.Throw<DirectoryNotFoundException>(() => new ReadOnlyDisk(_root));
        Directory.Exists(_root).ShouldBeFalse();
    }

    [Fact]
    public void Nothing_is_made_or_changed()
    {
        var real = new RealDisk(_root);
        real.CreateFolder("log");
        using (IDiskFile file = real.Create("log/a")) file.Write([1, 2, 3], 0);
        var disk = new ReadOnlyDisk(_root);
        disk.CreateFolder("other");
        disk.List("other").ShouldBeEmpty();
        using (disk.TryLock()) disk.List("").ShouldBeEmpty();
        Should.Throw<IOException>(() => disk.Create("b"));
        Should.Throw<IOException>(() => disk.CreateTemporary("b"));
        Should.Throw<IOException>(() => disk.Delete("log/a"));
        Should.Throw<IOException>(() => disk.Rename("log/a", "log/b"));
        disk.SyncFolder("log");
        using IDiskFile found = disk.Open("log/a");
        Should.Throw<Exception>(() => found.Write([9], 0));
        byte[] bytes = new byte[3];
        found.Read(bytes, 0).ShouldBe(3);
        bytes.ShouldBe([1, 2, 3]);
        Directory.GetFileSystemEntries(_root).Length.ShouldBe(1);
    }

    [Fact]
    public void Those_who_look_and_a_broker_keep_each_other_off()
    {
        var real = new RealDisk(_root);
        var disk = new ReadOnlyDisk(_root);
        using (real.TryLock().ShouldNotBeNull()) disk.TryLock().ShouldBeNull();
        using (disk.TryLock().ShouldNotBeNull())
        {
            using (disk.TryLock().ShouldNotBeNull()) real.TryLock().ShouldBeNull();
        }
        using IDisposable? again = real.TryLock();
        again.ShouldNotBeNull();
    }
}
