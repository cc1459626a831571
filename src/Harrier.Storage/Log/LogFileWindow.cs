using Harrier.Storage.Disk;

namespace Harrier.Storage.Log;

/// <summary>Reads a file from the front to the back in large pieces.</summary>
internal sealed class LogFileWindow(IDiskFile file) : IDisposable
{
    private const int WindowSize = 1 << 20;

    private byte[] _bytes = new byte[Math.Min(WindowSize, file.Length)];
    private long _at;
    private int _count;

    public long Length { get; } = file.Length;

    /// <summary>The bytes at an offset; fewer than asked for only at the end of the file. Good until the next call.</summary>
    public ReadOnlySpan<byte> Peek(long offset, int size)
    {
        if (offset < _at || offset + size > _at + _count)
        {
            if (_bytes.Length < size) _bytes = new byte[size];
            _at = offset;
            _count = file.Read(_bytes, offset);
        }
        int from = (int)(offset - _at);
        return _bytes.AsSpan(from, Math.Max(0, Math.Min(size, _count - from)));
    }

    public void Dispose() => file.Dispose();
}
