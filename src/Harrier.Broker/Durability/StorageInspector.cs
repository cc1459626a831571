using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Durability;

/// <summary>
/// Reads a data directory as a start would, without changing anything, and compares what manifest, log and segments say of each other. Nobody else may be
/// at work on the directory.
/// </summary>
public static class StorageInspector
{
    private const int WindowBytes = 1 << 20;

    /// <summary>Reads everything; what is damaged is told in the report.</summary>
    /// <param name="disk">The directory, which nobody else has.</param>
    /// <param name="formats">The formats that messages may have.</param>
    public static StorageReport Read(IDisk disk, MessageFormats formats)
    {
        StorageSurvey survey = StorageSurvey.Read(disk);
        List<string> damages = [.. survey.Damages];
        if (survey.Manifest is not { } manifest) return new StorageReport(survey, [], damages);

        using var segments = new SegmentSet(disk, manifest.NextSegment);
        var topology = new TopologyImage(new QueueFactory(new ShardSet(NoStore.Instance, TimeProvider.System), new NoRandom()));
        var recovery = new BrokerRecovery(manifest, segments, formats, topology);
        try
        {
            recovery.Read(new LogReader(disk));
        }
        catch (Exception e) when (e is DataDamagedException or IOException)
        {
            if (damages.Count == 0) damages.Add(e.Message); // else it is what the survey has met already
        }
        List<QueueReport> queues = [];
        foreach ((long id, QueueImage image) in recovery.Images.OrderBy(pair => pair.Key))
        {
            if (image.HasEnded || !topology.Queues.TryGetValue(id, out Queue? queue)) continue;
            queues.Add(Describe(queue, image));
            if (survey.Damages.Count == 0) Compare(queue, image, damages);
        }
        foreach (QueueImage image in recovery.Images.Values) image.End();
        IEnumerable<Queue> empty = topology.Queues.Values.Where(queue => !recovery.Images.ContainsKey(queue.Id.Value));
        queues.AddRange(empty.Select(queue => new QueueReport(queue.VirtualHost, queue.NameText, [], 0, 0)));
        queues.Sort(static (a, b) => string.CompareOrdinal(a.VirtualHost, b.VirtualHost) is not 0 and var order ? order : string.CompareOrdinal(a.Queue, b.Queue));
        return new StorageReport(survey, queues, damages);
    }

    private static QueueReport Describe(Queue queue, QueueImage image) => new(
        queue.VirtualHost, queue.NameText, [.. image.Runs.Select(r => new RunReport(r.Run.File.Number, r.Run.Count))], image.Scattered.Count,
        image.Fresh.Count(entry => entry.Message is not null));

    /// <summary>Looks whether the messages stand in the segments where manifest and log say that they do.</summary>
    private static void Compare(Queue queue, QueueImage image, List<string> damages)
    {
        try
        {
            foreach (QueueEntry entry in image.Scattered.Values) CompareSingle(queue, in entry);
            foreach ((_, DiskRun run) in image.Runs) CompareRun(queue, run);
        }
        catch (DataDamagedException e)
        {
            damages.Add($"queue '{queue.NameText}' in vhost '{queue.VirtualHost}': {e.Message}");
        }
    }

    private static void CompareSingle(Queue queue, in QueueEntry entry)
    {
        StoredAt at = entry.Stored;
        using SegmentRecords records = at.File!.Read(at.Offset, Math.Min(at.Offset + (long)at.Size, at.File.Length), at.Size);
        bool isIt = records.TryMoveNext() && records.Key.QueueId == queue.Id.Value && records.Key.Sequence == entry.Sequence;
        if (!isIt) throw at.File.Damaged(at.Offset);
    }

    private static void CompareRun(Queue queue, DiskRun run)
    {
        int count = 0;
        for (long offset = run.Next; offset < run.End;)
        {
            using SegmentRecords records = run.File.Read(offset, run.End, WindowBytes);
            while (records.TryMoveNext())
            {
                if (records.Key.QueueId != queue.Id.Value) throw run.File.Damaged(records.Offset);
                bool isTransient = (records.Key.Flags & SegmentFlags.Transient) != SegmentFlags.None;
                if (!isTransient && !run.Gone.Contains(records.Key.Sequence)) count++;
            }
            offset = records.NextOffset;
        }
        if (count != run.Count) throw new DataDamagedException($"segment {run.File.Number:x16} holds {count} messages from offset {run.Next} on; there should be {run.Count}");
    }

    // Names are for new queues, and none are made.
    private sealed class NoRandom : Random;
}
