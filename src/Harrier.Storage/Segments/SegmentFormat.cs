using System.Buffers.Binary;
using Harrier.Storage.Disk;

namespace Harrier.Storage.Segments;

/// <summary>The layout of segment files (docs/data-format.md): a header, then records one after the other.</summary>
internal static class SegmentFormat
{
    public const string Folder = "segments";
    public const ushort Version = 2;
    public const int FileHeaderSize = 32;
    public const int RecordHeaderSize = 30;

    /// <summary>Bytes that no record's payload exceeds; a length beyond it is no length.</summary>
    public const int PayloadBytesMax = 1 << 30;

    private const ulong FileMagic = 0x31474553_524148; // "HARSEG1\0"

    public static string NameOf(ulong number) => $"{Folder}/{number:x16}.seg";

    /// <summary>The number in a file's name, or null when it is none of ours.</summary>
    public static ulong? NumberOf(string name)
    {
        string stem = Path.GetFileNameWithoutExtension(name);
        bool isOurs = name.EndsWith(".seg", StringComparison.Ordinal) && stem.Length == 16;
        return isOurs && ulong.TryParse(stem, System.Globalization.NumberStyles.HexNumber, null, out ulong number) ? number : null;
    }

    public static void WriteFileHeader(Span<byte> to, ulong number)
    {
        to[..FileHeaderSize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, FileMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], Crc32C.Of(to[..24]));
    }

    /// <summary>Throws <see cref="DataDamagedException"/> when it is not the header of that file.</summary>
    public static void CheckFileHeader(ReadOnlySpan<byte> from, ulong number)
    {
        string name = NameOf(number);
        bool isWhole = from.Length >= FileHeaderSize && BinaryPrimitives.ReadUInt64LittleEndian(from) == FileMagic
            && BinaryPrimitives.ReadUInt32LittleEndian(from[24..]) == Crc32C.Of(from[..24]);
        if (!isWhole) throw new DataDamagedException($"{name} is damaged: its header is not one of a segment");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(from[8..]);
        if (version > Version) throw new DataDamagedException($"{name} has format version {version}; this Harrier reads up to {Version}: start a newer one");
        if (BinaryPrimitives.ReadUInt64LittleEndian(from[16..]) != number) throw new DataDamagedException($"{name} holds another segment");
    }

    public static void WriteRecordHeader(Span<byte> to, in SegmentKey key, int payloadSize)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, payloadSize);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], key.QueueId);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], key.Sequence);
        BinaryPrimitives.WriteUInt16LittleEndian(to[24..], (ushort)key.Flags);
        BinaryPrimitives.WriteUInt16LittleEndian(to[26..], key.DeliveryCount);
        BinaryPrimitives.WriteUInt16LittleEndian(to[28..], key.AcquiredCount);
    }

    /// <summary>Puts the checksum into a record that is complete.</summary>
    public static void SealRecord(Span<byte> record) => BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C.Of(record[8..]));

    /// <summary>Bytes of the record that begins here, or -1 when there is no header of one.</summary>
    public static int RecordSize(ReadOnlySpan<byte> from)
    {
        if (from.Length < RecordHeaderSize) return -1;
        int payloadSize = BinaryPrimitives.ReadInt32LittleEndian(from);
        return payloadSize is < 0 or > PayloadBytesMax ? -1 : RecordHeaderSize + payloadSize;
    }

    /// <summary>Reads a whole record; false when its checksum does not hold.</summary>
    public static bool TryReadRecord(ReadOnlySpan<byte> record, out SegmentKey key)
    {
        key = new SegmentKey(
            BinaryPrimitives.ReadInt64LittleEndian(record[8..]), BinaryPrimitives.ReadUInt64LittleEndian(record[16..]),
            (SegmentFlags)BinaryPrimitives.ReadUInt16LittleEndian(record[24..]), BinaryPrimitives.ReadUInt16LittleEndian(record[26..]),
            BinaryPrimitives.ReadUInt16LittleEndian(record[28..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) == Crc32C.Of(record[8..]);
    }
}

/// <summary>What is known of a record besides its payload.</summary>
[Flags]
public enum SegmentFlags : ushort
{
    None = 0,

    /// <summary>The message left memory for want of room and is not to survive a restart.</summary>
    Transient = 1,

    /// <summary>No message: the times of those before it.</summary>
    Timetable = 2,
}

/// <summary>Whose record it is: a queue, the message's sequence there, and how often it was delivered in vain, and given out at all, until it was written.</summary>
public readonly record struct SegmentKey(long QueueId, ulong Sequence, SegmentFlags Flags, ushort DeliveryCount, ushort AcquiredCount = 0);
