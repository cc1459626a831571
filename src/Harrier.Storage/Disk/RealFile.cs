using Microsoft.Win32.SafeHandles;

namespace Harrier.Storage.Disk;

/// <summary>A file of this machine's file system. Read and written by system calls and never mapped: a page fault on a mapped file stops the whole process.</summary>
internal sealed class RealFile(string name, SafeFileHandle handle) : IDiskFile
{
    public long Length => RandomAccess.GetLength(handle);

    public int Read(Span<byte> to, long offset)
    {
        int total = 0;
        while (total < to.Length)
        {
            int count = RandomAccess.Read(handle, to[total..], offset + total);
            if (count == 0) break;
            total += count;
        }
        return total;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(handle, bytes, offset);
        }
        catch (IOException e)
        {
            throw PosixCalls.Translate(e);
        }
    }

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
    {
        try
        {
            RandomAccess.Write(handle, parts, offset);
        }
        catch (IOException e)
        {
            throw PosixCalls.Translate(e);
        }
    }

    public void Sync() => PosixCalls.Sync(handle, name);

    public void Dispose() => handle.Dispose();
}
