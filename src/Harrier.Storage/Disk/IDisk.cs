namespace Harrier.Storage.Disk;

/// <summary>
/// The data directory, as the storage engine sees it. Names are relative, with forward slashes and at most one folder ("log/00.log"). Everything that
/// fails throws an <see cref="IOException"/>; what failed for want of space throws a <see cref="DiskFullException"/>. Thread-safe.
/// </summary>
public interface IDisk
{
    /// <summary>Bytes that can still be written.</summary>
    long FreeBytes { get; }

    /// <summary>Keeps every other process off this directory until it is disposed of; null when another has it.</summary>
    IDisposable? TryLock();

    /// <summary>Makes a folder, if it does not exist.</summary>
    void CreateFolder(string folder);

    /// <summary>The names of the files in a folder ("" for the directory itself), in no order.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>A new, empty file. Throws when there is one of that name.</summary>
    IDiskFile Create(string name);

    /// <summary>A new file that has no name any more: it is gone with its last handle, whatever happens.</summary>
    IDiskFile CreateTemporary(string name);

    /// <summary>A file that exists, for reading and writing. Throws <see cref="FileNotFoundException"/> when it does not.</summary>
    IDiskFile Open(string name);

    /// <summary>Renames a file, in place of one that may have the name.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file.</summary>
    void Delete(string name);

    /// <summary>Makes creations, renames and deletions in a folder durable. Until then a crash may undo them.</summary>
    void SyncFolder(string folder);
}

/// <summary>
/// An open file. Whatever was written and not synced may be lost in a crash, in part and in any order. Reads and writes may come from any thread.
/// </summary>
public interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads from an offset; fewer bytes than asked for only at the end of the file.</summary>
    int Read(Span<byte> to, long offset);

    /// <summary>Writes at an offset; the file grows when it has to.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Writes parts one after the other, with as few system calls as it takes.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset);

    /// <summary>
    /// Makes all that was written durable. An error means that nobody knows what is on the disk: it must not be tried again (a second try would succeed
    /// without having written anything).
    /// </summary>
    void Sync();
}

/// <summary>There is no space left. Nothing is damaged.</summary>
public sealed class DiskFullException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>What is on the disk is not what was written and synced, or was written by something newer. The message is for the operator.</summary>
public sealed class DataDamagedException(string message, Exception? inner = null) : Exception(message, inner);
