using Harrier.Storage.Disk;

namespace Harrier.TestSupport;

/// <summary>
/// A disk in memory that knows what a crash may leave of it: of every sector that was not synced an old or a new version, of a growing file any length,
/// of the changes to a folder the first few. What was synced stays. Equal seeds and equal calls make equal disks. Thread-safe.
/// </summary>
public sealed partial class SimDisk : IDisk
{
    private const string LockName = "LOCK";
    private const long Unlimited = 1L << 40;

    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly SimFolder _root;
    private readonly HashSet<SimContent> _contents = [];
    private bool _isDead;
    private bool _isLocked;

    /// <summary>An empty disk that throws its dice with <paramref name="random"/>.</summary>
    public SimDisk(Random random)
        : this(random, new SimFolder())
    {
    }

    /// <summary>An empty disk with dice of its own.</summary>
    public SimDisk(int seed)
        : this(new Random(seed))
    {
    }

    private SimDisk(Random random, SimFolder root)
    {
        _random = random;
        _root = root;
        Adopt(root, "");
        foreach ((string name, SimEntry entry) in root.Entries)
            if (entry is SimFolder folder) Adopt(folder, name + "/");
    }

    public long FreeBytes
    {
        get
        {
            lock (_gate)
            {
                ThrowIfDead();
                return Math.Max(0, (CapacityBytes ?? Unlimited) - BytesUsed);
            }
        }
    }

    private long BytesUsed => _contents.Sum(content => content.BytesUsed);

    public IDisposable? TryLock()
    {
        lock (_gate)
        {
            ThrowIfDead();
            if (_isLocked) return null;
            if (_root.Find(LockName) is null)
            {
                ThrowIfReadOnly(LockName);
                AddFile(_root, LockName);
            }
            _isLocked = true;
            return new HeldLock(this);
        }
    }

    public void CreateFolder(string folder)
    {
        if (folder.Length == 0) return;
        if (folder.Contains('/')) throw new ArgumentException($"{folder}: one level of folders is all there is", nameof(folder));
        Reach(DiskPointKind.CreateFolder, folder);
        lock (_gate)
        {
            ThrowIfDead();
            if (_root.Find(folder) is SimFolder) return;
            ThrowIfReadOnly(folder);
            if (_root.Find(folder) is not null) throw new IOException($"{folder}: a file has that name");
            _root.Add(folder, new SimFolder());
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        lock (_gate)
        {
            ThrowIfDead();
            string prefix = folder.Length == 0 ? "" : folder + "/";
            return [.. FolderOf(folder).Entries.Where(e => e.Value is SimContent).Select(e => prefix + e.Key)];
        }
    }

    public IDiskFile Create(string name)
    {
        Reach(DiskPointKind.Create, name);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(name);
            (SimFolder folder, string file) = Place(name);
            if (folder.Find(file) is not null) throw new IOException($"{name}: there is one already");
            return Handle(AddFile(folder, name));
        }
    }

