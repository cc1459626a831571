using System.Buffers.Binary;
using Harrier.Storage.Disk;

namespace Harrier.Storage.Log;

/// <summary>
/// The layout of log files (docs/data-format.md). A position is a byte's place in the whole log; it only ever grows, so that what a recycled
/// file still holds from its former life is never taken for something new.
/// </summary>
internal static class LogFormat
{
    public const string Folder = "log";
    public const ushort Version = 1;

    /// <summary>Frames begin at multiples of this, so that no sector with synced data is ever written again.</summary>
    public const int SectorSize = 512;

    /// <summary>Bytes of a file's header; the rest of the first sector is zero.</summary>
    public const int FileHeaderSize = SectorSize;

    public const int FrameHeaderSize = 32;
    public const int UnitHeaderSize = 16;

    /// <summary>Bytes that no frame exceeds; a length beyond it is no length.</summary>
    public const int FrameBytesMax = 1 << 30;

    private const ulong FileMagic = 0x31474F_4C52_4148; // "HARLOG1\0"
    private const uint FrameMagic = 0x4D52_4648; // "HFRM"

    public static string NameOf(ulong number) => $"{Folder}/{number:x16}.log";

    /// <summary>The number in a file's name, or null when it is none of ours.</summary>
    public static ulong? NumberOf(string name)
    {
        string stem = Path.GetFileNameWithoutExtension(name);
        bool isOurs = name.EndsWith(".log", StringComparison.Ordinal) && stem.Length == 16;
        return isOurs && ulong.TryParse(stem, System.Globalization.NumberStyles.HexNumber, null, out ulong number) ? number : null;
    }

    public static int PaddedSize(int size) => (size + SectorSize - 1) & ~(SectorSize - 1);

    public static void WriteFileHeader(Span<byte> to, in LogFileHeader header)
    {
        to[..FileHeaderSize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, FileMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], header.Number);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], header.Start);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], header.PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], Crc32C.Of(to[..40]));
    }

    /// <summary>False when there is no header. Throws <see cref="DataDamagedException"/> for one of a newer version.</summary>
    public static bool TryReadFileHeader(ReadOnlySpan<byte> from, string name, out LogFileHeader header)
    {
        header = default;
        if (from.Length < FileHeaderSize || BinaryPrimitives.ReadUInt64LittleEndian(from) != FileMagic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[40..]) != Crc32C.Of(from[..40])) return false;
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(from[8..]);
        if (version > Version) throw new DataDamagedException($"{name} has format version {version}; this Harrier reads up to {Version}: start a newer one");
        header = new LogFileHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(from[16..]), BinaryPrimitives.ReadInt64LittleEndian(from[24..]), BinaryPrimitives.ReadInt64LittleEndian(from[32..]));
        return true;
    }

    public static void WriteFrameHeader(Span<byte> to, int payloadSize, long position, long durable, uint salt)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, FrameMagic);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], payloadSize);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], position);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], durable);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], salt);
    }

    public static void WriteFrameCrc(Span<byte> header, uint crc) => BinaryPrimitives.WriteUInt32LittleEndian(header[28..], crc);

    /// <summary>The checksum of a frame's header, to be continued over its payload.</summary>
    public static uint HeaderCrc(ReadOnlySpan<byte> header) => Crc32C.Of(header[..28]);

    /// <summary>What stands where a frame may begin; false when it is no frame of that position. The checksum is still to be compared.</summary>
    public static bool TryReadFrameHeader(ReadOnlySpan<byte> from, long position, uint salt, out LogFrameHeader header)
    {
        header = default;
        if (from.Length < FrameHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(from) != FrameMagic) return false;
        int payloadSize = BinaryPrimitives.ReadInt32LittleEndian(from[4..]);
        if (payloadSize is < 0 or > FrameBytesMax || BinaryPrimitives.ReadInt64LittleEndian(from[8..]) != position) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[24..]) != salt) return false;
        header = new LogFrameHeader(payloadSize, BinaryPrimitives.ReadInt64LittleEndian(from[16..]), BinaryPrimitives.ReadUInt32LittleEndian(from[28..]));
        return true;
    }

    /// <summary>The position that a frame claims for itself; false when there is no frame.</summary>
    public static bool TryReadPosition(ReadOnlySpan<byte> from, out long position)
    {
        position = 0;
        if (from.Length < FrameHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(from) != FrameMagic) return false;
        position = BinaryPrimitives.ReadInt64LittleEndian(from[8..]);
        return true;
    }

    public static void WriteUnitHeader(Span<byte> to, int stream, ulong index, int size)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)stream);
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], index);
    }

    /// <summary>Takes the first unit off a frame's payload. Throws when it does not fit: the checksum held, so somebody wrote it like that.</summary>
    public static LoggedUnit TakeUnit(ref ReadOnlySpan<byte> payload)
    {
        int size = payload.Length < UnitHeaderSize ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        if (size < 0 || size > payload.Length - UnitHeaderSize) throw new DataDamagedException("a frame of the log holds a unit that does not fit");
        var unit = new LoggedUnit(
            BinaryPrimitives.ReadUInt16LittleEndian(payload), BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]), payload.Slice(UnitHeaderSize, size));
        payload = payload[(UnitHeaderSize + size)..];
        return unit;
    }
}

/// <summary>A log file's header: its number, the position of its first byte, and where the frames of the file before it ended.</summary>
internal readonly record struct LogFileHeader(ulong Number, long Start, long PreviousEnd);

/// <summary>A frame's header: what was durable when it was written proves, if it is still there, that what came before it was synced.</summary>
internal readonly record struct LogFrameHeader(int PayloadSize, long Durable, uint Crc);

/// <summary>A unit as it stands in the log: ops of one stream, under a number that is dense per stream.</summary>
public readonly ref struct LoggedUnit(int stream, ulong index, ReadOnlySpan<byte> ops)
{
    public int Stream { get; } = stream;

    public ulong Index { get; } = index;

    public ReadOnlySpan<byte> Ops { get; } = ops;
}

/// <summary>A file of the log by its number, with the position of its first byte.</summary>
/// <param name="Number">Counts from 1, over all lives of the files.</param>
/// <param name="Start">The position of its first byte.</param>
/// <param name="Salt">
/// Stands in every frame of the directory's log, and nobody outside knows it: what a client publishes can look like a frame, but not like one of ours.
/// </param>
public readonly record struct LogFilePoint(ulong Number, long Start, uint Salt = 0);
