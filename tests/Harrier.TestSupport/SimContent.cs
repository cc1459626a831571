namespace Harrier.TestSupport;

/// <summary>
/// The bytes of a file: those that a process reads, those that are durable, and every version of every sector that was written in between. The
/// <see cref="SimDisk"/> that it belongs to guards it.
/// </summary>
internal sealed class SimContent(string name) : SimEntry
{
    public const int SectorSize = 512;

    private readonly Dictionary<int, List<ReadOnlyMemory<byte>>> _unsynced = [];
    private readonly List<bool> _isAllocated = [];
    private int _allocatedCount;
    private byte[] _live = []; // both in whole sectors, zero beyond the length
    private byte[] _durable = [];
    private int _durableLength;

    /// <summary>The last name that it had.</summary>
    public string Name { get; set; } = name;

    public int HandleCount { get; set; }

    public bool IsLinked { get; set; } = true;

    /// <summary>It never had a name, so that no crash leaves anything of it.</summary>
    public bool IsTemporary { get; init; }

    public int Length { get; private set; }

    /// <summary>Bytes of space that it takes: what was never written takes none.</summary>
    public long BytesUsed => BytesIn(_allocatedCount, Length, Length > 0 && _isAllocated[^1]);

    public ReadOnlySpan<byte> Bytes => _live.AsSpan(0, Length);

    /// <summary>How much more space a write would take.</summary>
    public long BytesToTake(long offset, int size)
    {
        long end = offset + size;
        if (size == 0 || end > Array.MaxLength) return size;
        int first = (int)(offset / SectorSize), last = (int)((end - 1) / SectorSize), count = _allocatedCount;
        for (int sector = first; sector <= last; sector++)
            if (sector >= _isAllocated.Count || !_isAllocated[sector]) count++;
        bool isEndAllocated = last >= _isAllocated.Count - 1 || _isAllocated[^1];
        return BytesIn(count, Math.Max(Length, end), isEndAllocated) - BytesUsed;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (bytes.IsEmpty) return;
        if (offset + bytes.Length > Array.MaxLength - SectorSize) throw new IOException($"{Name}: a simulated file is not that large");
        int end = (int)offset + bytes.Length;
        if (end > Length) Grow(end);
        bytes.CopyTo(_live.AsSpan((int)offset));
        KeepVersions((int)offset, end);
        for (int sector = (int)offset / SectorSize; sector < SectorsIn(end); sector++) SetAllocated(sector, true);
    }

    public void Sync()
    {
        Array.Resize(ref _durable, _live.Length);
        foreach (int sector in _unsynced.Keys) Sector(_live, sector).CopyTo(Sector(_durable, sector));
        _durableLength = Length;
        _unsynced.Clear();
    }

    /// <summary>
    /// What a kernel does when a sync fails: nobody knows what has reached the disk, and what has not is never tried again, although it can still be read.
    /// </summary>
    public void FailSync(SimCrash crash)
    {
        (_durable, _durableLength) = Outcome(crash);
        _unsynced.Clear();
    }

    /// <summary>Damages what is on the disk.</summary>
    public void Corrupt(int offset, byte xorMask)
    {
        if (offset < 0 || offset >= Length) throw new ArgumentOutOfRangeException(nameof(offset));
        _live[offset] ^= xorMask;
        if (offset < _durableLength) _durable[offset] ^= xorMask;
    }

    /// <summary>Cuts the file off, durably.</summary>
    public void Truncate(int length)
    {
        if (length < 0 || length > Length) throw new ArgumentOutOfRangeException(nameof(length));
        _live.AsSpan(length).Clear();
        for (int sector = SectorsIn(length); sector < _isAllocated.Count; sector++) SetAllocated(sector, false);
        _isAllocated.RemoveRange(SectorsIn(length), _isAllocated.Count - SectorsIn(length));
        Length = length;
        Sync();
        _live.CopyTo(_durable, 0);
    }

