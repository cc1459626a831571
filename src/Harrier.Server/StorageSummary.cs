using Harrier.Broker.Durability;
using Harrier.Storage.Recovery;

namespace Harrier.Server;

/// <summary>What <c>harrier storage inspect</c> tells, in the shape of its JSON.</summary>
internal sealed class StorageSummary(StorageReport report)
{
    public ManifestSummary? Manifest { get; } = report.Survey.Manifest is { } m ? new ManifestSummary(Harrier.Storage.Recovery.Manifest.Version, m.LogFrom.Number, m.LogFrom.Start, m.NextSegment) : null;

    public IReadOnlyList<SurveyedSegment> Segments { get; } = report.Survey.Segments;

    public IReadOnlyList<SurveyedLogFile> LogFiles { get; } = report.Survey.LogFiles;

    public IReadOnlyList<QueueReport> Queues { get; } = report.Queues;

    public IReadOnlyList<string> Damages { get; } = report.Damages;
}

/// <summary>The manifest's own part.</summary>
internal sealed record ManifestSummary(int FormatVersion, ulong LogFrom, long LogPosition, ulong NextSegment);
