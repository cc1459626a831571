using System.Diagnostics.CodeAnalysis;
using Harrier.Storage.Disk;

namespace Harrier.Storage.Log;

/// <summary>
/// The files of the log: one that is written, those before it that a checkpoint has not made superfluous yet, and spare ones that are zeroed and named
/// ahead of time, for overwriting is what a disk does fastest. Thread-safe: the log's thread writes and rolls, the checkpointer prepares and retires.
/// </summary>
internal sealed class LogFiles : IDisposable
{
    /// <summary>Files that are kept ready: the second lets acknowledgements go on while publishers are held back because there is no space for a third.</summary>
    public const int SparesMax = 2;

    private const int ZeroBlockSize = 1 << 20;

    private readonly IDisk _disk;
    private readonly long _fileBytes;
    private readonly Lock _gate = new();
    private readonly Queue<(ulong Number, IDiskFile File)> _spares = new();
    private readonly Queue<(ulong Number, IDiskFile File)> _full = new();
    // Held while files are made and renamed, on purpose: nobody waits for it but a log that has no file to write to.
    private readonly Lock _preparing = new();
    private readonly LogFilePoint _first;
    private ulong _nextNumber;
    private (ulong Number, IDiskFile File)? _current;
    private volatile int _liveCount = 1;
    private bool _hasHeader;
    private long _previousEnd;

    /// <param name="disk">Where they are.</param>
    /// <param name="fileBytes">Bytes of each.</param>
    /// <param name="first">The first; files of lower numbers belong to the past.</param>
    public LogFiles(IDisk disk, long fileBytes, LogFilePoint first)
    {
        _disk = disk;
        _fileBytes = fileBytes;
        _first = first;
        _nextNumber = first.Number;
        Start = first.Start;
    }

    /// <summary>The file that is being written, or will be first.</summary>
    public LogFilePoint Current
    {
        get
        {
            lock (_gate) return new LogFilePoint(_current?.Number ?? _first.Number, Start, Salt);
        }
    }

    /// <summary>Files that hold frames and have not been retired.</summary>
    public int LiveCount => _liveCount;

    /// <summary>Files that are ready.</summary>
    public int SpareCount
    {
        get
        {
            lock (_gate) return _spares.Count;
        }
    }

    /// <summary>What every frame carries.</summary>
    public uint Salt => _first.Salt;

    /// <summary>The position of the current file's first byte.</summary>
    public long Start { get; private set; }

    /// <summary>Where the next frame goes, in the current file.</summary>
    public long Offset { get; private set; } = LogFormat.FileHeaderSize;

    /// <summary>The position of the next frame.</summary>
    public long Position => Start + Offset;

    /// <summary>Makes room for a frame; rolls to the next file when the current one is full. Throws <see cref="DiskFullException"/> when there is none to roll to.</summary>
    public void MakeRoom(int size)
    {
        bool isFirst = _current is null;
        // A frame larger than a file makes its file larger.
        if (!isFirst && (Offset + size <= _fileBytes || Offset == LogFormat.FileHeaderSize)) return;
        EnsureSpare();
        lock (_gate)
        {
            if (_current is { } full)
            {
                _full.Enqueue(full);
                _liveCount = _full.Count + 1;
                _previousEnd = Position;
                Start += Math.Max(_fileBytes, Offset);
            }
            _current = _spares.Dequeue();
            Offset = LogFormat.FileHeaderSize;
            _hasHeader = false;
        }
    }

