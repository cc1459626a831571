using Harrier.Storage.Disk;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Disk;

/// <summary>The contract on this machine's file system, and what only that has.</summary>
public sealed class RealDiskTests : DiskContract, IDisposable
{
    private readonly string _root = Path.Combine(Directory.CreateTempSubdirectory("harrier-disk-").FullName, "data");

    public RealDiskTests() => Disk = new RealDisk(_root);

    protected override IDisk Disk { get; }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_root)!, recursive: true);

    [Fact]
    public void The_directory_is_made() => Directory.Exists(_root).ShouldBeTrue();

    [Fact]
    public void Files_are_where_they_are_looked_for()
    {
        Disk.CreateFolder("log");
        using (IDiskFile file = Disk.Create("log/a")) file.Write([1, 2], 0);
        File.ReadAllBytes(Path.Combine(_root, "log", "a")).ShouldBe([1, 2]);
    }

    [Fact]
    public void The_lock_holds_for_another_object_of_the_same_directory()
    {
        var other = new RealDisk(_root);
        using (IDisposable held = Disk.TryLock().ShouldNotBeNull()) other.TryLock().ShouldBeNull();
        using IDisposable taken = other.TryLock().ShouldNotBeNull();
        Disk.TryLock().ShouldBeNull();
    }

    /// <summary>The device that is always full: what its writes fail with is what they fail with on a full file system.</summary>
    [Fact]
    public void A_full_disk_is_told_apart_from_a_broken_one()
    {
        using IDiskFile full = new RealDisk("/dev").Open("full");
        Should.Throw<DiskFullException>(() => full.Write([1], 0));
        Should.Throw<DiskFullException>(() => full.Write([new byte[] { 1 }, new byte[] { 2 }], 0));
    }

    /// <summary>A device without a disk cannot be synced; .NET's own flush would call that a success.</summary>
    [Fact]
    public void A_sync_that_does_nothing_is_an_error()
    {
        using IDiskFile device = new RealDisk("/dev").Open("null");
        Should.Throw<IOException>(device.Sync);
    }
}
