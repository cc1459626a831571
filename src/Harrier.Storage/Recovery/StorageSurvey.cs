using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Segments;

namespace Harrier.Storage.Recovery;

/// <summary>A log file as it was found. One without frames of its own is a spare.</summary>
public sealed record SurveyedLogFile(string Name, ulong Number, long Length)
{
    /// <summary>The position of its first byte, or null when its header is none of its own.</summary>
    public long? Start { get; init; }

    public long Frames { get; internal set; }

    public long Units { get; internal set; }

    /// <summary>Bytes of frames, padding included.</summary>
    public long Bytes { get; internal set; }

    /// <summary>The offset after the last frame.</summary>
    public long End { get; internal set; }
}

/// <summary>A segment that the manifest names, as it was found.</summary>
public sealed record SurveyedSegment(string Name, ulong Number, long Length)
{
    public long Records { get; internal set; }

    /// <summary>What is wrong with it, or null.</summary>
    public string? Damage { get; internal set; }
}

/// <summary>
/// Looks at a data directory without the broker's knowledge of what is in it: reads every frame and every record, compares every checksum, and goes on
/// where something is damaged. Changes nothing.
/// </summary>
public sealed class StorageSurvey
{
    private const int WindowBytes = 1 << 20;

    private readonly List<SurveyedLogFile> _logFiles = [];
    private readonly List<SurveyedSegment> _segments = [];
    private readonly List<string> _damages = [];

    private StorageSurvey()
    {
    }

    /// <summary>The manifest, or null when there is none or it cannot be read.</summary>
    public Manifest? Manifest { get; private set; }

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<SurveyedLogFile> LogFiles => _logFiles;

    /// <summary>Those that the manifest names.</summary>
    public IReadOnlyList<SurveyedSegment> Segments => _segments;

    /// <summary>What is wrong, in the order in which it was found.</summary>
    public IReadOnlyList<string> Damages => _damages;

    /// <summary>Reads everything in a directory.</summary>
    public static StorageSurvey Read(IDisk disk)
    {
        var survey = new StorageSurvey();
        survey.ReadManifest(disk);
        survey.ListLogFiles(disk);
        if (survey.Manifest is not { } manifest) return survey;
        using (var set = new SegmentSet(disk, manifest.NextSegment))
            foreach (SegmentEntry entry in manifest.Segments) survey.ReadSegment(set, entry);
        if (!manifest.State.IsEmpty) survey.ReadLog(disk, manifest.LogFrom); // before the first checkpoint there is none
        return survey;
    }

    private void ReadManifest(IDisk disk)
    {
        try
        {
            Manifest = Manifest.Read(disk);
            if (Manifest is null) _damages.Add("manifest is missing");
        }
        catch (DataDamagedException e)
        {
            _damages.Add($"manifest: {e.Message}");
        }
    }

    private void ListLogFiles(IDisk disk)
    {
        foreach (string name in disk.List(LogFormat.Folder).Order(StringComparer.Ordinal))
        {
            if (LogFormat.NumberOf(name) is not { } number) continue;
            using IDiskFile file = disk.Open(name);
            byte[] bytes = new byte[LogFormat.FileHeaderSize];
            int count = file.Read(bytes, 0);
            bool isBegun;
            LogFileHeader header = default;
            try
            {
                isBegun = LogFormat.TryReadFileHeader(bytes.AsSpan(0, count), name, out header) && header.Number == number;
            }
            catch (DataDamagedException)
            {
                isBegun = false; // the reading of the log will say so
            }
            _logFiles.Add(new SurveyedLogFile(name, number, file.Length) { Start = isBegun ? header.Start : null });
        }
    }

    private void ReadSegment(SegmentSet set, SegmentEntry entry)
    {
        var found = new SurveyedSegment(SegmentFormat.NameOf(entry.Number), entry.Number, entry.Length);
        _segments.Add(found);
        try
        {
            SegmentFile file = set.Open(entry);
            for (long offset = SegmentFormat.FileHeaderSize; offset < file.Length;)
            {
                using SegmentRecords records = file.Read(offset, file.Length, WindowBytes);
                while (records.TryMoveNext()) found.Records++;
                offset = records.NextOffset;
            }
        }
        catch (Exception e) when (e is DataDamagedException or IOException)
        {
            found.Damage = e.Message;
            _damages.Add(e.Message.Contains(found.Name, StringComparison.Ordinal) ? e.Message : $"{found.Name}: {e.Message}");
        }
    }

    private void ReadLog(IDisk disk, LogFilePoint from)
    {
        SurveyedLogFile? current = null;
        var reader = new LogReader(disk)
        {
            OnFrame = (number, offset, payloadSize) =>
            {
                if (current?.Number != number) current = _logFiles.Find(file => file.Number == number)!;
                int size = LogFormat.PaddedSize(LogFormat.FrameHeaderSize + payloadSize);
                current.Frames++;
                current.Bytes += size;
                current.End = offset + size;
            },
        };
        try
        {
            reader.Read(from, (in LoggedUnit _) => current!.Units++);
        }
        catch (Exception e) when (e is DataDamagedException or IOException)
        {
            string where = current is null ? LogFormat.NameOf(from.Number) : $"{current.Name}, offset {current.End}";
            _damages.Add($"{where}: {e.Message}");
        }
    }
}
