using Microsoft.Win32.SafeHandles;

namespace Harrier.Storage.Disk;

/// <summary>A directory of this machine's file system.</summary>
public sealed class RealDisk : IDisk
{
    internal const string LockName = "LOCK";

    private readonly string _root;

    /// <summary>Makes the directory if it does not exist.</summary>
    public RealDisk(string root)
    {
        _root = Path.GetFullPath(root);
        if (Directory.Exists(_root)) return;
        Translated(() => Directory.CreateDirectory(_root));
        PosixCalls.SyncFolder(Path.GetDirectoryName(_root) ?? _root); // what is synced in it should not go with its name
    }

    public long FreeBytes => new DriveInfo(_root).AvailableFreeSpace;

    public IDisposable? TryLock() => PosixCalls.TryLock(PathOf(LockName));

    public void CreateFolder(string folder) => Translated(() => Directory.CreateDirectory(PathOf(folder)));

    public IReadOnlyList<string> List(string folder) =>
        [.. Directory.EnumerateFiles(PathOf(folder)).Select(path => Path.GetRelativePath(_root, path))];

    public IDiskFile Create(string name) => Open(name, FileMode.CreateNew);

    public IDiskFile CreateTemporary(string name)
    {
        IDiskFile file = Create(name);
        Delete(name);
        return file;
    }

    public IDiskFile Open(string name) => Open(name, FileMode.Open);

    public void Rename(string from, string to) => Translated(() => File.Move(PathOf(from), PathOf(to), overwrite: true));

    public void Delete(string name) => Translated(() => File.Delete(PathOf(name)));

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
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private string PathOf(string name) => Path.Combine(_root, name);
}