    public override SimContent Survivor(SimCrash? crash)
    {
        (byte[] bytes, int length) = Outcome(crash);
        var survivor = new SimContent(Name) { _live = bytes, _durable = [.. bytes], Length = length, _durableLength = length };
        for (int sector = 0; sector < SectorsIn(length); sector++)
        {
            bool isHole = (sector >= _isAllocated.Count || !_isAllocated[sector]) && !Sector(bytes, sector).ContainsAnyExcept((byte)0);
            survivor._isAllocated.Add(!isHole);
            if (!isHole) survivor._allocatedCount++;
        }
        return survivor;
    }

    private static long BytesIn(int sectors, long length, bool isEndAllocated) =>
        ((long)sectors * SectorSize) - (isEndAllocated ? (SectorSize - (length % SectorSize)) % SectorSize : 0);

    private static int SectorsIn(int length) => (length + SectorSize - 1) / SectorSize;

    private static Span<byte> Sector(byte[] bytes, int sector) => bytes.AsSpan(sector * SectorSize, SectorSize);

    private (byte[] Bytes, int Length) Outcome(SimCrash? crash)
    {
        int length = crash is null ? _durableLength : LengthAfter(crash.Random);
        byte[] bytes = new byte[SectorsIn(length) * SectorSize];
        _durable.AsSpan(0, Math.Min(_durable.Length, bytes.Length)).CopyTo(bytes);
        if (crash is not null) Survive(crash, bytes);
        bytes.AsSpan(length).Clear();
        return (bytes, length);
    }

    // All, nothing and everything between: that all of many sectors survive, no series of coins would ever say.
    private void Survive(SimCrash crash, byte[] bytes)
    {
        Random random = crash.Random;
        double chance = random.Next(4) switch { 0 => 0, 1 => 1, _ => random.NextDouble() };
        foreach ((int sector, List<ReadOnlyMemory<byte>> versions) in _unsynced.OrderBy(s => s.Key))
        {
            bool isGarbage = crash.GarbageChance > 0 && random.NextDouble() < crash.GarbageChance;
            bool isKept = random.NextDouble() < chance;
            bool isLast = chance >= 1 || random.Next(2) == 0;
            ReadOnlyMemory<byte> version = isLast ? versions[^1] : versions[random.Next(versions.Count)];
            if ((sector + 1) * SectorSize > bytes.Length) continue;
            if (isGarbage) random.NextBytes(Sector(bytes, sector));
            else if (isKept) version.Span.CopyTo(Sector(bytes, sector));
        }
    }

    private int LengthAfter(Random random)
    {
        int shorter = Math.Min(_durableLength, Length);
        return random.Next(3) switch { 0 => shorter, 1 => Length, _ => random.Next(shorter, Length + 1) };
    }

    private void Grow(int length)
    {
        int size = SectorsIn(length) * SectorSize;
        if (size > _live.Length) Array.Resize(ref _live, Math.Max(size, (int)Math.Min(Array.MaxLength / SectorSize * (long)SectorSize, _live.Length * 2L)));
        while (_isAllocated.Count < SectorsIn(length)) _isAllocated.Add(false);
        Length = length;
    }

    private void KeepVersions(int from, int to)
    {
        if (IsTemporary) return;
        int first = from / SectorSize, count = SectorsIn(to) - first;
        ReadOnlyMemory<byte> written = _live.AsMemory(first * SectorSize, count * SectorSize).ToArray();
        for (int i = 0; i < count; i++)
        {
            if (!_unsynced.TryGetValue(first + i, out List<ReadOnlyMemory<byte>>? versions)) _unsynced.Add(first + i, versions = []);
            versions.Add(written.Slice(i * SectorSize, SectorSize));
        }
    }

    private void SetAllocated(int sector, bool isAllocated)
    {
        if (_isAllocated[sector] == isAllocated) return;
        _isAllocated[sector] = isAllocated;
        _allocatedCount += isAllocated ? 1 : -1;
    }
}
