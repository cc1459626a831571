using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Harrier.Storage.Disk;

/// <summary>
/// What .NET does not offer, or offers with errors left out: its own flush takes EROFS, EINVAL and ENOTSUP for success, so that a confirm could be sent for
/// what a file system gone read-only has dropped.
/// </summary>
internal static partial class PosixCalls
{
    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int ReadWrite = 2; // O_RDWR
    private const int CreateIfMissing = 0x40; // O_CREAT
    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int WouldBlock = 11; // EWOULDBLOCK
    private const int Interrupted = 4; // EINTR
    private const int NoSpace = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FullSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    /// <summary>Makes a file's contents durable.</summary>
    public static void Sync(SafeFileHandle file, string name)
    {
        while (DataSync(file) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted) throw Failure("fdatasync", name, error);
        }
    }

    /// <summary>Makes the entries of a folder durable.</summary>
    public static void SyncFolder(string path)
    {
        using SafeFileHandle folder = Open(path, CloseOnExec);
        while (FullSync(folder) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted) throw Failure("fsync", path, error);
        }
    }

    /// <summary>
    /// Opens a file, making it if it has to, and takes its lock; null when somebody else has it. .NET's own opening takes a lock too, which would be in the way.
    /// </summary>
    public static SafeFileHandle? TryLock(string path) => TryLock(path, ReadWrite | CreateIfMissing | CloseOnExec, LockExclusive);

    /// <summary>Takes the lock of a file that exists along with others who do the same; null when somebody has it alone. The file need not be writable.</summary>
    public static SafeFileHandle? TryLockShared(string path) => TryLock(path, CloseOnExec, LockShared);

    private static SafeFileHandle? TryLock(string path, int flags, int operation)
    {
        SafeFileHandle file = Open(path, flags);
        if (Flock(file, operation | LockNonBlocking) == 0) return file;
        int error = Marshal.GetLastPInvokeError();
        file.Dispose();
        return error == WouldBlock ? null : throw Failure("flock", path, error);
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        const int OwnerAndReaders = 0x1A4; // rw-r--r--
        int descriptor = Open(path, flags, OwnerAndReaders);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>The exception for an error number.</summary>
    public static IOException Failure(string call, string name, int error)
    {
        string text = $"{call} of {name} failed: {Marshal.GetPInvokeErrorMessage(error)} (error {error})";
        return error is NoSpace or QuotaExceeded ? new DiskFullException(text) : new IOException(text, error);
    }

    /// <summary>An exception of .NET's own calls, as ours when it is about space.</summary>
    public static IOException Translate(IOException e) =>
        (e.HResult & 0xFFFF) is NoSpace or QuotaExceeded || e.HResult == DiskFullResult ? new DiskFullException(e.Message, e) : e;

    private const int DiskFullResult = unchecked((int)0x80070070);
}
