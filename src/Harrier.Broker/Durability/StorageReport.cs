using Harrier.Storage.Recovery;

namespace Harrier.Broker.Durability;

/// <summary>Messages of a queue that stand side by side in a segment.</summary>
public sealed record RunReport(ulong Segment, int Messages);

/// <summary>What a data directory holds of a queue.</summary>
/// <param name="VirtualHost">Its virtual host.</param>
/// <param name="Queue">Its name.</param>
/// <param name="Runs">Messages in segments that were never taken out, or not since.</param>
/// <param name="SingleMessages">Messages in segments that were given to somebody.</param>
/// <param name="LogMessages">Messages that are in the log only.</param>
public sealed record QueueReport(string VirtualHost, string Queue, IReadOnlyList<RunReport> Runs, int SingleMessages, int LogMessages)
{
    public long Messages => Runs.Sum(run => (long)run.Messages) + SingleMessages + LogMessages;
}

/// <summary>What was found in a data directory: the files, the queues, and what is wrong with them.</summary>
public sealed record StorageReport(StorageSurvey Survey, IReadOnlyList<QueueReport> Queues, IReadOnlyList<string> Damages);
