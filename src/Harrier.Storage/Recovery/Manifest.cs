using System.Buffers.Binary;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Segments;

namespace Harrier.Storage.Recovery;

/// <summary>
/// What a start begins with: where in the log to read on, which segments there are, and the state of everything as of that point, whose bytes are
/// the broker's affair. Replaced as a whole, by a rename.
/// </summary>
/// <param name="LogFrom">The first log file that is still needed.</param>
/// <param name="NextSegment">The number of the next segment file.</param>
/// <param name="Segments">The segment files.</param>
/// <param name="State">What the broker has written.</param>
public sealed record Manifest(LogFilePoint LogFrom, ulong NextSegment, IReadOnlyList<SegmentEntry> Segments, ReadOnlyMemory<byte> State)
{
    /// <summary>The format that is written, and the newest that is read.</summary>
    public const ushort Version = 3;

    private const string Name = "manifest";
    private const string NewName = "manifest.new";
    private const int HeaderSize = 48;
    private const int EntrySize = 16;
    private const ulong Magic = 0x314E414D_524148; // "HARMAN1\0"

    /// <summary>Reads the manifest of a directory, or null when there is none.</summary>
    /// <exception cref="DataDamagedException">It is damaged or of a newer format.</exception>
    public static Manifest? Read(IDisk disk)
    {
        if (!disk.List("").Contains(Name)) return null;
        using IDiskFile file = disk.Open(Name);
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        if (bytes.Length < HeaderSize + sizeof(uint) || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic) throw Damaged("it is not one");
        // The version first: a newer format may have its checksum elsewhere.
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        if (version > Version) throw new DataDamagedException($"the data directory has format version {version}; this Harrier reads up to {Version}: start a newer one");
        if (version < Version) throw new DataDamagedException($"the data directory has format version {version}, which only the Harrier that wrote it can read");
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(^4..)) != Crc32C.Of(bytes.AsSpan(..^4))) throw Damaged("its checksum does not hold");
        ReadOnlySpan<byte> header = bytes;
        int count = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
        if (count < 0 || count > (bytes.Length - HeaderSize - sizeof(uint)) / EntrySize) throw Damaged("its counts do not fit");
        var segments = new SegmentEntry[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = header[(HeaderSize + i * EntrySize)..];
            segments[i] = new SegmentEntry(BinaryPrimitives.ReadUInt64LittleEndian(entry), BinaryPrimitives.ReadInt64LittleEndian(entry[8..]));
        }
        var logFrom = new LogFilePoint(BinaryPrimitives.ReadUInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt32LittleEndian(header[44..]));
        return new Manifest(logFrom, BinaryPrimitives.ReadUInt64LittleEndian(header[32..]), segments, bytes.AsMemory(HeaderSize + count * EntrySize)[..^4]);
    }

    /// <summary>Makes this the manifest of the directory; it is durable afterwards, or the one before it still is.</summary>
    public void Write(IDisk disk)
    {
        byte[] head = new byte[HeaderSize + Segments.Count * EntrySize];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(16), LogFrom.Number);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(24), LogFrom.Start);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(32), NextSegment);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(40), Segments.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(44), LogFrom.Salt);
        for (int i = 0; i < Segments.Count; i++)
        {
            Span<byte> entry = head.AsSpan(HeaderSize + i * EntrySize);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, Segments[i].Number);
            BinaryPrimitives.WriteInt64LittleEndian(entry[8..], Segments[i].Length);
        }
        byte[] crc = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Append(Crc32C.Of(head), State.Span));
        if (disk.List("").Contains(NewName)) disk.Delete(NewName);
        using (IDiskFile file = disk.Create(NewName))
        {
            file.Write([head, State, crc], 0);
            file.Sync();
        }
        disk.Rename(NewName, Name);
        disk.SyncFolder("");
    }

    private static DataDamagedException Damaged(string how) =>
        new($"the manifest is damaged ({how}): nothing was changed. Restore the directory from a backup, or have the disk looked at.");
}
