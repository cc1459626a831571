using Microsoft.Win32.SafeHandles;

namespace Harrier.Storage.Disk;

/// <summary>A directory of this machine's file system.</summary>
public sealed class RealDisk : IDisk
{
    private const string LockName = "LOCK";

    private readonly string _root;

    /// <summary>Makes the directory if it does not exist.</summary>
    public RealDisk(string root)
    {
        _root = Path.GetFullPath(root);
        Directory.CreateDirectory(_root);
    }

    public long FreeBytes => new DriveInfo(_root).AvailableFreeSpace;

    public IDisposable? TryLock()
    {
        SafeFileHandle file = File.OpenHandle(PathOf(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (PosixCalls.TryLock(file)) return file;
        file.Dispose();
        return null;
    }

    public void CreateFolder(string folder) => Directory.CreateDirectory(PathOf(folder));

    public IReadOnlyList<string> List(string folder) =>
        [.. Directory.EnumerateFiles(PathOf(folder)).Select(path => Path.GetRelativePath(_root, path))];

    public IDiskFile Create(string name) => Open(name, FileMode.CreateNew);

    public IDiskFile CreateTemporary(string name)
    {
        IDiskFile file = Open(name, FileMode.Create);
        File.Delete(PathOf(name));
        return file;
    }

    public IDiskFile Open(string name) => Open(name, FileMode.Open);

    public void Rename(string from, string to) => Translated(() => File.Move(PathOf(from), PathOf(to), overwrite: true));

    public void Delete(string name) => File.Delete(PathOf(name));

    public void SyncFolder(string folder) => PosixCalls.SyncFolder(PathOf(folder));

    private RealFile Open(string name, FileMode mode)
    {
        SafeFileHandle? handle = null;
        // Locks between processes are the business of the directory's one lock.
        Translated(() => handle = File.OpenHandle(PathOf(name), mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
        return new RealFile(name, handle!);
    }

    private static void Translated(Action action)
    {
        try
        {
            action();
        }
        catch (IOException e) when (e is not FileNotFoundException)
        {
            throw PosixCalls.Translate(e);
        }
    }

    private string PathOf(string name) => Path.Combine(_root, name);
}