    /// <summary>Writes a frame at <see cref="Position"/>, with the file's header if it is the first, and makes it durable.</summary>
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, int size)
    {
        (ulong number, IDiskFile file) = _current!.Value;
        if (!_hasHeader)
        {
            byte[] header = new byte[LogFormat.FileHeaderSize];
            LogFormat.WriteFileHeader(header, new LogFileHeader(number, Start, _previousEnd));
            file.Write(header, 0);
            _hasHeader = true;
        }
        file.Write(parts, Offset);
        Sync(file);
        Offset += size;
    }

    /// <summary>Has a spare file ready for the next roll. May take as long as writing one.</summary>
    public void EnsureSpare()
    {
        if (SpareCount > 0) return; // only who asks takes them
        lock (_preparing)
        {
            if (SpareCount == 0) Prepare();
        }
    }

    /// <summary>Deletes the last of several spare files.</summary>
    public bool TryDropSpare()
    {
        lock (_preparing)
        {
            (ulong Number, IDiskFile File) last;
            lock (_gate)
            {
                if (_spares.Count < 2) return false;
                last = _spares.Last();
                (ulong Number, IDiskFile File)[] kept = [.. _spares.SkipLast(1)];
                _spares.Clear();
                foreach ((ulong Number, IDiskFile File) spare in kept) _spares.Enqueue(spare);
                _nextNumber = last.Number;
            }
            Drop(last.Number, last.File);
            _disk.SyncFolder(LogFormat.Folder);
            return true;
        }
    }

    /// <summary>Makes another spare file.</summary>
    public void AddSpare()
    {
        lock (_preparing) Prepare();
    }

    /// <summary>Makes spares of the files below a number, or deletes them when there are enough.</summary>
    public void Retire(ulong below)
    {
        lock (_preparing)
        {
            while (TryTakeFull(below, out ulong number, out IDiskFile? file))
            {
                if (SpareCount < SparesMax && file.Length == _fileBytes) Reuse(number, file);
                else Drop(number, file);
            }
            _disk.SyncFolder(LogFormat.Folder);
        }
    }

    /// <summary>Deletes the files of the log before this one.</summary>
    public void DeleteOlder()
    {
        foreach (string name in _disk.List(LogFormat.Folder))
            if (LogFormat.NumberOf(name) is { } number && number < _first.Number) _disk.Delete(name);
        _disk.SyncFolder(LogFormat.Folder);
    }

    public void Dispose()
    {
        _current?.File.Dispose();
        foreach ((_, IDiskFile file) in _full) file.Dispose();
        foreach ((_, IDiskFile file) in _spares) file.Dispose();
    }

    private bool TryTakeFull(ulong below, out ulong number, [NotNullWhen(true)] out IDiskFile? file)
    {
        lock (_gate)
        {
            (number, file) = (0, null);
            if (_full.Count == 0 || _full.Peek().Number >= below) return false;
            (number, file) = _full.Dequeue();
            _liveCount = _full.Count + 1;
            return true;
        }
    }

    // The name says a number that the header inside does not: a file that has not begun.
    private void Reuse(ulong number, IDiskFile file)
    {
        ulong next = _nextNumber;
        _disk.Rename(LogFormat.NameOf(number), LogFormat.NameOf(next));
        _disk.SyncFolder(LogFormat.Folder);
        lock (_gate)
        {
            _nextNumber++;
            _spares.Enqueue((next, file));
        }
    }

    private void Drop(ulong number, IDiskFile file)
    {
        file.Dispose();
        _disk.Delete(LogFormat.NameOf(number));
    }

    // Some file systems find only now that there is no space. What was written is lost then, and another sync would not tell: that is no want of space to wait for.
    private static void Sync(IDiskFile file)
    {
        try
        {
            file.Sync();
        }
        catch (DiskFullException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private void Prepare()
    {
        ulong number = _nextNumber; // changed under the lock of preparing only
        IDiskFile file = Create(LogFormat.NameOf(number));
        lock (_gate)
        {
            _nextNumber++;
            _spares.Enqueue((number, file));
        }
    }

    private IDiskFile Create(string name)
    {
        IDiskFile file = _disk.Create(name);
        try
        {
            byte[] zeros = new byte[Math.Min(ZeroBlockSize, _fileBytes)];
            for (long at = 0; at < _fileBytes; at += zeros.Length) file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, _fileBytes - at)), at);
            file.Sync();
            _disk.SyncFolder(LogFormat.Folder);
            return file;
        }
        catch
        {
            file.Dispose();
            _disk.Delete(name);
            throw;
        }
    }
}
