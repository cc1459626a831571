using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Log;

/// <summary>File systems that find out at the sync that there is no space: what was written is lost, and a second sync would say that all is well.</summary>
public class FullSyncTests
{
    [Fact]
    public void A_sync_that_fails_for_want_of_space_is_not_tried_again()
    {
        var disk = new SimDisk(1);
        using var bench = new LogBench(new FullDisk(disk, () => _isFull));
        bench.Append(1);
        _isFull = true;
        Should.Throw<IOException>(() => bench.Log.Commit());
        _isFull = false;
        Should.Throw<InvalidOperationException>(() => bench.Log.Commit());
        bench.Log.Durable.ShouldBe(0);
    }

    private bool _isFull;

    private sealed class FullDisk(SimDisk disk, Func<bool> isFull) : IDisk
    {
        public long FreeBytes => disk.FreeBytes;

        public IDisposable? TryLock() => disk.TryLock();

        public void CreateFolder(string folder) => disk.CreateFolder(folder);

        public IReadOnlyList<string> List(string folder) => disk.List(folder);

        public IDiskFile Create(string name) => new FullFile(disk.Create(name), isFull);

        public IDiskFile CreateTemporary(string name) => disk.CreateTemporary(name);

        public IDiskFile Open(string name) => new FullFile(disk.Open(name), isFull);

        public void Rename(string from, string to) => disk.Rename(from, to);

        public void Delete(string name) => disk.Delete(name);

        public void SyncFolder(string folder) => disk.SyncFolder(folder);
    }

    private sealed class FullFile(IDiskFile file, Func<bool> isFull) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> to, long offset) => file.Read(to, offset);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => file.Write(bytes, offset);

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset) => file.Write(parts, offset);

        public void Sync()
        {
            if (isFull()) throw new DiskFullException("fdatasync failed: No space left on device");
            file.Sync();
        }

        public void Dispose() => file.Dispose();
    }
}
