using Microsoft.Win32.SafeHandles;

namespace Harrier.Storage.Disk;

/// <summary>
/// A directory of this machine's file system that is only looked at: nothing is made, changed or deleted in it, so that a directory that may not be written
/// to will do. Folders that do not exist count as empty.
/// </summary>
public sealed class ReadOnlyDisk : IDisk
{
    private readonly string _root;

    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public ReadOnlyDisk(string root)
    {
        _root = Path.GetFullPath(root);
        if (!Directory.Exists(_root)) throw new DirectoryNotFoundException("there is no such directory");
    }

    public long FreeBytes => new DriveInfo(_root).AvailableFreeSpace;

    /// <summary>Keeps brokers off the directory, but not others who only look at it; null when a broker has it.</summary>
    public IDisposable? TryLock()
    {
        string path = PathOf(RealDisk.LockName);
        return File.Exists(path) ? PosixCalls.TryLockShared(path) : new NoLock(); // no broker has ever been here
    }

    public void CreateFolder(string folder)
    {
    }

    public IReadOnlyList<string> List(string folder) =>
        Directory.Exists(PathOf(folder)) ? [.. Directory.EnumerateFiles(PathOf(folder)).Select(path => Path.GetRelativePath(_root, path))] : [];

    public IDiskFile Open(string name)
    {
        SafeFileHandle handle = File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return new RealFile(name, handle);
    }

    public IDiskFile Create(string name) => throw Refusal();

    public IDiskFile CreateTemporary(string name) => throw Refusal();

    public void Rename(string from, string to) => throw Refusal();

    public void Delete(string name) => throw Refusal();

    public void SyncFolder(string folder)
    {
    }

    private static IOException Refusal() => new("the directory is only looked at");

    private string PathOf(string name) => Path.Combine(_root, name);

    private sealed class NoLock : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
