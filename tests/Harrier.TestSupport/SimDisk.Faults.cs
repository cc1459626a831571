namespace Harrier.TestSupport;

/// <summary>What a test does to the disk, and what it may know of it. None of this is undone or forbidden by a crash.</summary>
public sealed partial class SimDisk
{
    private long _points;

    /// <summary>The room there is; null for a tebibyte. A write that would need more throws and writes nothing. Holes take no room.</summary>
    public long? CapacityBytes { get; set; }

    /// <summary>
    /// Whether a sync of this file, or of this folder, fails. What a failed sync of a file has reached is drawn at random, and is not made up for by one
    /// that succeeds later.
    /// </summary>
    public Func<string, bool>? FailSync { get; set; }

    /// <summary>Whether a write to this file fails, without having written anything.</summary>
    public Func<string, bool>? FailWrite { get; set; }

    /// <summary>Whether every change fails, as after a file system has been remounted because of errors.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>
    /// How likely a sector that was not synced is garbage after a crash. Then all of it is, with what was synced into it before: that is what a disk without
    /// protection against power loss may do, and 0 unless a test asks for it.
    /// </summary>
    public double GarbageChance { get; set; }

    /// <summary>
    /// Called before everything that changes the disk, outside of its lock. What it throws is what the operation throws, which then does not happen; after
    /// a <see cref="SimulatedCrashException"/> nothing else happens either.
    /// </summary>
    public Action<DiskPoint>? OnPoint { get; set; }

    /// <summary>Syncs of files that succeeded.</summary>
    public long Syncs { get; private set; }

    /// <summary>Syncs of folders that succeeded.</summary>
    public long FolderSyncs { get; private set; }

    /// <summary>Writes that succeeded; one of several parts counts once.</summary>
    public long Writes { get; private set; }

    /// <summary>Bytes that they wrote.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Points that were reached: with the same seed, a crash can be tried at each of them.</summary>
    public long Points => Interlocked.Read(ref _points);

    /// <summary>
    /// Ends the process, if it has not ended at a point, and gives the disk that the next one finds: as large and as likely to hold garbage, with no other
    /// faults. Called again, it gives another outcome of the same crash.
    /// </summary>
    public SimDisk Crash()
    {
        lock (_gate)
        {
            _isDead = true;
            return Successor(_random, new SimCrash(_random, GarbageChance));
        }
    }

    /// <summary>A copy of what is durable, as if a crash had lost all the rest. Its dice are its own, seeded from this disk's.</summary>
    public SimDisk Clone()
    {
        lock (_gate) return Successor(new Random(_random.Next()), null);
    }

    /// <summary>Whether a file can be seen under this name, durable or not.</summary>
    public bool Exists(string name)
    {
        lock (_gate)
        {
            int slash = name.IndexOf('/');
            SimFolder? folder = slash < 0 ? _root : _root.Find(name[..slash]) as SimFolder;
            return folder?.Find(name[(slash + 1)..]) is SimContent;
        }
    }

    /// <summary>What can be read in a file, durable or not.</summary>
    public byte[] Snapshot(string name)
    {
        lock (_gate) return Existing(name).Bytes.ToArray();
    }

    /// <summary>Flips bits of a byte, durably: the disk is damaged.</summary>
    public void Corrupt(string name, long offset, byte xorMask)
    {
        lock (_gate) Existing(name).Corrupt(checked((int)offset), xorMask);
    }

    /// <summary>Cuts a file off, durably; what is left of it is synced.</summary>
    public void Truncate(string name, long length)
    {
        lock (_gate) Existing(name).Truncate(checked((int)length));
    }

    private SimDisk Successor(Random random, SimCrash? crash) =>
        new(random, _root.Survivor(crash)) { CapacityBytes = CapacityBytes, GarbageChance = GarbageChance };

    // The lock is not held: a test may stop a thread here, and let others go on.
    private void Reach(DiskPointKind kind, string name)
    {
        lock (_gate) ThrowIfDead();
        long number = Interlocked.Increment(ref _points);
        try
        {
            OnPoint?.Invoke(new DiskPoint(kind, name, number));
        }
        catch (SimulatedCrashException)
        {
            lock (_gate) _isDead = true;
            throw;
        }
    }

    private void ThrowIfDead()
    {
        if (_isDead) throw new SimulatedCrashException();
    }

    private void ThrowIfReadOnly(string name)
    {
        if (IsReadOnly) throw new IOException($"{name}: Read-only file system");
    }
}
