using Harrier.Storage.Disk;

namespace Harrier.Storage.Segments;

/// <summary>A segment file as a manifest names it.</summary>
public readonly record struct SegmentEntry(ulong Number, long Length);

/// <summary>The segment files of a data directory. Owned by the checkpointer.</summary>
public sealed class SegmentSet : IDisposable
{
    /// <summary>Bytes by which a new file is held on to until everything that refers to it does so, and the holder releases them.</summary>
    public const long Hold = 1;

    // Files that are small or mostly superfluous are put together once there are so many: their number should not grow with the age of the broker.
    private const int SparseCountMin = 16;
    private const long SmallBytes = 1 << 20;

    // At a time, so that a checkpoint stays short and needs little space; the rest is for the next ones.
    private const long MovedBytesMax = 256 << 20;

    private readonly IDisk _disk;
    private readonly Dictionary<ulong, SegmentFile> _files = [];
    private readonly List<SegmentFile> _temporary = [];
    private ulong _nextNumber;

    public SegmentSet(IDisk disk, ulong nextNumber)
    {
        _disk = disk;
        _nextNumber = nextNumber;
        disk.CreateFolder(SegmentFormat.Folder);
        disk.SyncFolder("");
    }

    /// <summary>The number of the next file. Numbers are never used again.</summary>
    public ulong NextNumber => _nextNumber;

    /// <summary>Bytes of files in which nothing is needed any more, those without a name included.</summary>
    public long DeadBytes => _files.Values.Concat(_temporary).Where(f => f.LiveBytes == 0).Sum(f => f.Length);

    /// <summary>What a manifest has to name.</summary>
    public IEnumerable<SegmentEntry> Entries => _files.Values.Select(f => new SegmentEntry(f.Number, f.Length));

    /// <summary>The files in which nothing is needed now. They can be deleted once no manifest names them.</summary>
    public IReadOnlyList<SegmentFile> FindDead() => [.. _files.Values.Concat(_temporary).Where(f => f.LiveBytes == 0)];

    /// <summary>The files whose rest is worth being put together in one, or none while there are few of them.</summary>
    public IReadOnlySet<SegmentFile> FindSparse()
    {
        List<SegmentFile> sparse = [.. _files.Values.Where(f => f.LiveBytes > 0 && !f.IsDamaged && (f.Length < SmallBytes || f.LiveBytes < f.Length / 4))];
        HashSet<SegmentFile> chosen = [];
        if (sparse.Count < SparseCountMin) return chosen;
        long bytes = 0;
        foreach (SegmentFile file in sparse.OrderBy(f => f.Length))
        {
            bytes += file.Length; // of which a queue's run may be all
            if (bytes > MovedBytesMax && chosen.Count > 0) break;
            chosen.Add(file);
        }
        return chosen;
    }

    /// <summary>Opens a file that the manifest names. Throws <see cref="DataDamagedException"/> when it is missing, shorter than it was or not that file.</summary>
    public SegmentFile Open(SegmentEntry entry)
    {
        string name = SegmentFormat.NameOf(entry.Number);
        IDiskFile disk;
        try
        {
            disk = _disk.Open(name);
        }
        catch (FileNotFoundException e)
        {
            throw new DataDamagedException($"{name} is missing", e);
        }
        if (disk.Length < entry.Length) throw new DataDamagedException($"{name} has {disk.Length} bytes; {entry.Length} were written and synced");
        Span<byte> header = stackalloc byte[SegmentFormat.FileHeaderSize];
        SegmentFormat.CheckFileHeader(header[..disk.Read(header, 0)], entry.Number);
        var file = new SegmentFile(entry.Number, disk, isTemporary: false) { Length = entry.Length };
        _files.Add(entry.Number, file);
        return file;
    }

    /// <summary>Begins a file.</summary>
    public SegmentWriter Create(bool isTemporary)
    {
        ulong number = _nextNumber++;
        string name = SegmentFormat.NameOf(number);
        var file = new SegmentFile(number, isTemporary ? _disk.CreateTemporary(name) : _disk.Create(name), isTemporary);
        file.Retain(Hold);
        return new SegmentWriter(file);
    }

    /// <summary>Takes up a file that is complete; its name is durable afterwards.</summary>
    public void Add(SegmentFile file)
    {
        if (file.IsTemporary)
        {
            _temporary.Add(file);
            return;
        }
        _disk.SyncFolder(SegmentFormat.Folder);
        _files.Add(file.Number, file);
    }

    /// <summary>Gives up a file that could not be completed.</summary>
    public void Abandon(SegmentFile file)
    {
        file.Close();
        if (!file.IsTemporary) _disk.Delete(SegmentFormat.NameOf(file.Number));
    }

    /// <summary>Deletes files that no manifest names any more.</summary>
    public void Delete(IEnumerable<SegmentFile> files)
    {
        foreach (SegmentFile file in files)
        {
            file.Close();
            if (file.IsTemporary) _temporary.Remove(file);
            else if (_files.Remove(file.Number)) _disk.Delete(SegmentFormat.NameOf(file.Number));
        }
    }

    /// <summary>Deletes every file that the last manifest did not name.</summary>
    public void DeleteUnnamed()
    {
        foreach (string name in _disk.List(SegmentFormat.Folder))
            if (SegmentFormat.NumberOf(name) is not { } number || !_files.ContainsKey(number)) _disk.Delete(name);
    }

    public void Dispose()
    {
        foreach (SegmentFile file in _files.Values.Concat(_temporary)) file.Close();
    }
}