    public IDiskFile CreateTemporary(string name)
    {
        Reach(DiskPointKind.Create, name);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(name);
            (SimFolder folder, string file) = Place(name);
            if (folder.Find(file) is not null) throw new IOException($"{name}: there is one already");
            var content = new SimContent(name) { IsLinked = false, IsTemporary = true };
            _contents.Add(content);
            return Handle(content);
        }
    }

    public IDiskFile Open(string name)
    {
        lock (_gate)
        {
            ThrowIfDead();
            return Handle(Existing(name));
        }
    }

    public void Rename(string from, string to)
    {
        Reach(DiskPointKind.Rename, from);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(from);
            SimContent content = Existing(from);
            (SimFolder folder, string file) = Place(to);
            (SimFolder oldFolder, string oldFile) = Place(from);
            // Two folders have two journals here, and half of a rename is nothing that a file system would show.
            if (folder != oldFolder) throw new NotSupportedException($"{from} to {to}: a rename stays within a folder");
            if (folder.Find(file) is SimFolder) throw new IOException($"{to}: a folder has that name");
            if (file == oldFile) return;
            if (folder.Find(file) is SimContent replaced) Unlink(replaced);
            folder.Rename(oldFile, file);
            content.Name = to;
        }
    }

    public void Delete(string name)
    {
        Reach(DiskPointKind.Delete, name);
        lock (_gate)
        {
            ThrowIfDead();
            (SimFolder folder, string file) = Place(name);
            if (folder.Find(file) is not SimContent content) return;
            ThrowIfReadOnly(name);
            Unlink(content);
            folder.Remove(file);
        }
    }

    public void SyncFolder(string folder)
    {
        Reach(DiskPointKind.SyncFolder, folder);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(folder);
            SimFolder found = FolderOf(folder);
            if (FailSync?.Invoke(folder) == true) throw new IOException($"fsync of {folder} failed: Input/output error");
            found.Sync();
            FolderSyncs++;
        }
    }

    internal int LengthOf(SimContent content)
    {
        lock (_gate)
        {
            ThrowIfDead();
            return content.Length;
        }
    }

    internal int Read(SimContent content, Span<byte> to, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        lock (_gate)
        {
            ThrowIfDead();
            if (offset >= content.Length) return 0;
            int count = (int)Math.Min(to.Length, content.Length - offset);
            content.Bytes.Slice((int)offset, count).CopyTo(to);
            return count;
        }
    }

    internal void Write(SimContent content, ReadOnlySpan<byte> bytes, long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Reach(DiskPointKind.Write, content.Name);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(content.Name);
            if (FailWrite?.Invoke(content.Name) == true) throw new IOException($"write of {content.Name} failed: Input/output error");
            if (CapacityBytes is { } capacity && content.BytesToTake(offset, bytes.Length) is > 0 and var more && BytesUsed + more > capacity)
                throw new DiskFullException($"write of {content.Name} failed: No space left on device");
            content.Write(bytes, offset);
            Writes++;
            BytesWritten += bytes.Length;
        }
    }

    internal void Sync(SimContent content)
    {
        Reach(DiskPointKind.Sync, content.Name);
        lock (_gate)
        {
            ThrowIfDead();
            ThrowIfReadOnly(content.Name);
            if (FailSync?.Invoke(content.Name) == true)
            {
                content.FailSync(new SimCrash(_random, GarbageChance));
                throw new IOException($"fdatasync of {content.Name} failed: Input/output error");
            }
            content.Sync();
            Syncs++;
        }
    }

    internal void Close(SimContent content)
    {
        lock (_gate)
        {
            content.HandleCount--;
            Release(content);
        }
    }

    private void Adopt(SimFolder folder, string prefix)
    {
        foreach ((string name, SimEntry entry) in folder.Entries)
        {
            if (entry is not SimContent content) continue;
            content.Name = prefix + name;
            _contents.Add(content);
        }
    }

    private SimFile Handle(SimContent content)
    {
        content.HandleCount++;
        return new SimFile(this, content);
    }

    private SimContent AddFile(SimFolder folder, string name)
    {
        var content = new SimContent(name);
        _contents.Add(content);
        folder.Add(name[(name.IndexOf('/') + 1)..], content);
        return content;
    }

    private void Unlink(SimContent content)
    {
        content.IsLinked = false;
        Release(content);
    }

    // The space of a file comes back with its last name and its last handle.
    private void Release(SimContent content)
    {
        if (!content.IsLinked && content.HandleCount == 0) _contents.Remove(content);
    }

    private SimContent Existing(string name)
    {
        (SimFolder folder, string file) = Place(name);
        return folder.Find(file) as SimContent ?? throw new FileNotFoundException($"{name} does not exist", name);
    }

    private (SimFolder Folder, string File) Place(string name)
    {
        int slash = name.IndexOf('/');
        string file = name[(slash + 1)..];
        if (file.Length == 0 || file.Contains('/')) throw new ArgumentException($"'{name}' is no name of a file", nameof(name));
        return (FolderOf(slash < 0 ? "" : name[..slash]), file);
    }

    private SimFolder FolderOf(string folder) =>
        folder.Length == 0 ? _root : _root.Find(folder) as SimFolder ?? throw new DirectoryNotFoundException($"{folder} does not exist");

    private sealed class HeldLock(SimDisk disk) : IDisposable
    {
        private bool _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, true)) return;
            lock (disk._gate) disk._isLocked = false;
        }
    }
}
