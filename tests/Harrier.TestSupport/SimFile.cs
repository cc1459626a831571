using Harrier.Storage.Disk;

namespace Harrier.TestSupport;

/// <summary>An open file of a <see cref="SimDisk"/>.</summary>
internal sealed class SimFile(SimDisk disk, SimContent content) : IDiskFile
{
    private bool _isDisposed;

    public long Length => disk.LengthOf(Open());

    public int Read(Span<byte> to, long offset) => disk.Read(Open(), to, offset);

    public void Write(ReadOnlySpan<byte> bytes, long offset) => disk.Write(Open(), bytes, offset);

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
    {
        byte[] bytes = new byte[parts.Sum(part => part.Length)];
        int at = 0;
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            part.CopyTo(bytes.AsMemory(at));
            at += part.Length;
        }
        disk.Write(Open(), bytes, offset);
    }

    public void Sync() => disk.Sync(Open());

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        disk.Close(content);
    }

    private SimContent Open()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        return content;
    }
}
